/**
 * Confirms reads without a clock (rules L1, L2). All that came since the last tick share a round; they go on when every
 * other complete replica has said, after it was asked, that it is still in this view.
 */
import { processKey, type Process } from '../process.ts'

/** One of the two is called, once. */
export interface Waiter {
  go(): void
  /** The view is over. */
  refuse(): void
}

interface Round {
  readonly id: number
  readonly waiters: readonly Waiter[]
  readonly missing: Map<string, Process>
}

export class Confirmation {
  readonly #ask: (to: Process, round: number) => void
  #waiting: Waiter[] = []
  #rounds: Round[] = []
  #last = 0

  constructor(ask: (to: Process, round: number) => void) {
    this.#ask = ask
  }

  /** Nobody waits. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#rounds.length === 0
  }

  /** Somebody waits for a round that has not begun. */
  get isAsked(): boolean {
    return this.#waiting.length > 0
  }

  add(waiter: Waiter): void {
    this.#waiting.push(waiter)
  }

  /** Begins a round for those who wait. */
  begin(others: readonly Process[]): void {
    if (this.#waiting.length === 0) return
    const missing = new Map(others.map((process) => [processKey(process), process]))
    this.#rounds.push({ id: ++this.#last, waiters: this.#waiting, missing })
    this.#waiting = []
    for (const process of others) this.#ask(process, this.#last)
    this.#end()
  }

  /** A later yes is a yes to all earlier questions. */
  confirmed(from: Process, round: number): void {
    for (const { id, missing } of this.#rounds) if (id <= round) missing.delete(processKey(from))
    this.#end()
  }

  /** Asks again whoever has not answered. */
  repeat(): void {
    const missing = new Map(this.#rounds.flatMap((round) => [...round.missing]))
    for (const process of missing.values()) this.#ask(process, this.#last)
  }

  leave(): void {
    const waiters = [...this.#rounds.flatMap((round) => round.waiters), ...this.#waiting]
    this.#rounds = []
    this.#waiting = []
    for (const waiter of waiters) waiter.refuse()
  }

  #end(): void {
    while (this.#rounds.length > 0 && this.#rounds[0]!.missing.size === 0) {
      for (const waiter of this.#rounds.shift()!.waiters) waiter.go()
    }
  }
}
