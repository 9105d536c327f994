import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { RecordDraft } from '../../../engine/src/storage/record.ts'
import { newView } from '../../../engine/src/storage/record.ts'
import { RecordStore } from '../../../engine/src/storage/record-store.ts'
import { ResultError } from '../../../engine/src/values/result-code.ts'

const MIB = 1024 * 1024
const NOTHING = Buffer.alloc(0)
const ten = Buffer.alloc(10_000)

const digestOf = (key: number): Buffer => createHash('ripemd160').update(String(key)).digest()

function draft(key: number, bins: Buffer, lastUpdate = 1000, setId = 0): RecordDraft {
  return {
    digest: digestOf(key),
    digestStart: 0,
    generation: 1 + (key % 7),
    voidTime: key % 3,
    lastUpdate,
    regime: 0,
    sequence: 1,
    setId,
    key: NOTHING,
    keyStart: 0,
    keyEnd: 0,
    bins,
    binsStart: 0,
    binsEnd: bins.length,
    binCount: 1,
    advances: false,
  }
}

const open = (memoryLimit = 256 * MIB): Promise<RecordStore> =>
  RecordStore.open({ clock: () => 0, stopwatch: () => performance.now(), memoryLimit })

function read(store: RecordStore, key: number): string | undefined {
  const view = newView()
  if (!store.find(digestOf(key), 0, view)) return undefined
  expect(view.generation).toBe(1 + (key % 7))
  return view.buffer.toString('latin1', view.binsStart, view.binsEnd)
}

/** The same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  return (below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return seed % below
  }
}

describe('the store in memory', () => {
  it('holds what was written last, through updates, removals and compaction', async () => {
    const store = await open()
    const model = new Map<number, string>()
    const next = numbers(7)
    for (let step = 0; step < 60_000; step++) {
      const key = next(2000)
      if (next(4) === 0) expect(store.remove(digestOf(key), 0)).toBe(model.delete(key))
      else {
        const text = String.fromCharCode(97 + next(26)).repeat(next(3000))
        store.write(draft(key, Buffer.from(text)))
        model.set(key, text)
      }
      if (step % 50 === 0) store.runSlice(0, 1)
    }
    while (store.runSlice(0, 1));
    expect(store.objects).toBe(model.size)
    for (let key = 0; key < 2000; key++) expect(read(store, key)).toBe(model.get(key))
    // 60,000 writes of 1.5 KB were 90 MB; what lives is under 3 MB.
    expect(store.stats().dataBytes).toBeLessThan(64 * MIB)
  })

  it('leaves a few old versions lying where there is room', async () => {
    const bytesAfter = async (memoryLimit: number, options: { idleBytes?: number }): Promise<number> => {
      const clocks = { clock: () => 0, stopwatch: () => performance.now() }
      const store = await RecordStore.open({ ...clocks, memoryLimit, ...options })
      const next = numbers(3)
      for (let i = 0; i < 20_000; i++) {
        store.write(draft(next(2000), ten))
        if (i % 100 === 0) while (store.runSlice(0, 1));
      }
      return store.stats().dataBytes
    }
    const tidy = await bytesAfter(256 * MIB, { idleBytes: 0 })
    expect(await bytesAfter(256 * MIB, {})).toBeGreaterThanOrEqual(tidy + 16 * MIB)
    expect(await bytesAfter(256 * MIB, {})).toBeLessThanOrEqual(tidy + 40 * MIB)
    // They would be too much for this one, and stop its writes.
    expect(await bytesAfter(64 * MIB, {})).toBeLessThanOrEqual(tidy + 8 * MIB)
  })

  it('hides what was last updated before a truncation, of one set or of all', async () => {
    const store = await open()
    const set = store.setId(Buffer.from('a'), 0, 1, true)
    store.write(draft(1, Buffer.from('old'), 1000, set))
    store.write(draft(2, Buffer.from('new'), 2000, set))
    store.write(draft(3, Buffer.from('other'), 1000))
    store.truncate(set, 1500)
    while (store.runSlice(0, 1));
    expect([1, 2, 3].map((key) => read(store, key))).toEqual([undefined, 'new', 'other'])
    expect(store.sets[set]).toMatchObject({ objects: 1, truncateBefore: 1500 })
    store.truncate(0, 1500)
    expect([2, 3].map((key) => read(store, key))).toEqual(['new', undefined])
    while (store.runSlice(0, 1));
    expect(store.objects).toBe(1)
  })

  it('stops writes before its memory is full, and takes them again when there is room', async () => {
    const store = await open(40 * MIB)
    const bins = Buffer.alloc(100_000)
    let written = 0
    expect(() => {
      for (; written < 1000; written++) store.write(draft(written, bins))
    }).toThrow(ResultError)
    expect(store.stopWrites).toBe(true)
    expect(store.stats().dataBytes + store.stats().indexBytes).toBeLessThanOrEqual(40 * MIB)
    expect(read(store, 0)).toBeDefined()
    for (let key = 0; key < written; key++) store.remove(digestOf(key), 0)
    while (store.runSlice(0, 1));
    store.write(draft(1, bins))
    expect(read(store, 1)).toBeDefined()
  })

  it('takes out what has expired, once a period, and nothing else', async () => {
    const begin = 1_262_304_000_000
    let period = 0
    const store = await RecordStore.open({
      clock: () => 0,
      stopwatch: () => performance.now(),
      memoryLimit: 256 * MIB,
      expiryPeriod: () => period,
    })
    // Void time is the key modulo 3: 0 never, 1 or 2 seconds after 2010 began.
    for (let key = 0; key < 60_000; key++) store.write(draft(key, Buffer.from('x')))
    const pass = (now: number): void => {
      while (store.runSlice(now, 1));
    }
    pass(begin + 1000)
    expect(store.objects).toBe(60_000)
    period = 10
    pass(begin + 1000)
    expect(store.objects).toBe(40_000)
    pass(begin + 5000)
    expect(store.objects).toBe(40_000)
    pass(begin + 11_000)
    expect(store.objects).toBe(20_000)
    for (let key = 0; key < 60_000; key += 7) expect(read(store, key)).toBe(key % 3 === 0 ? 'x' : undefined)
  })
})
