/** A process that may stand still, as under SIGSTOP: what comes meanwhile waits, and happens when it goes on. */
export class Standstill {
  #waiting: (() => void)[] | undefined

  get isStill(): boolean {
    return this.#waiting !== undefined
  }

  begin(): void {
    this.#waiting ??= []
  }

  /** Lets everything happen that waited, in its order. */
  end(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    for (const run of waiting ?? []) this.run(run)
  }

  /** The process ended: what waited never happens. */
  forget(): void {
    this.#waiting = undefined
  }

  /** Runs it now, or after the standstill. */
  run(action: () => void): void {
    if (this.#waiting) this.#waiting.push(action)
    else action()
  }
}
