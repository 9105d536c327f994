/**
 * What a copy has been through (rule F1): the regimes whose writes it holds, each with the state it began from. The end
 * of a regime is where the next one began, or the copy's state. Two copies are equal up to their common point, since
 * within a regime every copy is a prefix of the same writes.
 */
import type { Regime } from '../regime.ts'
import { firstRegime, origin, type Position } from './position.ts'

export interface Epoch {
  readonly regime: Regime
  readonly start: Position
}

export interface Lineage {
  /** In the order of regimes; empty for a copy that has never been complete. */
  readonly epochs: readonly Epoch[]
  readonly state: Position
}

/** Of a copy that was there when the namespace began. */
export const firstLineage: Lineage = { epochs: [{ regime: firstRegime, start: origin }], state: origin }

/** Of a blank copy. */
export const noLineage: Lineage = { epochs: [], state: origin }

/**
 * Epochs that a copy remembers; one whose common point is older is filled as if it were blank. Fewer are enough where
 * all that the roster makes replicas are complete, since only a copy that is none would need an older one; every view
 * writes and reports what is kept.
 */
const keptEpochs = { whole: 8, partial: 64 }

/** The last sequence of that regime which the copy holds. */
function endIn({ epochs, state }: Lineage, regime: Regime): number | undefined {
  for (let i = epochs.length - 1; i >= 0; i--) {
    if (epochs[i]!.regime === regime) return (epochs[i + 1]?.start ?? state).sequence
  }
  return undefined
}

/** In the newest regime that both hold, the lower of the two ends. */
export function commonPoint(a: Lineage, b: Lineage): Position | undefined {
  for (let i = a.epochs.length - 1; i >= 0; i--) {
    const { regime } = a.epochs[i]!
    const [endA, endB] = [endIn(a, regime), endIn(b, regime)]
    if (endA !== undefined && endB !== undefined) return { regime, sequence: Math.min(endA, endB) }
  }
  return undefined
}

/** Whether a copy with this lineage holds the write. */
export function holds(lineage: Lineage, { regime, sequence }: Position): boolean {
  return (endIn(lineage, regime) ?? -1) >= sequence
}

/**
 * The lineage of a copy at the start of a regime. A regime in which nothing was written says nothing. `isWhole`: all that
 * the roster makes replicas are complete.
 */
export function begun({ epochs, state }: Lineage, regime: Regime, isWhole = false): Lineage {
  const last = epochs.at(-1)
  const isEmpty = last !== undefined && state.sequence === 0 && state.regime === last.regime
  const epoch = { regime, start: isEmpty ? last.start : state }
  const kept = isEmpty ? epochs.slice(0, -1) : epochs
  return {
    epochs: [...kept.slice(1 - keptEpochs[isWhole ? 'whole' : 'partial']), epoch],
    state: { regime, sequence: 0 },
  }
}
