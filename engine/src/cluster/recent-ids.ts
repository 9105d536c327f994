/** Tells ids that were seen before, for as long as a repeated message can be under way. */
export class RecentIds {
  readonly #period: number
  #now = new Set<string>()
  #before = new Set<string>()
  #turnAt = -Infinity

  /** `period` in milliseconds: an id is known for at least so long, and at most for twice as long. */
  constructor(period: number) {
    this.#period = period
  }

  /** Whether the id is new; from now on it is not. */
  add(now: number, id: string): boolean {
    if (now >= this.#turnAt) {
      this.#turnAt = now + this.#period
      this.#before = this.#now
      this.#now = new Set()
    }
    if (this.#now.has(id) || this.#before.has(id)) return false
    this.#now.add(id)
    return true
  }
}
