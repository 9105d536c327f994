/**
 * Confirms reads without a clock (rules L1, L2). All reads that came since the last tick share a round: their answers
 * are taken as the question leaves, and given when every other complete replica has said that it is still in this view.
 */
import { processKey, type Process } from '../process.ts'

interface Round {
  readonly id: number
  readonly answers: readonly (() => void)[]
  readonly missing: Map<string, Process>
}

export class Confirmation {
  readonly #ask: (to: Process, round: number) => void
  /** Each takes the answer and hands back how to give it. */
  #waiting: (() => () => void)[] = []
  #rounds: Round[] = []
  #last = 0

  constructor(ask: (to: Process, round: number) => void) {
    this.#ask = ask
  }

  add(read: () => () => void): void {
    this.#waiting.push(read)
  }

  /** Begins a round for the reads that wait. */
  begin(others: readonly Process[]): void {
    if (this.#waiting.length === 0) return
    const answers = this.#waiting.map((read) => read())
    this.#waiting = []
    const missing = new Map(others.map((process) => [processKey(process), process]))
    this.#rounds.push({ id: ++this.#last, answers, missing })
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

  #end(): void {
    while (this.#rounds.length > 0 && this.#rounds[0]!.missing.size === 0) {
      for (const answer of this.#rounds.shift()!.answers) answer()
    }
  }
}
