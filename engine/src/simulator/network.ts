/**
 * A network that delays, loses, repeats and reorders, and whose links can be cut one way. Every fate comes from the
 * run's chance; messages that are under way when a link is cut still arrive.
 */
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'

export interface NetworkFaults {
  /** Longest delay in milliseconds; the shortest is a tenth of a millisecond. */
  delay: number
  /** Probabilities. */
  loss: number
  repeat: number
}

export const calmNetwork: NetworkFaults = { delay: 2, loss: 0, repeat: 0 }

/** The ways a network is split; each gives for a pair of node places whether the first still reaches the second. */
export const splitShapes = ['halves', 'one-way', 'bridge', 'ring', 'isolate', 'random'] as const
export type SplitShape = (typeof splitShapes)[number]

export class Network<Message> {
  readonly #clock: Clock
  readonly #random: Random
  readonly #deliver: (from: string, to: string, message: Message) => void
  readonly #cuts = new Set<string>()
  readonly #tally: Tally | undefined
  /** When the last message of a link that has been sent so far arrives. */
  readonly #lastArrival = new Map<string, number>()
  faults: NetworkFaults = { ...calmNetwork }

  /** What becomes of messages is counted where there is a tally. */
  constructor(
    clock: Clock,
    random: Random,
    deliver: (from: string, to: string, message: Message) => void,
    tally?: Tally,
  ) {
    this.#clock = clock
    this.#random = random
    this.#deliver = deliver
    this.#tally = tally
  }

  send(from: string, to: string, message: Message): void {
    const link = `${from}>${to}`
    if (this.#cuts.has(link)) return this.#tally?.add('message cut off')
    if (this.#random.chance(this.faults.loss)) return this.#tally?.add('message lost')
    const copies = this.#random.chance(this.faults.repeat) ? 2 : 1
    if (copies > 1) this.#tally?.add('message repeated')
    for (let i = 0; i < copies; i++) {
      const delay = this.#random.between(0.1, this.faults.delay)
      if (this.#tally) this.#noteOrder(this.#tally, link, this.#clock.now + delay)
      this.#clock.after(delay, () => this.#deliver(from, to, message))
    }
  }

  #noteOrder(tally: Tally, link: string, arrival: number): void {
    const last = this.#lastArrival.get(link) ?? 0
    if (arrival < last) tally.add('message overtaken')
    else this.#lastArrival.set(link, arrival)
  }

  reaches(from: string, to: string): boolean {
    return !this.#cuts.has(`${from}>${to}`)
  }

  heal(): void {
    this.#cuts.clear()
  }

  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`)
  }

  /** Both ways. */
  join(a: string, b: string): void {
    this.#cuts.delete(`${a}>${b}`)
    this.#cuts.delete(`${b}>${a}`)
  }

  split(shape: SplitShape, nodes: readonly string[]): void {
    const order = this.#random.shuffle(nodes)
    const half = 1 + this.#random.below(Math.max(1, order.length - 1))
    for (const [a, from] of order.entries()) {
      for (const [b, to] of order.entries()) {
        if (a !== b && this.#isCut(shape, { a, b, half, count: order.length })) this.cut(from, to)
      }
    }
  }

  #isCut(shape: SplitShape, at: { a: number; b: number; half: number; count: number }): boolean {
    const { a, b, half, count } = at
    switch (shape) {
      case 'halves':
        return a < half !== b < half
      case 'one-way':
        return a < half && b >= half
      case 'bridge':
        return a !== 0 && b !== 0 && a < half !== b < half
      case 'ring':
        return (a + 1) % count !== b && (b + 1) % count !== a
      case 'isolate':
        return a === 0 || b === 0
      case 'random':
        return this.#random.chance(0.3)
    }
  }
}
