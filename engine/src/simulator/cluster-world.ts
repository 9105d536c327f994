import type { ClusterMessage } from '../cluster/cluster-node.ts'
import type { Process } from '../cluster/process.ts'
import type { ConflictPolicy } from '../namespace/namespace-config.ts'
import type { Clock } from './clock.ts'
import type { MapWitness } from './map-witness.ts'
import type { MembershipWitness } from './membership-witness.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'

export interface ClusterParcel {
  readonly from: Process
  readonly message: ClusterMessage
}

export type Durability = 'none' | 'flush' | 'commit'

/** What all nodes of a simulated cluster share. */
export interface ClusterWorld {
  readonly clock: Clock
  readonly random: Random
  readonly network: Network<ClusterParcel>
  readonly witness: MembershipWitness
  readonly maps: MapWitness
  readonly ids: readonly string[]
  readonly partitions: number
  readonly durability: Durability
  /** The namespace is strong. */
  readonly isStrong: boolean
  readonly conflictPolicy: ConflictPolicy
  /** Milliseconds by which clocks may differ; 0 = any. */
  readonly clockBound: number
  readonly tally: Tally
  readonly say: (node: string, text: string) => void
  /** Something that must hold does not. */
  readonly violate: (text: string) => void
  /** Tells the others within that many milliseconds that no process listens there. */
  readonly refuse: (node: string, within: number) => void
  /** Disks have something to do after this event. */
  readonly wakeDisks: () => void
}

export const namespaceName = 'test'
/** Milliseconds. */
export const beatInterval = 100
export const beatTimeout = 600
/** What simulated time 0 is, in ms since 1970. */
export const epoch = 1_790_000_000_000
