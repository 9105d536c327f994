import type { RosterControl } from '../cluster/roster-control.ts'

/** Another node, as clients reach it. */
export interface Peer {
  readonly id: string
  /** `host:port` */
  readonly addresses: readonly string[]
}

/** A node of the view with its rack. */
export interface Member {
  readonly id: string
  readonly rack: number
}

/** What this node is for each partition of one namespace. */
export interface Ownership {
  /** 0 in an available namespace; grows with each change of masters in a strong one. */
  readonly regime: number
  /** By replica number (0 = master), in base64: bit p says that this node is that replica of partition p. */
  readonly bitmaps: readonly string[]
}

/** One partition as `partition-info` shows it. */
export interface PartitionFacts {
  readonly partition: number
  readonly replicas: number
  /** Number of this node among the replicas, -1 when it is none. */
  readonly replica: number
  /** Place of this node in the partition's order of nodes. */
  readonly succession: number
  readonly master: string
  /** Other members that hold something of it. */
  readonly duplicates: number
  /** This node's copy is whole, partly filled or not there. */
  readonly state: 'S' | 'D' | 'A'
  readonly emigrates: boolean
  readonly immigrates: boolean
  readonly records: number
}

/** The clocks of the members. */
export interface ClockFacts {
  /** Milliseconds that one may be off; 0 = any. */
  readonly bound: number
  /** Milliseconds between the first and the last. */
  readonly skew: number
  /** Members whose clock is off by more than the bound. */
  readonly outliers: readonly string[]
  /** Versions that came with a time beyond the bound. */
  readonly refusedTimes: number
}

/** The cluster this node is in, as info commands see and change it. */
export interface ClusterState {
  /** False for a node that is alone by its configuration. */
  readonly isClustered: boolean
  /** 48 bits in hex, the same on all members of a view and new with each. */
  readonly key: string
  readonly principal: string
  /** Itself included. */
  readonly members: readonly Member[]
  /** This node acts in the view that `members` speaks of. */
  readonly isSettled: boolean
  /** ms since 1970 */
  readonly rebalancedAt: number
  readonly generations: {
    /** -1 before the first view. Another number when any `ownership` is another. */
    readonly partition: number
    readonly rebalance: number
    readonly peers: number
  }
  readonly clocks: ClockFacts
  /** Where clients reach this node. */
  readonly addresses: readonly string[]
  /** Where other nodes do. */
  readonly meshAddress: string
  readonly peers: readonly Peer[]
  /** All peers there have been since the start. */
  readonly alumni: readonly Peer[]
  /** Of all namespaces, or of one. */
  migrationsRemaining(namespace?: string): number
  ownership(namespace: string): Ownership
  partitions(namespace: string): Iterable<PartitionFacts>
  /** What `namespace/NS` shows instead of what a lone node says. */
  statistics(namespace: string): ReadonlyMap<string, string | number | boolean>
  /** Gives mastership away in the views to come, or takes it again. */
  quiesce(quiesced: boolean): void
  /** Asks for a new view of the same members. */
  recluster(): void
  /** Asks for the node behind a mesh address to join. */
  tip(address: string): void
  readonly rosters: RosterControl | undefined
}
