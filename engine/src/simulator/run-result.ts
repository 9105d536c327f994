export interface RunResult {
  readonly seed: number
  /** What did not hold; empty when all did. */
  readonly violations: readonly string[]
  /** Of everything that happened; equal for equal seeds. */
  readonly checksum: number
  /** What the run did, in numbers, so that a run that tests nothing shows. */
  readonly counts: Readonly<Record<string, number>>
  readonly transcript: string
}
