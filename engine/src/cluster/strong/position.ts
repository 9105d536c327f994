import { compareViewIds, noView, sameView, viewKey, type ViewId } from '../view-id.ts'

/** Names a write, and the state of a copy that holds everything up to it: the sequence counts within the regime. */
export interface Position {
  readonly regime: ViewId
  readonly sequence: number
}

/** Before the first write. */
export const origin: Position = { regime: noView, sequence: 0 }

export function comparePositions(a: Position, b: Position): number {
  return compareViewIds(a.regime, b.regime) || a.sequence - b.sequence
}

export function samePosition(a: Position, b: Position): boolean {
  return a.sequence === b.sequence && sameView(a.regime, b.regime)
}

export function laterPosition(a: Position, b: Position): Position {
  return comparePositions(a, b) < 0 ? b : a
}

export function positionText({ regime, sequence }: Position): string {
  return `${viewKey(regime)}/${sequence}`
}
