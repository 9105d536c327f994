/**
 * What a copy has been through: for each regime in which it was a replica, the last sequence that it applied there
 * (C1 of README.md).
 */
import type { Regime } from './regime.ts'

export type Past = ReadonlyMap<Regime, number>

/**
 * Of regimes in which a copy took part without ever being whole: the regimes that their master's copy had been
 * through. What was written in such a regime came from what was acknowledged in those.
 */
export type Ancestors = ReadonlyMap<Regime, readonly Regime[]>

/** Regimes that a past remembers; of older ones a copy is sent what it may have already. */
const largestPast = 64

export function covers(past: Past, version: { readonly regime: Regime; readonly sequence: number }): boolean {
  return version.sequence <= (past.get(version.regime) ?? -1)
}

/** The past of which no more than this is true of the regime; below 0 = nothing. */
export function cut(past: Past, regime: Regime, end: number): Past {
  const known = past.get(regime)
  if (known === undefined || known <= end) return past
  const left = new Map(past)
  if (end < 0) left.delete(regime)
  else left.set(regime, end)
  return left
}

/** The past of a copy that has taken the other one in. */
export function joined(past: Past, other: Past): Past {
  const both = new Map(past)
  for (const [regime, end] of other) both.set(regime, Math.max(end, both.get(regime) ?? 0))
  if (both.size <= largestPast) return both
  return new Map([...both].sort(([a], [b]) => b - a).slice(0, largestPast))
}
