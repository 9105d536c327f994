/**
 * Where the copy of each partition stands, and how a start finds it again.
 *
 * A write that moves the state says so in its own entry and costs nothing more. Everything else that changes a copy's
 * lineage, state, horizon or truncations writes all of them to the log, as one entry that replaces the last one. So the
 * state is the one of that entry, or that of the highest write of the same regime which moved it. While a copy is being
 * filled its writes move nothing; before the first of them the state is written down, since the entry that it rested on
 * may be replaced and go.
 */
import { type CopyFacts, type Point, readFacts, writeFacts } from './copy-facts.ts'
import { EntryKind } from './entry.ts'
import type { LogEntry } from './log-entry.ts'

/** Numbers of a partition: three points. */
const width = 6
const stateAt = 0
const horizonAt = 2
const highestAt = 4

/** What has changed since it was last written down. */
const stateMoved = 1
const highestRose = 2

export class CopyStates {
  readonly #points: Float64Array
  readonly #epochs: CopyFacts['epochs'][]
  readonly #truncations: CopyFacts['truncations'][]
  readonly #changed: Uint8Array
  /** Where the log says it; 0 = nowhere. */
  readonly #places: Int32Array
  readonly #append: ((entry: LogEntry, before: number) => number) | undefined
  /** While the log is read: the highest write of each partition that moved its state. */
  #moves: Float64Array | undefined

  /** `append` puts an entry in place of the one at `before`, if not 0; there is none without files. */
  constructor(partitions: number, append: ((entry: LogEntry, before: number) => number) | undefined) {
    this.#points = new Float64Array(partitions * width)
    this.#epochs = new Array<CopyFacts['epochs']>(partitions).fill([])
    this.#truncations = new Array<CopyFacts['truncations']>(partitions).fill([])
    this.#changed = new Uint8Array(partitions)
    this.#places = new Int32Array(partitions)
    this.#append = append
  }

  get partitions(): number {
    return this.#changed.length
  }

  factsOf(partition: number): CopyFacts {
    return {
      epochs: this.#epochs[partition]!,
      state: this.#point(partition, stateAt),
      horizon: this.#point(partition, horizonAt),
      truncations: this.#truncations[partition]!,
      highest: this.#point(partition, highestAt),
    }
  }

  epochsOf(partition: number): CopyFacts['epochs'] {
    return this.#epochs[partition]!
  }

  stateOf(partition: number): Point {
    return this.#point(partition, stateAt)
  }

  horizonOf(partition: number): Point {
    return this.#point(partition, horizonAt)
  }

  truncationsOf(partition: number): CopyFacts['truncations'] {
    return this.#truncations[partition]!
  }

  isState(partition: number, regime: number, sequence: number): boolean {
    return this.#order(partition * width + stateAt, regime, sequence) === 0
  }

  /** Whether a truncation hides the version of a record of this set. */
  hides(partition: number, setId: number, regime: number, sequence: number): boolean {
    for (const { setId: of, position } of this.#truncations[partition]!) {
      if (of !== 0 && of !== setId) continue
      if (regime < position.regime || (regime === position.regime && sequence <= position.sequence))
        return true
    }
    return false
  }

  /** Whether a version above the point may be there. */
  reaches(partition: number, { regime, sequence }: Point): boolean {
    return this.#order(partition * width + highestAt, regime, sequence) < 0
  }

  /** A version was put; its entry says whether it moved the state. */
  put(partition: number, regime: number, sequence: number, advances: boolean): void {
    if (advances) {
      this.#set(partition * width + stateAt, regime, sequence)
      this.#changed[partition]! |= stateMoved
    }
    this.#raise(partition, regime, sequence)
  }

  /** Changes what is named and writes all of it down. */
  note(partition: number, facts: Partial<CopyFacts>): void {
    this.#take(partition, { ...this.factsOf(partition), ...facts })
    this.#write(partition)
  }

  /** Writes the state down, unless the log says it by itself. */
  pin(partition: number): void {
    if (this.#changed[partition]! & stateMoved) this.#write(partition)
  }

  /** Writes down what a start would otherwise have to read the log for. */
  pinAll(): void {
    for (let partition = 0; partition < this.partitions; partition++)
      if (this.#changed[partition] !== 0) this.#write(partition)
  }

  /** Takes over what a log entry says; of one partition the last entry holds. */
  replay(entry: LogEntry, place: number): void {
    if (entry.kind !== EntryKind.COPY) return
    this.#places[entry.partition] = place
    const at = entry.partition * width + highestAt
    // Versions that the entry does not know of.
    const [regime, sequence] = [this.#points[at]!, this.#points[at + 1]!]
    this.#take(entry.partition, readFacts(entry.facts))
    this.#raise(entry.partition, regime, sequence)
  }

  /** Heeds a version that the log holds, the newest of its record or not. */
  replayVersion(partition: number, regime: number, sequence: number, advances: boolean): void {
    this.#raise(partition, regime, sequence)
    if (!advances) return
    const moves = (this.#moves ??= new Float64Array(this.partitions * 2))
    const to = partition * 2
    if (regime < moves[to]! || (regime === moves[to] && sequence <= moves[to + 1]!)) return
    moves[to] = regime
    moves[to + 1] = sequence
  }

  /** To be called when all of the log was replayed. */
  settle(): void {
    const moves = this.#moves
    this.#moves = undefined
    for (let partition = 0; moves && partition < this.partitions; partition++) {
      const [regime, sequence] = [moves[partition * 2]!, moves[partition * 2 + 1]!]
      const at = partition * width + stateAt
      if (regime !== this.#points[at] || sequence <= this.#points[at + 1]!) continue
      this.#points[at + 1] = sequence
      this.#changed[partition]! |= stateMoved
    }
  }

  /** Whether the entry at `place` is still needed; `moved` notes its new place when it is. */
  isNeeded(entry: LogEntry, place: number): boolean {
    return entry.kind === EntryKind.COPY && this.#places[entry.partition] === place
  }

  moved(entry: LogEntry, place: number): void {
    if (entry.kind === EntryKind.COPY) this.#places[entry.partition] = place
  }

  get places(): readonly number[] {
    return [...this.#places]
  }

  #write(partition: number): void {
    this.#changed[partition] = 0
    if (!this.#append) return
    const facts = writeFacts(this.factsOf(partition))
    const entry: LogEntry = { kind: EntryKind.COPY, partition, facts }
    this.#places[partition] = this.#append(entry, this.#places[partition]!)
  }

  #take(partition: number, { epochs, state, horizon, truncations, highest }: CopyFacts): void {
    const at = partition * width
    this.#epochs[partition] = epochs
    this.#truncations[partition] = truncations
    this.#set(at + stateAt, state.regime, state.sequence)
    this.#set(at + horizonAt, horizon.regime, horizon.sequence)
    this.#set(at + highestAt, highest.regime, highest.sequence)
    this.#changed[partition] = 0
  }

  #raise(partition: number, regime: number, sequence: number): void {
    const at = partition * width + highestAt
    if (this.#order(at, regime, sequence) <= 0) return
    this.#set(at, regime, sequence)
    this.#changed[partition]! |= highestRose
  }

  #set(at: number, regime: number, sequence: number): void {
    this.#points[at] = regime
    this.#points[at + 1] = sequence
  }

  #point(partition: number, which: number): Point {
    const at = partition * width + which
    return { regime: this.#points[at]!, sequence: this.#points[at + 1]! }
  }

  /** Above 0 when the given one is above what is kept at `at`. */
  #order(at: number, regime: number, sequence: number): number {
    return regime - this.#points[at]! || sequence - this.#points[at + 1]!
  }
}
