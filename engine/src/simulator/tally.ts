/** What really happened in a run, by name, so that a run that tests nothing shows. */
export class Tally {
  readonly #counts = new Map<string, number>()

  add(name: string, times = 1): void {
    this.#counts.set(name, this.count(name) + times)
  }

  count(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  /** In the order of their names, so that equal runs print equal texts. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
