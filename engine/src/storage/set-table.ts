import { sameBytes } from '../values/byte-equality.ts'
import { NO_TIME } from '../values/no-time.ts'
import type { Slice } from '../values/particle.ts'
import { EntryKind } from './entry.ts'
import type { LogEntry } from './log-entry.ts'
import type { RecordView } from './record.ts'

/** One set, by its id. Id 0 stands for records without a set. */
export interface StoredSet {
  readonly name: Slice
  objects: number
  bytes: number
  /** Records last updated before this are gone; ms since 1970. */
  truncateBefore: number
  /** Where the log names the set and its truncation; 0 = nowhere. */
  namedAt: number
  truncatedAt: number
}

/** A truncation that one entry of the log may supersede. */
export interface Truncation {
  before: number
  order: number
  place: number
}

/** All of the table but its functions, as a checkpoint keeps it. */
export interface SetFacts {
  readonly order: number
  readonly all: Truncation
  readonly sets: readonly {
    /** latin1. */
    readonly name: string
    readonly objects: number
    readonly bytes: number
    readonly truncateBefore: number
    readonly order: number
    readonly namedAt: number
    readonly truncatedAt: number
  }[]
}

/** Keeps a set's name or truncation in the log, instead of what stands at `before` if not 0; answers its place. */
export type AppendSetEntry = (entry: LogEntry, before: number) => number

/** The sets of a namespace: names and ids, what each holds, and truncations. */
export class SetTable {
  readonly sets: StoredSet[] = [newSet(Buffer.alloc(0))]
  readonly #ids = new Map<string, number>()
  readonly #append: AppendSetEntry | undefined
  /** The set that was asked for last; most requests in a row name the same one. */
  #last = 0
  #order = 0
  /** Records of any set last updated before `before` are gone. */
  readonly all: Truncation = { before: NO_TIME, order: 0, place: 0 }
  readonly #orders = new Map<number, number>()

  /** `append` is there where there are files. */
  constructor(append?: AppendSetEntry) {
    this.#append = append
  }

  /** Id of a set by its name; 0 when it is not there and not to be made. */
  idOf(name: Buffer, start: number, end: number, create: boolean): number {
    if (end <= start) return 0
    if (sameBytes(name, start, end, this.sets[this.#last]!.name)) return this.#last
    const text = name.toString('latin1', start, end)
    const known = this.#ids.get(text)
    if (known !== undefined || !create) return (this.#last = known ?? 0)
    const id = this.sets.length
    const bytes = Buffer.from(name.subarray(start, end))
    this.#enter(id, bytes)
    this.sets[id]!.namedAt = this.#append?.({ kind: EntryKind.SET, setId: id, name: bytes }, 0) ?? 0
    this.#last = id
    return id
  }

  isTruncated({ lastUpdate, setId }: Pick<RecordView, 'lastUpdate' | 'setId'>): boolean {
    return lastUpdate < this.all.before || lastUpdate < this.sets[setId]!.truncateBefore
  }

  /** Whether any truncation holds, so that a pass may find records to take out. */
  get anyTruncated(): boolean {
    return this.all.before > 0 || this.sets.some(({ truncateBefore }) => truncateBefore > 0)
  }

  /** The latest moment that any truncation names. */
  get latestTruncation(): number {
    return this.sets.reduce((latest, set) => Math.max(latest, set.truncateBefore), this.all.before)
  }

  truncate(setId: number, before: number): void {
    if (before > this.#before(setId)) this.#setBefore(setId, before)
  }

  untruncate(setId: number): void {
    if (this.#before(setId) > 0) this.#setBefore(setId, 0)
  }

  /** Takes over what a log entry says. */
  replay(entry: LogEntry, place: number): void {
    if (entry.kind === EntryKind.SET) {
      this.#enter(entry.setId, entry.name)
      this.sets[entry.setId]!.namedAt = place
    } else if (entry.kind === EntryKind.TRUNCATE) {
      const { setId, before, order } = entry
      if (!this.sets[setId]) this.#enter(setId, lostName(setId))
      this.#order = Math.max(this.#order, order)
      if (order < (this.#orders.get(setId) ?? 0)) return
      this.#orders.set(setId, order)
      this.#keep(setId, before, place)
    }
  }

  /** Whether the entry at `place` is still needed; `moved` notes its new place when it is. */
  isNeeded(entry: LogEntry, place: number): boolean {
    if (entry.kind === EntryKind.SET) return this.sets[entry.setId]?.namedAt === place
    if (entry.kind !== EntryKind.TRUNCATE) return false
    return entry.setId === 0 ? this.all.place === place : this.sets[entry.setId]?.truncatedAt === place
  }

  moved(entry: LogEntry, place: number): void {
    if (entry.kind === EntryKind.SET) this.sets[entry.setId]!.namedAt = place
    else if (entry.kind === EntryKind.TRUNCATE)
      if (entry.setId === 0) this.all.place = place
      else this.sets[entry.setId]!.truncatedAt = place
  }

  count(setId: number, objects: number, bytes: number): void {
    const set = this.sets[setId]!
    set.objects += objects
    set.bytes += bytes
  }

  /** Gives sets that records name but the log does not a name of their own; answers how many there were. */
  nameLost(highest: number): number {
    let lost = 0
    for (let id = 1; id <= highest; id++)
      if (!this.sets[id]) {
        this.#enter(id, lostName(id))
        lost++
      }
    return lost
  }

  /** `placed` says what a place is called in the checkpoint. */
  facts(placed: (place: number) => number): SetFacts {
    return {
      order: this.#order,
      all: { ...this.all, place: placed(this.all.place) },
      sets: this.sets.map(({ name, objects, bytes, truncateBefore, namedAt, truncatedAt }, id) => ({
        name: name.buffer.toString('latin1', name.start, name.end),
        objects,
        bytes,
        truncateBefore,
        order: this.#orders.get(id) ?? 0,
        namedAt: placed(namedAt),
        truncatedAt: placed(truncatedAt),
      })),
    }
  }

  restore({ order, all, sets }: SetFacts): void {
    this.#order = order
    Object.assign(this.all, all)
    for (const [id, { name, order: own, ...rest }] of sets.entries()) {
      if (id > 0) this.#enter(id, Buffer.from(name, 'latin1'))
      Object.assign(this.sets[id]!, rest)
      if (own > 0) this.#orders.set(id, own)
    }
  }

  #enter(id: number, name: Buffer): void {
    const known = this.sets[id]
    if (known) return
    this.sets[id] = newSet(name)
    this.#ids.set(name.toString('latin1'), id)
  }

  #before(setId: number): number {
    return setId === 0 ? this.all.before : this.sets[setId]!.truncateBefore
  }

  #setBefore(setId: number, before: number): void {
    const order = ++this.#order
    this.#orders.set(setId, order)
    const entry: LogEntry = { kind: EntryKind.TRUNCATE, setId, before, order }
    const last = setId === 0 ? this.all.place : this.sets[setId]!.truncatedAt
    this.#keep(setId, before, this.#append?.(entry, last) ?? 0)
  }

  #keep(setId: number, before: number, place: number): void {
    if (setId === 0) {
      this.all.before = before
      this.all.place = place
    } else {
      this.sets[setId]!.truncateBefore = before
      this.sets[setId]!.truncatedAt = place
    }
  }
}

const lostName = (id: number): Buffer => Buffer.from(`lost-${id}`)

const newSet = (name: Buffer): StoredSet => ({
  name: { buffer: name, start: 0, end: name.length },
  objects: 0,
  bytes: 0,
  truncateBefore: NO_TIME,
  namedAt: 0,
  truncatedAt: 0,
})
