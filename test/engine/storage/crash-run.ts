import { SimulatedDisk, type SimulatedDiskOptions } from '../../../engine/src/simulator/disk.ts'
import { newDraft, newView } from '../../../engine/src/storage/record.ts'
import { RecordStore } from '../../../engine/src/storage/record-store.ts'

/** One version of a record, as its writer knows it. */
interface Version {
  /** Undefined: deleted. */
  readonly value: string | undefined
  /** Its writer was told that it lasts. */
  isKept: boolean
}

export interface CrashRunOptions {
  readonly seed: number
  readonly durability: 'flush' | 'commit'
  readonly skipsSync?: SimulatedDiskOptions['skipsSync']
  /** Lives of the process, one after the other on the same disk. */
  readonly lives?: number
}

const keys = 12
const stepsPerLife = 120
const flushMs = 40
const begin = 1_800_000_000_000

/** Numbers from 0 to below 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000
  }
}

/**
 * Writes, deletes and truncates on a disk whose power fails at any call, then starts again and looks. Answers what
 * is wrong, or undefined.
 */
export async function crashRun(options: CrashRunOptions): Promise<string | undefined> {
  const run = new CrashRun(options)
  for (let life = 0; life < (options.lives ?? 5); life++) {
    const wrong = await run.live()
    if (wrong !== undefined) return `seed ${options.seed}, life ${life}: ${wrong}`
  }
  return undefined
}

class CrashRun {
  readonly #options: CrashRunOptions
  readonly #random: () => number
  #disk: SimulatedDisk
  #histories: Version[][] = Array.from({ length: keys }, () => [{ value: undefined, isKept: true }])
  #now = begin
  #stoppedClean = false

  constructor(options: CrashRunOptions) {
    this.#options = options
    this.#random = randomOf(options.seed)
    this.#disk = new SimulatedDisk(this.#diskOptions())
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #diskOptions(): SimulatedDiskOptions {
    const mayFail = this.#random() < 0.7
    const callsLeft = mayFail ? 1 + this.#below(this.#below(2) === 0 ? 40 : 260) : undefined
    return { random: this.#random, skipsSync: this.#options.skipsSync, callsLeft }
  }

  async live(): Promise<string | undefined> {
    const opened = await this.#open()
    if (typeof opened === 'string') return opened
    if (opened) {
      const wrong = this.#check(opened)
      if (wrong !== undefined) return wrong
      await this.#work(opened)
    }
    await this.#end(opened)
    return undefined
  }

  /** Undefined when the power failed first. */
  async #open(): Promise<RecordStore | string | undefined> {
    let store: RecordStore | undefined
    let refused: string | undefined
    const files = {
      disk: this.#disk,
      folder: '/data',
      namespace: 'test',
      durability: this.#options.durability,
      flushMs,
      newIncarnation: () => 'one',
    }
    const opening = RecordStore.open({
      clock: () => this.#now,
      stopwatch: () => 0,
      memoryLimit: 1 << 20,
      partitions: 4,
      segmentBytes: 2048,
      idleBytes: 0,
      expiryPeriod: () => 1,
      files,
    })
    opening.then(
      (opened) => (store = opened),
      (error: unknown) => (refused = String(error)),
    )
    while (!store && refused === undefined && !this.#disk.hasFailed) await Promise.resolve()
    if (refused !== undefined) return `cannot be opened: ${refused}`
    if (store && this.#stoppedClean && !store.startedClean) return 'the clean stop left no checkpoint'
    return store
  }

  #check(store: RecordStore): string | undefined {
    const view = newView()
    let alive = 0
    for (let key = 0; key < keys; key++) {
      const found = store.find(digestOf(key), 0, view)
      const value = found ? view.buffer.toString('latin1', view.binsStart, view.binsEnd) : undefined
      if (found) alive++
      const history = this.#histories[key]!
      const kept = history.findLastIndex(({ isKept }) => isKept)
      if (!history.slice(kept).some((version) => version.value === value))
        return `key ${key} is ${value}, kept was ${history[kept]!.value}`
      // Whoever reads it now must find it again.
      this.#histories[key] = [{ value, isKept: true }]
    }
    if (store.objects < alive) return `counts ${store.objects} objects where ${alive} are found`
    return undefined
  }

  async #work(store: RecordStore): Promise<void> {
    const steps = this.#below(stepsPerLife)
    for (let step = 0; step < steps && !this.#disk.hasFailed; step++) {
      this.#now += this.#below(20)
      const chance = this.#below(40)
      if (chance === 0) this.#truncate(store)
      else if (chance < 12) this.#remove(store, this.#below(keys))
      else if (chance < 30) this.#write(store, this.#below(keys))
      store.runSlice(this.#now, 1)
      for (let wait = this.#below(30); wait > 0; wait--) await Promise.resolve()
    }
  }

  /** Cleanly, killed, or without power. */
  async #end(store: RecordStore | undefined): Promise<void> {
    this.#stoppedClean = false
    if (store && !this.#disk.hasFailed && this.#random() < 0.4) {
      let closed = false
      void store.close().then(() => (closed = true))
      while (!closed && !this.#disk.hasFailed) await Promise.resolve()
      this.#stoppedClean = closed
      if (closed) for (const history of this.#histories) history.at(-1)!.isKept = true
    }
    const lost = this.#disk.hasFailed || this.#random() < 0.6
    const options = this.#diskOptions()
    this.#disk = lost ? this.#disk.losePower(options) : this.#disk.endProcess(options)
  }

  #write(store: RecordStore, key: number): void {
    const value = String.fromCharCode(97 + this.#below(26)).repeat(1 + this.#below(300)) + String(this.#now)
    const draft = newDraft()
    draft.digest = digestOf(key)
    draft.generation = 1
    draft.lastUpdate = this.#now
    draft.sequence = store.nextSequence(key & 3)
    draft.setId = store.setId(Buffer.from(`set${key % 3}`), 0, 4, true)
    draft.bins = Buffer.from(value)
    draft.binsEnd = draft.bins.length
    draft.binCount = 1
    store.write(draft)
    this.#note(store, key, value)
  }

  #remove(store: RecordStore, key: number): void {
    if (store.remove(digestOf(key), 0)) this.#note(store, key, undefined)
  }

  #truncate(store: RecordStore): void {
    this.#now++
    store.truncate(0, this.#now)
    for (let key = 0; key < keys; key++) this.#note(store, key, undefined)
  }

  #note(store: RecordStore, key: number, value: string | undefined): void {
    const version: Version = { value, isKept: false }
    this.#histories[key]!.push(version)
    store.whenSynced(store.position, (failed) => {
      if (!failed) version.isKept = true
    })
  }
}

function digestOf(key: number): Buffer {
  const digest = Buffer.alloc(20, key * 37)
  digest[0] = key & 3
  digest[1] = 0
  return digest
}
