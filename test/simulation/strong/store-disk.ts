/**
 * The disk of a schedule over a real store on a simulated device. What the store does with promises happens within the
 * events of the schedule: after each of them all microtasks that are due are run to their end.
 */
import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import type {
  CopyChange,
  CopyDisk,
  CopyMeta,
  Digest,
  Version,
} from '../../../engine/src/cluster/strong/copy-disk.ts'
import type { Lineage } from '../../../engine/src/cluster/strong/lineage.ts'
import type { Position } from '../../../engine/src/cluster/strong/position.ts'
import type { RecordContent } from '../../../engine/src/cluster/strong/record-content.ts'
import { StrongCopies } from '../../../engine/src/cluster/strong/strong-copies.ts'
import type { Truncations } from '../../../engine/src/cluster/strong/truncation.ts'
import { SimulatedDisk, type SimulatedDiskOptions } from '../../../engine/src/simulator/disk.ts'
import { Random } from '../../../engine/src/simulator/random.ts'
import {
  type DiskProcess,
  type ScheduledDisk,
  setOfDigest,
} from '../../../engine/src/simulator/strong-disk.ts'
import { newView } from '../../../engine/src/storage/record.ts'
import { RecordStore } from '../../../engine/src/storage/record-store.ts'
import { readWhole, writeWhole } from '../../../engine/src/storage/whole-file.ts'

const folder = '/data'
const segmentBytes = 4096

setFlagsFromString('--allow-natives-syntax')
/** Works only outside of microtasks. */
const checkpoint: unknown = runInThisContext('() => %PerformMicrotaskCheckpoint()')
const runMicrotasks = (): void => {
  if (typeof checkpoint === 'function') Reflect.apply(checkpoint, undefined, [])
}

/** One life of the process. */
interface Life {
  readonly store: RecordStore
  readonly copies: StrongCopies
  isOver: boolean
}

export class StoreDisk implements ScheduledDisk {
  readonly #process: DiskProcess
  readonly #random: Random
  #device: SimulatedDisk
  #life: Life
  /** Nobody waits for the device: it does all at once. */
  #isQuick = false
  /** Calls that the device works on. */
  readonly #held = new Set<() => void>()
  #now = 0
  syncedMeta: CopyMeta

  constructor(process: DiskProcess, meta: CopyMeta, lineage: Lineage, seed: number) {
    this.#process = process
    this.#random = new Random(seed)
    this.#device = new SimulatedDisk(this.#behaviour())
    this.syncedMeta = meta
    this.#life = this.#open()
    this.apply({ lineage })
    this.keep(meta)
    this.#finish(Promise.all([this.#life.store.flush(), this.#life.copies.flush()]))
  }

  get #copy(): CopyDisk<RecordContent> {
    return this.#life.copies.disk(0)
  }

  get meta(): CopyMeta {
    return this.#copy.meta
  }

  get lineage(): Lineage {
    return this.#copy.lineage
  }

  get horizon(): Position {
    return this.#copy.horizon
  }

  get truncations(): Truncations {
    return this.#copy.truncations
  }

  read(digest: Digest): string | undefined {
    const view = newView()
    const isThere = this.#life.store.find(Buffer.from(longOf(digest), 'latin1'), 0, view)
    return isThere ? view.buffer.toString('utf8', view.binsStart, view.binsEnd) : undefined
  }

  find(digest: Digest): Version<string> | undefined {
    const version = this.#copy.find(longOf(digest))
    return version && { position: version.position, content: version.content?.bins.toString() }
  }

  digestsAbove(point: Position): Digest[] {
    return this.#copy.digestsAbove(point).map(shortOf)
  }

  digestsAfter(digest: Digest | undefined, count: number): Digest[] {
    return this.#copy.digestsAfter(digest === undefined ? undefined : longOf(digest), count).map(shortOf)
  }

  droppable(limit: Position, count: number): Digest[] {
    return this.#copy.droppable(limit, count).map(shortOf)
  }

  apply({ entries, range, ...rest }: CopyChange<string>): void {
    const long = (digest: Digest | undefined) => (digest === undefined ? undefined : longOf(digest))
    this.#copy.apply({
      ...rest,
      ...(range && { range: { after: long(range.after), upTo: long(range.upTo) } }),
      ...(entries && {
        entries: entries.map(
          ([digest, version]) => [longOf(digest), version && realOf(digest, version)] as const,
        ),
      }),
    })
  }

  keep(meta: CopyMeta): void {
    this.#copy.keep(meta)
  }

  whenSynced(file: 'data' | 'meta', done: () => void): void {
    this.#copy.whenSynced(file, done)
    this.#soon()
  }

  syncAll(): void {
    const { copies, store } = this.#life
    this.#finish(copies.close().then(() => store.close()))
    this.#reopen('kill')
  }

  losePower(random: Random): void {
    this.#reopen(random.chance(0.8) ? 'power' : 'kill')
  }

  #reopen(how: 'power' | 'kill'): void {
    this.#life.isOver = true
    this.#held.clear()
    const options = this.#behaviour()
    this.#device = how === 'power' ? this.#device.losePower(options) : this.#device.endProcess(options)
    this.#life = this.#open()
    this.syncedMeta = this.meta
  }

  #open(): Life {
    return this.#finish(this.#openStore())
  }

  async #openStore(): Promise<Life> {
    const device = this.#device
    const store = await RecordStore.open({
      clock: () => this.#now,
      stopwatch: () => this.#now,
      memoryLimit: 1 << 30,
      partitions: 1,
      segmentBytes,
      idleBytes: 0,
      strong: true,
      files: {
        ...{ disk: device, folder, namespace: 'n', durability: 'flush', flushMs: 1000 },
        newIncarnation: () => 'i',
      },
    })
    const life: { current: Life | undefined } = { current: undefined }
    const copies = await StrongCopies.open({
      store,
      partitions: 1,
      file: {
        read: () => readWhole(device, `${folder}/copies`),
        write: async (bytes) => {
          const meta = life.current?.copies.disk(0).meta
          await writeWhole(device, folder, 'copies', bytes)
          if (meta) this.syncedMeta = meta
        },
      },
      turn: (_, run) => {
        if (!life.current?.isOver) this.#process.turn(run)
      },
      onFault: (error) => {
        throw error
      },
    })
    life.current = { store, copies, isOver: false }
    return life.current
  }

  /** What it takes happens now. */
  #finish<T>(work: Promise<T>): T {
    const wasQuick = this.#isQuick
    this.#isQuick = true
    for (const go of this.#held) go()
    this.#held.clear()
    let result: { readonly value: T } | undefined
    let failure = new Error('the device does not answer')
    work.then(
      (value) => (result = { value }),
      (error: unknown) => (failure = error instanceof Error ? error : new Error(String(error))),
    )
    runMicrotasks()
    this.#isQuick = wasQuick
    if (!result) throw failure
    return result.value
  }

  #soon(): void {
    const { store } = this.#life
    this.#process.later(() => {
      this.#now += this.#random.below(400)
      store.runSlice(this.#now, 1)
      runMicrotasks()
    })
  }

  #behaviour(): SimulatedDiskOptions {
    return {
      random: () => this.#random.fraction(),
      before: (call) => {
        if (this.#isQuick || call !== 'sync') return undefined
        return new Promise((resolve) => {
          this.#held.add(resolve)
          this.#process.later(() => {
            this.#held.delete(resolve)
            resolve()
            runMicrotasks()
          })
        })
      },
    }
  }
}

function realOf(digest: Digest, { position, content }: Version<string>): Version<RecordContent> {
  if (content === undefined) return { position, content }
  const facts = { generation: 1, voidTime: 0, lastUpdate: 0, set: setOfDigest(digest), binCount: 1 }
  return { position, content: { ...facts, key: Buffer.alloc(0), bins: Buffer.from(content) } }
}

/** A digest of a schedule is one letter. */
const longOf = (digest: Digest): Digest => '\0\0' + digest.padEnd(18, '\0')
const shortOf = (digest: Digest): Digest => digest.slice(2).replaceAll('\0', '')
