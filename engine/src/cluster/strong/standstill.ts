/**
 * Notices that this process stood still: meanwhile the others may have gone on without it, and it cannot know (rule L3).
 * One for all partitions of a node.
 */
export class Standstills {
  readonly #limit: number
  #last: number | undefined
  #count = 0

  /** Milliseconds without a tick that count. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** How often so far, as far as anybody has looked. */
  get count(): number {
    return this.#count
  }

  tick(now: number): void {
    this.look(now)
    this.#last = now
  }

  /** How often so far. */
  look(now: number): number {
    if (this.#last !== undefined && now - this.#last > this.#limit) {
      this.#count++
      this.#last = now
    }
    return this.#count
  }
}
