import type { NamespaceTruncation } from './cluster-entrance.ts'
import type { ClusterState } from './cluster-state.ts'
import type { FaultLog } from './fault-log.ts'
import type { Latencies, NodeLatencies } from './latency.ts'
import type { Settings } from './settings.ts'

/** What a node counts over its whole life; shown by `statistics`. */
export interface NodeCounters {
  connectionsOpened: number
  connectionsClosed: number
  /** Cut off because they passed a bound on what may wait. */
  connectionsCutOff: number
  infoRequests: number
  /** Streams that did not begin with a frame. */
  refusedStreams: number
}

/** One set, as `sets` shows it. */
export interface SetState {
  readonly name: string
  readonly objects: number
  readonly tombstones: number
  readonly dataBytes: number
  /** ms since 1970; 0 = never truncated. */
  readonly truncatedAt: number
}

/** One namespace, as info commands see and change it. */
export interface NamespaceState {
  readonly name: string
  /** Settings by their names in get-config, those that can be changed with a check of their own. */
  readonly settings: Settings
  /** Numbers by their names in `namespace/NAME`; those that are missing there are shown as 0. */
  statistics(): ReadonlyMap<string, string | number | boolean>
  sets(): readonly SetState[]
  /** Settings of one set; a set that does not exist yet gets them when it comes. */
  setSettings(set: string): Settings
  /** Hides all records of the set (of all sets without) last updated before `before`, in ms since 1970. The result is the ticket of what has to be synced for this to last. */
  truncate(set: string | undefined, before: number): number
  /** Set where the namespace is strong: it is truncated so, and not by time. */
  readonly strongTruncation: NamespaceTruncation | undefined
  /** Takes back the mark of an earlier truncation. */
  untruncate(set: string | undefined): void
  readonly objects: number
  readonly latencies: Latencies
}

/** The node, as info commands see it. */
export interface NodeState {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly clusterName: string
  readonly cluster: ClusterState
  readonly startedAt: number
  readonly namespaces: readonly NamespaceState[]
  namespace(name: string): NamespaceState | undefined
  readonly settings: Settings
  readonly counters: NodeCounters
  readonly faults: FaultLog
  readonly latencies: NodeLatencies
  readonly userAgents: Map<string, number>
  connections(): number
  /** ms since 1970. */
  clock(): number
}
