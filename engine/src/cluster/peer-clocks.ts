/**
 * How far the clocks of a view's members are apart, and whether this node's is one that the others do not go by (K1 of
 * README.md). Each heartbeat says what its sender's clock shows. A message is late by its way, so of a while's samples
 * the one that is most ahead is the closest; they are kept against the steady clock, so that a jump of this node's own
 * shows at once. Nobody is judged by less than a whole while: what comes after a standstill may have waited for long.
 */
import { compareNodeIds, type NodeId } from './node-id.ts'

export interface PeerClocksOptions {
  readonly self: NodeId
  /** This node's clock, ms since 1970. */
  readonly clock: () => number
  /** Milliseconds by which a clock may differ from most others; 0 = any. */
  readonly bound: number
  /** Milliseconds from which the best sample is taken; several heartbeats. */
  readonly window: number
}

/** What a clock showed when the steady one was at 0, from the samples of this window and the one before. */
interface Samples {
  windowStart: number
  best: number
  /** None yet: not judged. */
  before: number | undefined
}

/** Times are said to be refused in a note of their own no more often than that, in milliseconds. */
const noteSpacing = 60_000

export class PeerClocks {
  readonly #options: PeerClocksOptions
  readonly #samples = new Map<NodeId, Samples>()
  readonly #notes: string[] = []
  #skew = 0
  #outliers: readonly NodeId[] = []
  #isRefused = false
  #refusedTimes = 0
  #nextNote = -Infinity

  constructor(options: PeerClocksOptions) {
    this.#options = options
  }

  get bound(): number {
    return this.#options.bound
  }

  /** Milliseconds between the first and the last clock of the view. */
  get skew(): number {
    return this.#skew
  }

  /** Members whose clock differs by more than the bound from the one in the middle. */
  get outliers(): readonly NodeId[] {
    return this.#outliers
  }

  /** Most members agree, and this node does not with them: it makes no versions. */
  get isRefused(): boolean {
    return this.#isRefused
  }

  /** Versions that came with a time which this node does not believe. */
  get refusedTimes(): number {
    return this.#refusedTimes
  }

  /** The latest time that a version may claim (K2). */
  get latest(): number {
    const { bound, clock } = this.#options
    return bound === 0 ? Infinity : clock() + bound
  }

  /** A version claims a time beyond that. */
  refuse(now: number, time: number): void {
    this.#refusedTimes++
    if (now < this.#nextNote) return
    this.#nextNote = now + noteSpacing
    const ahead = Math.round((time - this.#options.clock()) / 1000)
    this.#notes.push(
      `a record claims a time ${ahead} s ahead of this node's clock; it counts as the older one`,
    )
  }

  /** `now` of the steady clock; `time` as the peer's clock showed when it said so. */
  hear(now: number, from: NodeId, time: number): void {
    const base = time - now
    const known = this.#samples.get(from)
    if (!known || now - known.windowStart > 2 * this.#options.window) {
      this.#samples.set(from, { windowStart: now, best: base, before: undefined })
    } else if (now - known.windowStart > this.#options.window) {
      this.#samples.set(from, { windowStart: now, best: base, before: known.best })
    } else known.best = Math.max(known.best, base)
  }

  /** Looks at the clocks of these members. */
  judge(now: number, members: readonly NodeId[]): void {
    const { self, clock, bound } = this.#options
    const bases = new Map<NodeId, number>([[self, clock() - now]])
    for (const id of members) {
      const known = this.#samples.get(id)
      if (id !== self && known?.before !== undefined) bases.set(id, Math.max(known.best, known.before))
    }
    const sorted = [...bases.values()].sort((a, b) => a - b)
    const middle = sorted[(sorted.length - 1) >> 1]!
    this.#skew = Math.round(sorted[sorted.length - 1]! - sorted[0]!)
    const outliers = [...bases]
      .filter(([, base]) => bound > 0 && Math.abs(base - middle) > bound)
      .map(([id]) => id)
      .sort(compareNodeIds)
    const others = bases.size - outliers.length
    this.#isRefused = others * 2 > bases.size && outliers.includes(self)
    if (outliers.join() !== this.#outliers.join()) this.#note(outliers)
    this.#outliers = outliers
  }

  /** Lines for the person who runs the node, since it was last asked. */
  takeNotes(): string[] {
    return this.#notes.splice(0)
  }

  #note(outliers: readonly NodeId[]): void {
    const { self, bound } = this.#options
    if (outliers.length === 0) return void this.#notes.push('the clocks agree again')
    const whose = this.#isRefused
      ? `this node's clock (${self}); it takes no writes in available namespaces until that is set right`
      : `the clock of ${outliers.join(', ')}; set the clocks right`
    this.#notes.push(`clocks are ${this.#skew} ms apart, ${bound} may be: it is ${whose}`)
  }
}
