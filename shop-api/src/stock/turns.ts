/** Who waits for one turn, at most; one more is told so, and its customer to try again. */
export const MAX_WAITING_FOR_TURN = 1000

interface Row {
  /** Ends with the last one in it. */
  end: Promise<unknown>
  length: number
}

/**
 * Lets one after the other work on the same thing in this process. It spares needless work and is no promise: other
 * processes are not known.
 */
export class Turns {
  /** By owner, which keeps different stores apart, and by what is worked on. */
  readonly #rows = new WeakMap<object, Map<string, Row>>()

  async take<Result>(owner: object, name: string, work: () => Promise<Result>): Promise<Result | 'full'> {
    const rows = this.#rows.get(owner) ?? new Map<string, Row>()
    this.#rows.set(owner, rows)
    const row = rows.get(name) ?? { end: Promise.resolve(), length: 0 }
    if (row.length > MAX_WAITING_FOR_TURN) return 'full'
    rows.set(name, row)
    row.length++
    const mine = row.end.then(work)
    row.end = mine.catch(() => undefined)
    try {
      return await mine
    } finally {
      row.length--
      if (row.length === 0) rows.delete(name)
    }
  }
}
