import type { CopyStore } from './copy-store.ts'
import type { PartitionBody } from './data-message.ts'
import type { NodeId } from './node-id.ts'
import { type Ancestors, joined, type Past } from './past.ts'
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
  return regime === undefined ? past : joined(past, new Map([[regime, applied]]))
}

/** One partition in one view, as the parts that work on it see it. */
export interface PartitionContext {
  readonly self: NodeId
  readonly partition: number
  readonly regime: Regime
  readonly store: CopyStore
  readonly copy: Copy
  readonly send: (to: NodeId, body: PartitionBody) => void
  /** The copy's past or wholeness is another one. */
  readonly changed: () => void
}
