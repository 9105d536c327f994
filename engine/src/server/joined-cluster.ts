/**
 * The cluster of a clustered node, as info commands see it: what it was when this node last began to serve in a view.
 * Between two views that is still what is told, as unsettled, since clients go on with it until there is a new one.
 */
import { createHash } from 'node:crypto'
import type { ApNamespace } from '../cluster/ap-namespace.ts'
import type { ClusterNode, ViewInput } from '../cluster/cluster-node.ts'
import type { Place } from '../cluster/partition-map.ts'
import type { RosterControl } from '../cluster/roster-control.ts'
import type { RecordContent } from '../cluster/strong/record-content.ts'
import type { StrongNamespace } from '../cluster/strong/strong-namespace.ts'
import { viewKey } from '../cluster/view-id.ts'
import type { ViewRecord } from '../cluster/views.ts'
import type { Namespace } from '../namespace/namespace.ts'
import { PARTITIONS } from '../values/digest.ts'
import type { ClockFacts, ClusterState, Member, Ownership, PartitionFacts, Peer } from './cluster-state.ts'
import type { ClusterHost } from './mesh/cluster-host.ts'

export interface JoinedClusterParts {
  readonly id: string
  readonly host: ClusterHost
  readonly namespaces: readonly Namespace[]
  readonly addresses: () => readonly string[]
  readonly clock: () => number
}

/** Hex digits of a cluster key: 48 bits. */
const keyDigits = 12
const noBits = Buffer.alloc(PARTITIONS / 8).toString('base64')

/** What one partition's row makes of this node. */
interface Role {
  readonly place: Place
  /** Nodes by replica number as clients know it: the acting master first, replica or not. */
  readonly claims: readonly string[]
}

export class JoinedCluster implements ClusterState {
  readonly isClustered = true
  readonly #parts: JoinedClusterParts
  #record: ViewRecord<ViewInput> | undefined
  #key = '0'
  #rebalancedAt: number
  #generations = { partition: -1, rebalance: 0, peers: 0 }
  #peers: readonly Peer[] = []
  readonly #alumni = new Map<string, Peer>()
  readonly #ownership = new Map<string, Ownership>()
  /** By namespace: what was to be moved when the view began. */
  readonly #initial = new Map<string, { tx: number; rx: number }>()

  constructor(parts: JoinedClusterParts) {
    this.#parts = parts
    this.#rebalancedAt = parts.clock()
  }

  /** This node serves in another view now. */
  serves(record: ViewRecord<ViewInput>): void {
    this.#record = record
    this.#key = keyOf(viewKey(record.id))
    this.#rebalancedAt = this.#parts.clock()
    const generations = { ...this.#generations, rebalance: this.#generations.rebalance + 1 }
    if (generations.partition < 0) generations.partition = 0
    generations.partition += this.#takeOwnership(record)
    const peers = this.#peersOf(record)
    if (JSON.stringify(peers) !== JSON.stringify(this.#peers)) generations.peers++
    this.#peers = peers
    for (const peer of peers) this.#alumni.set(peer.id, peer)
    this.#generations = generations
    for (const { name } of this.#parts.namespaces) this.#initial.set(name, this.#remaining(name))
  }

  get key(): string {
    return this.#key
  }

  get principal(): string {
    return this.#record?.id.leader ?? this.#parts.id
  }

  get members(): readonly Member[] {
    return this.#record?.input.nodes ?? [{ id: this.#parts.id, rack: 0 }]
  }

  get isSettled(): boolean {
    return this.#record !== undefined && this.#node.serving === viewKey(this.#record.id)
  }

  get rebalancedAt(): number {
    return this.#rebalancedAt
  }

  get generations(): ClusterState['generations'] {
    return this.#generations
  }

  get clocks(): ClockFacts {
    return this.#node.clocks
  }

  get addresses(): readonly string[] {
    return this.#parts.addresses()
  }

  get meshAddress(): string {
    return this.#parts.host.address
  }

  get peers(): readonly Peer[] {
    return this.#peers
  }

  get alumni(): readonly Peer[] {
    return [...this.#alumni.values()]
  }

  get rosters(): RosterControl {
    return this.#node.strong
  }

  migrationsRemaining(namespace?: string): number {
    const names = namespace === undefined ? this.#parts.namespaces.map(({ name }) => name) : [namespace]
    return names.reduce((sum, name) => {
      const { tx, rx } = this.#remaining(name)
      return sum + tx + rx
    }, 0)
  }

  ownership(namespace: string): Ownership {
    return this.#ownership.get(namespace) ?? { regime: 0, bitmaps: [noBits] }
  }

  *partitions(namespace: string): Iterable<PartitionFacts> {
    const { id, namespaces } = this.#parts
    const copies = this.#node.namespaces.get(namespace)
    const store = namespaces.find(({ name }) => name === namespace)?.store
    if (!store) return
    const factor = this.#replicationFactor(namespace)
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const role = this.#role(namespace, partition, factor)
      if (!role) continue
      const { place, claims } = role
      const mastership = copies?.masterOf(partition)
      const isWhole = copies
        ? copies.answersReads(partition)
        : place.master === id || place.holders.includes(id)
      const records = store.entriesOf(partition)
      yield {
        partition,
        replicas: claims.length,
        replica: claims.indexOf(id),
        succession: place.order.indexOf(id),
        master: place.master,
        duplicates: place.holders.length,
        state: isWhole ? 'S' : records > 0 || claims.includes(id) ? 'D' : 'A',
        emigrates: mastership !== undefined && !mastership.isSettled,
        immigrates: claims.includes(id) && !isWhole,
        records,
      }
    }
  }

  statistics(namespace: string): ReadonlyMap<string, string | number | boolean> {
    const { tx, rx } = this.#remaining(namespace)
    const initial = this.#initial.get(namespace) ?? { tx, rx }
    const quiesced = this.#record?.input.nodes.filter((node) => node.quiesced) ?? []
    return new Map<string, string | number | boolean>([
      ['ns_cluster_size', this.members.length],
      ['effective_replication_factor', this.ownership(namespace).bitmaps.length],
      ...this.#objects(namespace),
      ['pending_quiesce', this.#node.quiesced],
      ['effective_is_quiesced', quiesced.some(({ id }) => id === this.#parts.id)],
      ['nodes_quiesced', quiesced.length],
      ['migrate_tx_partitions_active', tx],
      ['migrate_rx_partitions_active', rx],
      ['migrate_tx_partitions_initial', Math.max(initial.tx, tx)],
      ['migrate_tx_partitions_remaining', tx],
      ['migrate_rx_partitions_initial', Math.max(initial.rx, rx)],
      ['migrate_rx_partitions_remaining', rx],
      ...this.#unavailable(namespace),
      ['clock_skew_stop_writes', this.#node.namespaces.has(namespace) && this.#node.clocks.isRefused],
      ['migrate_signals_remaining', this.#node.namespaces.get(namespace)?.surplus ?? 0],
      ...Object.entries(this.#node.namespaces.get(namespace)?.migrated ?? {}),
      ...Object.entries(this.#node.routing.countersOf(namespace)),
    ])
  }

  quiesce(quiesced: boolean): void {
    this.#node.quiesced = quiesced
  }

  recluster(): void {
    this.#node.recluster()
  }

  tip(address: string): void {
    this.#parts.host.tip(address)
  }

  get #node(): ClusterNode {
    return this.#parts.host.node
  }

  /** Answers how many partitions are not what they were on this node. */
  #takeOwnership({ id, input }: ViewRecord<ViewInput>): number {
    let changed = 0
    for (const { name } of this.#parts.namespaces) {
      const factor = this.#replicationFactor(name)
      const count = Math.max(1, Math.min(factor, input.nodes.length))
      // Who takes a partition over has a later view; of rival claims clients believe the higher.
      const regime = this.#node.strong.namespaces.has(name) ? id.number : 0
      const maps = Array.from({ length: count }, () => Buffer.alloc(PARTITIONS / 8))
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const replica = this.#role(name, partition, factor)?.claims.indexOf(this.#parts.id) ?? -1
        const map = maps[replica]
        if (map) map[partition >> 3] = map[partition >> 3]! | (0x80 >> (partition & 7))
      }
      const bitmaps = maps.map((map) => map.toString('base64'))
      const before = this.ownership(name)
      changed += before.regime === regime ? differences(before.bitmaps, bitmaps) : PARTITIONS
      this.#ownership.set(name, { regime, bitmaps })
    }
    return changed
  }

  #role(namespace: string, partition: number, factor: number): Role | undefined {
    const place = this.#copiesOf(namespace)?.place(partition)
    if (!place || place.replicas.length === 0) return undefined
    const { master, replicas } = place
    const others = replicas.filter((id) => id !== master)
    return { place, claims: [master, ...others].slice(0, factor) }
  }

  #copiesOf(namespace: string): ApNamespace | StrongNamespace<RecordContent> | undefined {
    return this.#node.namespaces.get(namespace) ?? this.#node.strong.namespaces.get(namespace)
  }

  #replicationFactor(namespace: string): number {
    const available = this.#record?.input.namespaces.find(({ name }) => name === namespace)
    if (available) return available.replicationFactor
    const rosters = this.#node.strong.namespaces.get(namespace)?.plans?.rosters
    return (rosters?.pending ?? rosters?.inForce)?.replicationFactor ?? 1
  }

  #unavailable(namespace: string): [string, number][] {
    const state = this.rosters.rosterOf(namespace)
    if (!state) return []
    return [
      ['dead_partitions', state.deadPartitions],
      ['unavailable_partitions', state.unavailablePartitions],
    ]
  }

  #peersOf({ input }: ViewRecord<ViewInput>): Peer[] {
    return input.nodes
      .filter(({ id, addresses }) => id !== this.#parts.id && addresses.length > 0)
      .map(({ id, addresses }) => ({ id, addresses }))
  }

  /** Partitions that this node still has to bring to others, and those that it still has to be brought. */
  #remaining(namespace: string): { tx: number; rx: number } {
    const copies = this.#node.namespaces.get(namespace)
    const strong = this.#node.strong.namespaces.get(namespace)
    // Whether a strong copy is complete is known to its master alone.
    if (!copies) return { tx: strong ? strong.unsettled + strong.misplaced : 0, rx: 0 }
    const { id } = this.#parts
    let rx = 0
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const place = copies.place(partition)
      if (place && place.master !== id && place.replicas.includes(id) && !copies.answersReads(partition)) rx++
    }
    return { tx: copies.unsettled + copies.misplaced, rx }
  }

  /** Deletes are counted over the whole namespace, so they are shared out by what the partitions hold. */
  #objects(namespace: string): [string, number][] {
    const store = this.#parts.namespaces.find(({ name }) => name === namespace)?.store
    if (!store) return []
    const entries = { master: 0, prole: 0, other: 0 }
    // Between two views it is still what the last one made of it.
    const bitmaps = this.#node.isLost ? [] : this.ownership(namespace).bitmaps
    const maps = bitmaps.map((map) => Buffer.from(map, 'base64'))
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const at = maps.findIndex((map) => (map[partition >> 3]! & (0x80 >> (partition & 7))) !== 0)
      entries[at === 0 ? 'master' : at > 0 ? 'prole' : 'other'] += store.entriesOf(partition)
    }
    const all = Math.max(1, entries.master + entries.prole + entries.other)
    const share = (count: number): number => Math.round((store.tombstones * count) / all)
    const prole = entries.prole - share(entries.prole)
    const other = entries.other - share(entries.other)
    return [
      ['master_objects', Math.max(0, store.objects - prole - other)],
      ['master_tombstones', share(entries.master)],
      ['prole_objects', prole],
      ['prole_tombstones', share(entries.prole)],
      ['non_replica_objects', other],
      ['non_replica_tombstones', share(entries.other)],
    ]
  }
}

/** A hash of the view's name, in which nobody could read more than that it is another one. */
function keyOf(view: string): string {
  const digits = createHash('sha1').update(view).digest('hex').slice(0, keyDigits)
  return digits.toUpperCase().replace(/^0+/, '') || '1'
}

/** Partitions whose bit is another one in any of the maps. */
function differences(before: readonly string[], after: readonly string[]): number {
  const old = before.map((map) => Buffer.from(map, 'base64'))
  const now = after.map((map) => Buffer.from(map, 'base64'))
  if (old.length !== now.length) return PARTITIONS
  let count = 0
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const mask = 0x80 >> (partition & 7)
    const at = partition >> 3
    if (now.some((map, i) => ((map[at]! ^ old[i]![at]!) & mask) !== 0)) count++
  }
  return count
}
