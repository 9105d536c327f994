import type { CopyStore } from './copy-store.ts'
import type { PartitionBody } from './data-message.ts'
import type { MigrationCounters } from './migration-counters.ts'
import type { NodeId } from './node-id.ts'
import type { PeerClocks } from './peer-clocks.ts'
import type { PeerFlow } from './peer-flow.ts'
import { type Ancestors, type Past, regimesWith, withRegime } from './past.ts'
import type { Regime } from './regime.ts'

/** What a node knows of its own copy of a partition. */
export interface Copy {
  /** Of the regimes before the present one. */
  past: Past
  ancestors: Ancestors
  /** The regime in which it takes part in the writes, and how far; none when it only holds what it held. */
  regime: Regime | undefined
  applied: number
  /** Holds all that was acknowledged in the regimes of its past. */
  whole: boolean
  /** Is whole in the present view, too. */
  wholeNow: boolean
}

/** The past with the present regime. */
export function wholePast({ past, regime, applied }: Copy): Past {
  return regime === undefined ? past : withRegime(past, regime, applied)
}

/** The regimes of the whole past. */
export function regimesOf({ past, regime }: Copy): readonly Regime[] {
  return regime === undefined ? past.regimes : regimesWith(past.regimes, regime)
}

/** One partition in one view, as the parts that work on it see it. */
export interface PartitionContext {
  readonly self: NodeId
  readonly partition: number
  readonly regime: Regime
  readonly store: CopyStore
  readonly copy: Copy
  readonly send: (to: NodeId, body: PartitionBody) => void
  readonly flow: PeerFlow
  readonly clocks: PeerClocks
  readonly migrated: MigrationCounters
  /** The copy's past or wholeness is another one; `now` when it says less than before. */
  readonly changed: (save: 'soon' | 'now') => void
  /** The master has something to do when time passes. */
  readonly wake: () => void
  /** The master has made all replicas whole. */
  readonly settled: () => void
}
