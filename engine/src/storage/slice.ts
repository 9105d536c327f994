/** A stretch of background work that must not keep requests waiting for longer than its budget. */
export class Slice {
  readonly #stopwatch: () => number
  readonly #end: number
  #steps = 0

  /** `stopwatch` counts milliseconds with fractions, from any start. */
  constructor(stopwatch: () => number, budgetMs: number) {
    this.#stopwatch = stopwatch
    this.#end = stopwatch() + budgetMs
  }

  /** Asked after each small step; looks at the time now and then. */
  get isOver(): boolean {
    return (++this.#steps & 7) === 0 && this.#stopwatch() >= this.#end
  }
}
