/** Causes told apart; beyond them faults are only counted. */
const MAX_CAUSES = 100

/**
 * Exceptions that nobody expected: each is counted, and each cause is told once, with its stack. A cause is the place
 * it was thrown at and the way there, whatever values its message names.
 */
export class FaultLog {
  readonly #note: (line: string) => void
  readonly #causes = new Set<string>()
  count = 0

  constructor(note: (line: string) => void) {
    this.#note = note
  }

  /** `during` says in words what was being done. */
  report(during: string, error: unknown): void {
    this.count++
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    const at = stack.indexOf('\n    at ')
    const cause = at < 0 ? stack : stack.slice(at)
    if (this.#causes.size >= MAX_CAUSES || this.#causes.has(cause)) return
    this.#causes.add(cause)
    this.#note(`Unexpected while working on ${during}; this is a defect of the engine: ${stack}`)
  }
}
