import { describe, expect, it } from 'vitest'
import { SimulatedDisk, type SimulatedDiskOptions } from '../../../engine/src/simulator/disk.ts'
import type { DiskFile } from '../../../engine/src/storage/disk.ts'
import type { FileOptions } from '../../../engine/src/storage/open-files.ts'
import { newDraft, newView } from '../../../engine/src/storage/record.ts'
import { RecordStore } from '../../../engine/src/storage/record-store.ts'
import { StorageError } from '../../../engine/src/storage/storage-error.ts'
import { ResultCode, ResultError } from '../../../engine/src/values/result-code.ts'
import { randomOf } from './crash-run.ts'

const BEGIN = 1_800_000_000_000
const KIB = 1024

const diskOptions = (more: Partial<SimulatedDiskOptions> = {}): SimulatedDiskOptions => ({
  random: randomOf(1),
  ...more,
})

interface Opening extends Partial<Omit<FileOptions, 'disk'>> {
  readonly now?: number
  readonly segmentBytes?: number
  readonly memoryLimit?: number
}

function open(disk: SimulatedDisk, options: Opening = {}): Promise<RecordStore> {
  const { now = BEGIN, segmentBytes = 4 * KIB, memoryLimit = 16 * KIB * KIB, ...files } = options
  return RecordStore.open({
    clock: () => now,
    stopwatch: () => 0,
    memoryLimit,
    partitions: 4,
    segmentBytes,
    idleBytes: 0,
    files: {
      disk,
      folder: '/data',
      namespace: 'test',
      durability: 'commit',
      flushMs: 100,
      newIncarnation: () => 'one',
      ...files,
    },
  })
}

function digestOf(key: number): Buffer {
  const digest = Buffer.alloc(20, key * 13)
  digest.writeUInt16LE(key, 18)
  digest[0] = key & 3
  digest[1] = 0
  return digest
}

let clock = BEGIN
function write(store: RecordStore, key: number, value: string): void {
  const draft = newDraft()
  draft.digest = digestOf(key)
  draft.generation = 1
  draft.lastUpdate = ++clock
  draft.sequence = store.nextSequence(key & 3)
  draft.setId = store.setId(Buffer.from('set'), 0, 3, true)
  draft.bins = Buffer.from(value)
  draft.binsEnd = draft.bins.length
  draft.binCount = 1
  store.write(draft)
}

function read(store: RecordStore, key: number): string | undefined {
  const view = newView()
  if (!store.find(digestOf(key), 0, view)) return undefined
  return view.buffer.toString('latin1', view.binsStart, view.binsEnd)
}

const synced = (store: RecordStore): Promise<boolean> =>
  new Promise((resolve) => store.whenSynced(store.position, (failed) => resolve(!failed)))

/** Lets background work and the disk go on until nothing is left to do; `now` moves on. */
async function settle(store: RecordStore, now = BEGIN): Promise<void> {
  for (let round = 0; round < 200; round++) {
    for (let slices = 0; slices < 100 && store.runSlice(now + round * 50, 1); slices++);
    for (let wait = 0; wait < 40; wait++) await Promise.resolve()
  }
}

const codeOf = (work: () => unknown): number | undefined => {
  try {
    work()
  } catch (error) {
    if (error instanceof ResultError) return error.code
    throw error
  }
  return undefined
}

/** Opening must fail with one line. */
async function refusal(opening: Promise<RecordStore>): Promise<StorageError> {
  const error = await opening.then(
    () => new Error('it opened'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof StorageError)) throw error
  expect(error.message).not.toContain('\n')
  return error
}

describe('a start', () => {
  it('after a clean stop finds all again without looking it up, twice', async () => {
    let disk = new SimulatedDisk(diskOptions())
    let store = await open(disk)
    for (let key = 0; key < 300; key++) write(store, key, `first ${key}`)
    for (let key = 0; key < 300; key += 3) store.remove(digestOf(key), 0)
    for (let key = 0; key < 300; key += 5) write(store, key, `second ${key}`)
    const expected = Array.from({ length: 300 }, (_, key) => read(store, key))
    for (let stop = 0; stop < 2; stop++) {
      const { objects, tombstones, sets } = store
      await store.close()
      disk = disk.losePower(diskOptions())
      store = await open(disk)
      expect(store.startedClean).toBe(true)
      expect(Array.from({ length: 300 }, (_, key) => read(store, key))).toEqual(expected)
      expect([store.objects, store.tombstones, store.sets[1]!.bytes]).toEqual([
        objects,
        tombstones,
        sets[1]!.bytes,
      ])
    }
  })

  it('after a kill counts as a clean one does', async () => {
    const disk = new SimulatedDisk(diskOptions())
    const store = await open(disk)
    for (let key = 0; key < 300; key++) write(store, key, `first ${key}`)
    for (let key = 0; key < 300; key += 4) store.remove(digestOf(key), 0)
    await synced(store)
    const again = await open(disk.losePower(diskOptions()))
    expect(again.startedClean).toBe(false)
    expect([again.objects, again.sets[1]!.objects, again.sets[1]!.bytes]).toEqual([
      store.objects,
      store.sets[1]!.objects,
      store.sets[1]!.bytes,
    ])
  })

  it('says when the clock is behind the newest record', async () => {
    const disk = new SimulatedDisk(diskOptions())
    const store = await open(disk)
    write(store, 1, 'now')
    await store.close()
    const notes: string[] = []
    const again = await open(disk.endProcess(diskOptions()), {
      now: BEGIN - 3_600_000,
      onNote: (line) => notes.push(line),
    })
    expect(read(again, 1)).toBe('now')
    expect(notes).toHaveLength(1)
    expect(notes[0]).toMatch(/the clock is 36\d\d s behind the newest record.*Set the clock right/)
  })

  it('refuses a folder that another process has, in words that help', async () => {
    const disk = new SimulatedDisk(diskOptions())
    await open(disk)
    const error = await refusal(open(disk))
    expect(error.fault).toBe('LOCKED')
    expect(error.message).toMatch(/\/data is in use by another node .*stop that one or name another folder/)
  })

  it('refuses a read-only folder, another namespace and another format, each in one line', async () => {
    const readOnly = new SimulatedDisk(
      diskOptions({ failure: (call) => (call === 'create' ? 'EROFS' : undefined) }),
    )
    expect(await refusal(open(readOnly))).toMatchObject({
      fault: 'READ_ONLY',
      message:
        'The folder /data cannot be written (EROFS); make it writable for this user or name another folder',
    })
    const disk = new SimulatedDisk(diskOptions())
    await (await open(disk)).close()
    expect((await refusal(open(disk, { namespace: 'other' }))).message).toContain(
      'holds namespace test in 4 partitions, not other in 4',
    )
    disk.damage('/data/FORMAT', (content) => content.write('2', content.indexOf('"format":1') + 9))
    expect((await refusal(open(disk))).message).toContain('has format 2, this version reads format 1')
    disk.damage('/data/FORMAT', (content) => content.fill(0))
    expect((await refusal(open(disk))).message).toContain('FORMAT cannot be read; put a copy of it back')
  })
})

describe('a disk', () => {
  it('whose sync fails stops the namespace: nothing waits for ever, nothing is answered as if it lasted', async () => {
    let fails = false
    const disk = new SimulatedDisk(
      diskOptions({ failure: (call) => (fails && call === 'sync' ? 'EIO' : undefined) }),
    )
    const faults: StorageError[] = []
    const store = await open(disk, { onFault: (fault) => faults.push(fault) })
    write(store, 1, 'kept')
    expect(await synced(store)).toBe(true)
    fails = true
    write(store, 2, 'lost')
    expect(await synced(store)).toBe(false)
    fails = false
    expect(faults.map(({ fault }) => fault)).toEqual(['SYNC_FAILED'])
    expect(faults[0]!.message).toMatch(
      /could not sync \/data .*has stopped. Check the disk, then start the node again/,
    )
    expect(codeOf(() => write(store, 3, 'more'))).toBe(ResultCode.PARTITION_UNAVAILABLE)
    expect(codeOf(() => read(store, 1))).toBe(ResultCode.PARTITION_UNAVAILABLE)
    await settle(store)
    expect(await synced(store)).toBe(false)
    await store.close()
    const again = await open(disk.losePower(diskOptions()))
    expect(again.startedClean).toBe(false)
    expect(read(again, 1)).toBe('kept')
  })

  it('that is full refuses writes, keeps what it has, and takes writes again when there is room', async () => {
    let capacity = 96 * KIB * KIB
    const options: SimulatedDiskOptions = {
      random: randomOf(1),
      get capacity() {
        return capacity
      },
    }
    const disk = new SimulatedDisk(options)
    const store = await open(disk)
    write(store, 1, 'kept')
    expect(await synced(store)).toBe(true)
    capacity = 2 * KIB
    write(store, 2, 'x'.repeat(2000))
    expect(await synced(store)).toBe(false)
    expect(store.stopWrites).toBe(true)
    expect(codeOf(() => write(store, 3, 'y'.repeat(2000)))).toBe(ResultCode.NO_SPACE)
    expect(read(store, 1)).toBe('kept')
    await settle(store)
    expect(store.stopWrites).toBe(true)
    capacity = 96 * KIB * KIB
    await settle(store, BEGIN + 60_000)
    expect(store.stopWrites).toBe(false)
    write(store, 4, 'after')
    expect(await synced(store)).toBe(true)
    const again = await open(disk.losePower(diskOptions()))
    expect([1, 4].map((key) => read(again, key))).toEqual(['kept', 'after'])
  })

  it('that removes nothing any more ends compaction, says so once, and loses nothing', async () => {
    let left = Infinity
    const disk = new SimulatedDisk(
      diskOptions({ failure: (call) => (call === 'remove' && left-- <= 0 ? 'EIO' : undefined) }),
    )
    const notes: string[] = []
    const store = await open(disk, { onNote: (line) => notes.push(line) })
    const update = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        for (let key = 1; key < 10; key++) write(store, key, `${round} ${'x'.repeat(200)}`)
        expect(await synced(store)).toBe(true)
      }
    }
    await update(20)
    // The second of a group fails.
    left = 1
    await settle(store)
    expect(left).toBeLessThan(1)
    await update(20)
    await settle(store)
    expect(notes).toEqual([
      expect.stringMatching(/^\/data.*: a segment that .* could not be removed \(.*EIO/),
    ])
    write(store, 1, 'last')
    expect(await synced(store)).toBe(true)
    const again = await open(disk.losePower(diskOptions()))
    expect(read(again, 1)).toBe('last')
    expect(read(again, 9)).toMatch(/^19 x/)
  })

  it('that runs low stops writes before it is full', async () => {
    const disk = new SimulatedDisk(diskOptions({ capacity: 32 * KIB * KIB }))
    const store = await open(disk)
    await settle(store)
    expect(store.stopWrites).toBe(true)
  })

  it('that cannot keep up makes writes wait their turn', async () => {
    let callsLeft = Infinity
    const disk = new SimulatedDisk({
      random: randomOf(1),
      get callsLeft() {
        return callsLeft
      },
    })
    const store = await open(disk, { segmentBytes: 1024 * KIB, memoryLimit: 256 * KIB * KIB })
    callsLeft = disk.calls + 1
    let refused: number | undefined
    let written = 0
    for (; written < 400 && refused === undefined; written++) {
      refused = codeOf(() => write(store, written, 'z'.repeat(500_000)))
      store.runSlice(BEGIN + written, 1)
    }
    expect(refused).toBe(ResultCode.DEVICE_OVERLOAD)
    expect(written).toBeGreaterThan(100)
  })
})

describe('damage', () => {
  /** A log of several segments, synced and named by a mark, with replaced and deleted records in it. */
  async function prepared(): Promise<{
    disk: SimulatedDisk
    paths: string[]
    expected: (string | undefined)[]
  }> {
    const disk = new SimulatedDisk(diskOptions())
    const store = await open(disk, { segmentBytes: 2 * KIB })
    for (let key = 0; key < 12; key++) write(store, key, `first ${key} ${'x'.repeat(90)}`)
    for (let key = 0; key < 12; key += 3) store.remove(digestOf(key), 0)
    for (let key = 0; key < 12; key += 2) write(store, key, `second ${key} ${'y'.repeat(40)}`)
    await synced(store)
    store.runSlice(BEGIN + 500, 0)
    for (let wait = 0; wait < 60; wait++) await Promise.resolve()
    const expected = Array.from({ length: 12 }, (_, key) => read(store, key))
    const next = disk.losePower(diskOptions())
    const paths = (await next.list('/data'))
      .filter((name) => name.endsWith('.log'))
      .map((name) => `/data/${name}`)
    return { disk: next, paths, expected }
  }

  it('of any one bit never shows an older version, and never hides a record', async () => {
    const { disk, paths, expected } = await prepared()
    expect(paths.length).toBeGreaterThan(1)
    let refused = 0
    let errors = 0
    for (const path of paths) {
      const length = disk.contentOf(path)!.length
      for (let at = 0; at < length; at++) {
        const bit = 1 << (at % 8)
        const copy = disk.copy(diskOptions())
        copy.damage(path, (content) => (content[at] = content[at]! ^ bit))
        const store = await open(copy, { segmentBytes: 2 * KIB }).catch((error: unknown) => {
          expect(error).toBeInstanceOf(StorageError)
          expect(error).toMatchObject({ fault: 'DAMAGED' })
          refused++
        })
        if (!store) continue
        for (let key = 0; key < 12; key++) {
          const code = codeOf(() => expect(read(store, key), `${path} ${at} key ${key}`).toBe(expected[key]))
          if (code !== undefined) errors++
        }
      }
    }
    expect(refused).toBeGreaterThan(100)
    expect(errors).toBeGreaterThan(100)
  })

  it('in the contents of a record is an error for that record alone, also after compaction and restarts', async () => {
    const { disk, paths, expected } = await prepared()
    const found = paths
      .map((path) => ({ path, at: disk.contentOf(path)!.indexOf('second 2 ') }))
      .find(({ at }) => at > 0)!
    disk.damage(found.path, (content) => content.write('third', found.at))
    const notes: string[] = []
    let store = await open(disk, { segmentBytes: 2 * KIB, onNote: (line) => notes.push(line) })
    expect(notes.join()).toContain('1 damaged records; reading one answers an error')
    const check = (): void => {
      for (let key = 0; key < 12; key++)
        if (key === 2) expect(codeOf(() => read(store, 2))).toBe(ResultCode.SERVER_ERROR)
        else expect(read(store, key)).toBe(expected[key])
    }
    check()
    for (let key = 20; key < 60; key++) write(store, key, 'z'.repeat(100))
    for (let key = 20; key < 60; key++) store.remove(digestOf(key), 0)
    await settle(store)
    check()
    await store.close()
    store = await open(disk.losePower(diskOptions()), { segmentBytes: 2 * KIB })
    check()
    store.truncate(0, clock + 10)
    await settle(store)
    expect(read(store, 2)).toBeUndefined()
  })

  it('that nobody can name is refused, unless it is accepted, and then only once', async () => {
    const { disk, paths } = await prepared()
    disk.damage(paths[0]!, (content) => content.fill(0xee, 600, 700))
    const error = await refusal(open(disk, { segmentBytes: 2 * KIB }))
    expect(error.message).toMatch(
      /is damaged: \d+ bytes at \d+ of segment 1 are not what was written, .*--accept-damage/,
    )
    const notes: string[] = []
    const store = await open(disk, {
      segmentBytes: 2 * KIB,
      acceptDamage: true,
      onNote: (line) => notes.push(line),
    })
    expect(notes.join()).toContain('damage accepted at 1 places')
    await settle(store)
    await store.close()
    await open(disk.endProcess(diskOptions()), { segmentBytes: 2 * KIB })
  })

  it('by a missing or shortened segment is noticed', async () => {
    const { disk, paths } = await prepared()
    const missing = disk.copy(diskOptions())
    await missing.remove(paths[0]!)
    expect((await refusal(open(missing, { segmentBytes: 2 * KIB }))).message).toContain(
      'segment 1 is missing',
    )
    const short = disk.copy(diskOptions())
    await (await short.open(paths[0]!, 'write')).truncate(8)
    expect((await refusal(open(short, { segmentBytes: 2 * KIB }))).message).toContain(
      'segment 1 is missing or too short',
    )
    const accepted = await open(short, { segmentBytes: 2 * KIB, acceptDamage: true })
    await accepted.close()
    await open(short, { segmentBytes: 2 * KIB })
  })

  it('at the end of what was never said to last is cut off', async () => {
    const { disk, paths, expected } = await prepared()
    const last = await disk.open(paths.at(-1)!, 'write')
    await last.write(Buffer.from('half an entry that power did not last for'), 0, 41, await last.size())
    const notes: string[] = []
    const store = await open(disk, { segmentBytes: 2 * KIB, onNote: (line) => notes.push(line) })
    expect(notes.join()).toContain('cut 41 bytes of an unfinished write off the end of the log')
    for (let key = 0; key < 12; key++) expect(read(store, key)).toBe(expected[key])
  })
})

describe('deletes', () => {
  it('leave nothing behind once the versions they hid are gone from disk', async () => {
    const disk = new SimulatedDisk(diskOptions())
    const store = await open(disk)
    for (let key = 0; key < 500; key++) write(store, key, `value ${key}`)
    for (let key = 0; key < 500; key++) store.remove(digestOf(key), 0)
    await settle(store)
    for (let key = 500; key < 600; key++) write(store, key, `value ${key}`)
    await settle(store)
    // One for each partition may stay: the last of its sequence.
    expect(store.tombstones).toBeLessThanOrEqual(4)
    expect((await disk.list('/data')).length).toBeLessThan(12)
    const again = await open(disk.losePower(diskOptions()))
    expect(again.objects).toBe(100)
    for (let key = 0; key < 500; key++) expect(read(again, key)).toBeUndefined()
  })

  it('go on counting the partition where it was', async () => {
    const disk = new SimulatedDisk(diskOptions())
    const store = await open(disk)
    for (let round = 0; round < 20; round++) write(store, 4, 'x')
    store.remove(digestOf(4), 0)
    await settle(store)
    const again = await open(disk.losePower(diskOptions()))
    expect(again.nextSequence(0)).toBe(22)
  })
})

describe('flush', () => {
  it('brings to disk what is older than its window, and no write waits for it', async () => {
    const disk = new SimulatedDisk(diskOptions())
    const store = await open(disk, { durability: 'flush' })
    store.runSlice(BEGIN, 1)
    write(store, 1, 'a')
    expect(store.foundPosition).toBe(0)
    for (let wait = 0; wait < 200; wait++) await Promise.resolve()
    expect(store.synced).toBe(0)
    store.runSlice(BEGIN + 101, 1)
    for (let wait = 0; wait < 200; wait++) await Promise.resolve()
    expect(store.synced).toBeGreaterThan(0)
    expect(read(await open(disk.losePower(diskOptions())), 1)).toBe('a')
  })
  it('hands the disk what waits in pieces, so that no call of its threads holds a shared core for long', async () => {
    const disk = new LengthsDisk(diskOptions())
    const store = await open(disk, { durability: 'flush', segmentBytes: 8 * KIB * KIB })
    store.runSlice(BEGIN, 1)
    const value = 'x'.repeat(500 * KIB)
    for (let key = 1; key <= 2; key++) write(store, key, value)
    store.runSlice(BEGIN + 101, 1)
    for (let wait = 0; wait < 400; wait++) await Promise.resolve()
    expect(store.synced).toBeGreaterThan(0)
    expect(disk.lengths.length).toBeGreaterThanOrEqual(4)
    expect(Math.max(...disk.lengths)).toBeLessThanOrEqual(256 * KIB)
    expect(read(await open(disk.losePower(diskOptions()), { segmentBytes: 8 * KIB * KIB }), 2)).toBe(value)
  })
})

/** Notes how much each write hands over. */
class LengthsDisk extends SimulatedDisk {
  readonly lengths: number[] = []

  override async open(path: string, mode: 'create' | 'write' | 'read'): Promise<DiskFile> {
    const file = await super.open(path, mode)
    const write = file.write.bind(file)
    file.write = (source, offset, length, position) => {
      this.lengths.push(length)
      return write(source, offset, length, position)
    }
    return file
  }
}
