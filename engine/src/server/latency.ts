/** Kinds of requests that have a histogram of their own, by their names in `latencies:`. */
export const latencyKinds = [
  'read',
  'write',
  'udf',
  'batch-sub-read',
  'batch-sub-write',
  'batch-sub-udf',
  'pi-query',
  'si-query',
] as const
export type LatencyKind = (typeof latencyKinds)[number]

/** Sub-buckets per doubling: percentiles are right to a quarter. */
const STEPS = 4
/** From 1 µs to about 67 s. */
const DOUBLINGS = 26
const BUCKETS = DOUBLINGS * STEPS + 1
const WINDOW_MS = 10_000

/**
 * Counts of requests by how long they took, in buckets that grow by a quarter of a doubling. Two windows of ten
 * seconds: the one being filled and the last whole one, which answers.
 */
export class LatencyHistogram {
  #counts = new Float64Array(BUCKETS)
  #last = new Float64Array(BUCKETS)
  #windowStart = 0
  #lastMs = WINDOW_MS
  /** Requests ever counted. */
  total = 0

  add(micros: number, count: number, now: number): void {
    if (now - this.#windowStart >= WINDOW_MS) this.#turn(now)
    this.#counts[bucketOf(micros)]! += count
    this.total += count
  }

  /** Requests a second in the last window. */
  perSecond(now: number): number {
    return (this.#sum(now) * 1000) / this.#lastMs
  }

  /** Percentage of requests of the last window that took longer than `micros`. */
  slowerThan(micros: number, now: number): number {
    const sum = this.#sum(now)
    if (sum === 0) return 0
    let slower = 0
    for (let i = bucketOf(micros) + 1; i < BUCKETS; i++) slower += this.#last[i]!
    return (slower * 100) / sum
  }

  /** The time in µs that `share` (0 to 1) of the requests of both windows did not exceed. */
  percentile(share: number, now: number): number {
    let sum = this.#sum(now)
    for (const count of this.#counts) sum += count
    const wanted = sum * share
    let seen = 0
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#last[i]! + this.#counts[i]!
      if (seen > 0 && seen >= wanted) return 2 ** (i / STEPS)
    }
    return 0
  }

  #sum(now: number): number {
    if (now - this.#windowStart >= WINDOW_MS) this.#turn(now)
    let sum = 0
    for (const count of this.#last) sum += count
    return sum
  }

  #turn(now: number): void {
    const passed = now - this.#windowStart
    const filled = this.#last
    this.#last = this.#counts
    this.#counts = filled.fill(0)
    // After a silence the window before this one is empty too.
    if (passed >= 2 * WINDOW_MS) this.#last.fill(0)
    this.#lastMs = passed < 2 * WINDOW_MS ? passed : WINDOW_MS
    this.#windowStart = now
  }
}

function bucketOf(micros: number): number {
  if (micros <= 1) return 0
  return Math.min(BUCKETS - 1, Math.ceil(Math.log2(micros) * STEPS))
}

/** How long things took that belong to no namespace. */
export class NodeLatencies {
  /** Batches, from the first row to the last, turns of others included. */
  readonly batch = new LatencyHistogram()
  /** Answers held for the disk, those that went out together counted once. */
  readonly commitWait = new LatencyHistogram()
}

/** The histograms of one namespace. */
export class Latencies {
  readonly #kinds = new Map<LatencyKind, LatencyHistogram>(
    latencyKinds.map((kind) => [kind, new LatencyHistogram()]),
  )

  /** The two that every request asks for. */
  readonly read = this.of('read')
  readonly write = this.of('write')

  of(kind: LatencyKind): LatencyHistogram {
    return this.#kinds.get(kind)!
  }
}
