import { describe, expect, it } from 'vitest'
import { SimulatedDisk } from '../../../engine/src/simulator/disk.ts'
import { RecordStore } from '../../../engine/src/storage/record-store.ts'
import { newDraft, newView } from '../../../engine/src/storage/record.ts'

const view = newView()
let now = 1_700_000_000_000

function open(disk?: SimulatedDisk): Promise<RecordStore> {
  const files = disk && {
    disk,
    folder: '/data',
    namespace: 'test',
    durability: 'commit' as const,
    flushMs: 1000,
    newIncarnation: () => 'a',
  }
  return RecordStore.open({
    clock: () => now,
    stopwatch: () => 0,
    memoryLimit: 1 << 26,
    partitions: 16,
    segmentBytes: 4096,
    idleBytes: 0,
    tombstoneLife: 60_000,
    ...(files ? { files } : {}),
  })
}

const digestOf = (number: number): Buffer => {
  const digest = Buffer.alloc(20)
  digest.writeUInt32BE(Math.imul(number, 0x9e3779b1) >>> 0, 2)
  digest.writeUInt16BE(number, 18)
  return digest
}

function write(store: RecordStore, number: number, regime: number, sequence: number, text = 'x'): void {
  const draft = { ...newDraft(), digest: digestOf(number), regime, sequence, generation: 1, lastUpdate: now }
  store.write({ ...draft, bins: Buffer.from(text), binsEnd: text.length, binCount: 1 })
}

function held(store: RecordStore): string[] {
  const found: string[] = []
  store.scan(0, undefined, ({ regime, sequence }, standing, digest) => {
    found.push(`${digest.toString('hex')} ${standing} ${regime}.${sequence}`)
    return true
  })
  return found
}

describe('versions that a cluster makes', () => {
  it('scans a partition in the order of digests, from any digest on', async () => {
    const store = await open()
    for (let i = 0; i < 300; i++) write(store, i, 1, i + 1)
    const all = held(store)
    expect(all.length).toBe(300)
    expect(all).toEqual([...all].sort())
    for (const from of [0, 7, 298, 299]) {
      const after = Buffer.from(all[from]!.slice(0, 40), 'hex')
      const rest: string[] = []
      store.scan(0, after, (_view, _standing, digest) => rest.push(digest.toString('hex')) < 5)
      expect(rest).toEqual(all.slice(from + 1, from + 6).map((line) => line.slice(0, 40)))
    }
  })

  it('numbers writes from 1 in each regime, and remembers deletes without files', async () => {
    const store = await open()
    store.enterRegime(0, 5)
    write(store, 1, store.regimeOf(0), store.nextSequence(0))
    expect(store.remove(digestOf(1), 0)).toBe(true)
    expect(store.find(digestOf(1), 0, view)).toBe(false)
    expect(store.findVersion(digestOf(1), 0, view)).toBe('delete')
    expect([view.regime, view.sequence]).toEqual([5, 2])
    store.enterRegime(0, 6)
    expect(store.nextSequence(0)).toBe(1)
  })

  it.each(['memory', 'files'])('forgets without a trace, %s', async (kind) => {
    const disk = kind === 'files' ? new SimulatedDisk({ random: () => 0 }) : undefined
    let store = await open(disk)
    for (let i = 0; i < 40; i++) write(store, i, 1, i + 1)
    store.enterRegime(0, 2)
    store.remove(digestOf(3), 0)
    for (let i = 0; i < 40; i++) store.forget(digestOf(i), 0)
    write(store, 7, 1, 8, 'given back')
    const check = () => {
      expect(held(store).length).toBe(1)
      expect(store.findVersion(digestOf(3), 0, view)).toBe('nothing')
      expect(store.findVersion(digestOf(7), 0, view)).toBe('record')
      expect(view.buffer.toString('latin1', view.binsStart, view.binsEnd)).toBe('given back')
      expect(store.objects).toBe(1)
    }
    check()
    if (!disk) return
    await new Promise<void>((resolve) => store.whenSynced(store.position, () => resolve()))
    store = await open(disk.endProcess({ random: () => 0 }))
    check()
  })

  it('keeps deletes through compaction for as long as it was told', async () => {
    const store = await open()
    for (let i = 0; i < 200; i++) write(store, i, 1, i + 1, 'y'.repeat(60))
    for (let i = 0; i < 200; i++) store.remove(digestOf(i), 0)
    while (store.runSlice(now, 1));
    expect(store.tombstones).toBe(200)
    now += 61_000
    // Half of them are replaced, so that their segments are worth compacting.
    for (let i = 0; i < 200; i += 2) write(store, i, 2, i, 'y'.repeat(60))
    while (store.runSlice(now, 1));
    expect(store.tombstones).toBeLessThan(100)
  })
})
