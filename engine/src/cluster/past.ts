/**
 * What a copy has been through: for each regime in which it was a replica, the last sequence that it applied there
 * (C1 of README.md).
 */
import type { Regime } from './regime.ts'

export type Past = ReadonlyMap<Regime, number>

/** Regimes that a past remembers; of older ones a copy is sent what it may have already. */
const largestPast = 64

export function covers(past: Past, version: { readonly regime: Regime; readonly sequence: number }): boolean {
  return version.sequence <= (past.get(version.regime) ?? -1)
}

/** The past of a copy that has taken the other one in. */
export function joined(past: Past, other: Past): Past {
  const both = new Map(past)
  for (const [regime, end] of other) both.set(regime, Math.max(end, both.get(regime) ?? 0))
  if (both.size <= largestPast) return both
  return new Map([...both].sort(([a], [b]) => b - a).slice(0, largestPast))
}
