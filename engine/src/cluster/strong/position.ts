import type { Regime } from '../regime.ts'

/**
 * Names a write, and the state of a copy that holds everything up to it: the sequence counts within the regime. The
 * number of a regime is enough: two views of one number share no member (V1), so they never activate the same
 * partition (A1).
 */
export interface Position {
  readonly regime: Regime
  readonly sequence: number
}

/** Of what was written before the first view. */
export const firstRegime: Regime = 0

/** Before the first write. */
export const origin: Position = { regime: firstRegime, sequence: 0 }

export function comparePositions(a: Position, b: Position): number {
  return a.regime - b.regime || a.sequence - b.sequence
}

export function laterPosition(a: Position, b: Position): Position {
  return comparePositions(a, b) < 0 ? b : a
}

export function positionText({ regime, sequence }: Position): string {
  return `${regime}/${sequence}`
}
