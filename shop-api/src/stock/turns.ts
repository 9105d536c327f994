/**
 * Lets one after the other work on the same thing in this process. It spares needless work and is no promise: other
 * processes are not known.
 */
export class Turns {
  /** The end of the last one in each row; by owner, which keeps different stores apart. */
  readonly #rows = new WeakMap<object, Map<string, Promise<unknown>>>()

  async take<Result>(owner: object, name: string, work: () => Promise<Result>): Promise<Result> {
    const rows = this.#rows.get(owner) ?? new Map<string, Promise<unknown>>()
    this.#rows.set(owner, rows)
    const mine = (rows.get(name) ?? Promise.resolve()).then(work)
    const end = mine.catch(() => undefined)
    rows.set(name, end)
    try {
      return await mine
    } finally {
      if (rows.get(name) === end) rows.delete(name)
    }
  }
}
