import type { ConflictPolicy } from '../namespace/namespace-config.ts'
import { type Ancestors, covers, names, type Past } from './past.ts'
import type { Regime } from './regime.ts'

/** One version of a record as it goes between nodes. */
export interface StoredVersion {
  readonly digest: Buffer
  /** In which a master numbered it. */
  readonly regime: Regime
  readonly sequence: number
  readonly deleted: boolean
  /** Of a delete one more than that of the record it deleted. */
  readonly generation: number
  /** Seconds since 2010, 0 = never. */
  readonly voidTime: number
  /** Milliseconds since 1970. */
  readonly lastUpdate: number
  /** Bytes of the name as Latin-1; empty = none. */
  readonly set: string
  readonly key: Buffer
  readonly bins: Buffer
  readonly binCount: number
}

/** A version and the past of the copy that holds it. */
export interface HeldVersion {
  readonly version: StoredVersion
  readonly past: Past
  readonly ancestors: Ancestors
}

/** Whether the first one is kept when two copies hold different versions (C5 of README.md). */
export function wins(rule: ConflictRule, one: HeldVersion, other: HeldVersion): boolean {
  const [a, b] = [one.version, other.version]
  if (covers(other.past, a)) return false
  if (covers(one.past, b)) return true
  // What the other copy's past names it would have, had it been acknowledged.
  const [aNamed, bNamed] = [comesFrom(other, a.regime), comesFrom(one, b.regime)]
  if (aNamed !== bNamed) return bNamed
  return compareVersions(rule, a, b) > 0
}

/**
 * Orders versions of one record by what the namespace goes by: a total order, so that it does not matter in which order
 * copies meet. (time, regime, sequence) is the hybrid logical clock: time never falls from a version to the one that
 * replaces it, regime and sequence always grow, and a regime carries a hash of its leader, so no two sides tie.
 */
export function compareVersions({ policy, latest }: ConflictRule, a: Age, b: Age): number {
  if (policy === 'generation' && a.generation !== b.generation) return a.generation - b.generation
  const [aClaims, bClaims] = [a.lastUpdate <= latest, b.lastUpdate <= latest]
  if (aClaims !== bClaims) return aClaims ? 1 : -1
  return a.lastUpdate - b.lastUpdate || a.regime - b.regime || a.sequence - b.sequence
}

export interface ConflictRule {
  readonly policy: ConflictPolicy
  /** A version with a later time loses against one without (K2). */
  readonly latest: number
}

/** What of a version decides between two that were written apart from each other. */
export type Age = Pick<StoredVersion, 'generation' | 'lastUpdate' | 'regime' | 'sequence'>

/** Whether the version comes from all that was acknowledged in that regime. */
function comesFrom({ version, past, ancestors }: HeldVersion, regime: Regime): boolean {
  return names(past, regime) || (ancestors.get(version.regime)?.includes(regime) ?? false)
}

export function sameVersion(a: StoredVersion, b: StoredVersion): boolean {
  return a.regime === b.regime && a.sequence === b.sequence
}

/** Bytes that it takes on the way, about. */
export function weightOf({ key, bins }: Pick<StoredVersion, 'key' | 'bins'>): number {
  return 64 + key.length + bins.length
}
