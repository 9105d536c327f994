/** Runs writes side by side, a bounded number at a time; the first failure ends the run. */
export class WriteWindow {
  readonly #limit: number
  readonly #underWay = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Starts a write, after waiting for a place. @throws what an earlier write failed with */
  async run(write: () => Promise<unknown>): Promise<void> {
    while (this.#underWay.size >= this.#limit) await Promise.race(this.#underWay)
    if (this.#failure) throw this.#failure.error
    const running: Promise<void> = write().then(
      () => void this.#underWay.delete(running),
      (error: unknown) => {
        this.#failure ??= { error }
        this.#underWay.delete(running)
      },
    )
    this.#underWay.add(running)
  }

  /** Waits for all writes. @throws what the first failed write failed with */
  async drained(): Promise<void> {
    await Promise.all(this.#underWay)
    if (this.#failure) throw this.#failure.error
  }
}
