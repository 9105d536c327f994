/**
 * Who does what for each partition of one namespace, computed from the committed record of a view and nothing else, so
 * that all members come to the same map (P1 to P5 of README.md).
 */
import type { NodeId } from './node-id.ts'
import { Rendezvous } from './rendezvous.ts'

export interface MapNode {
  readonly id: NodeId
  /** Replicas go to different racks first; 0 is a rack like any other. */
  readonly rack: number
  /** About to leave: it stands behind all others. */
  readonly quiesced: boolean
}

/** What a member holds of a partition, as far as the choice of the master is concerned. */
export const Holding = {
  NOTHING: 0,
  /** Some of the data, or an older state than another member's. */
  SOME: 1,
  /** All that was acknowledged, as far as the members know. */
  WHOLE: 2,
} as const
export type Holding = (typeof Holding)[keyof typeof Holding]

export interface MapInput {
  /** Version of this algorithm. */
  readonly algorithm: 1
  readonly partitions: number
  readonly replicationFactor: number
  readonly nodes: readonly MapNode[]
  /** By partition and then by node, in the order of `nodes`. */
  readonly holdings: Uint8Array
}

/** One partition's row of the map. */
export interface Place {
  /** All members; replicas first, each group in rendezvous order. */
  readonly order: readonly NodeId[]
  readonly replicas: readonly NodeId[]
  /** Numbers the writes; not always a replica. */
  readonly master: NodeId
  /** Members that hold anything, the master left out. */
  readonly holders: readonly NodeId[]
}

export function partitionMap(input: MapInput): Place[] {
  const { algorithm, partitions, nodes } = input
  // A later version must not be taken for this one in a cluster that is upgraded node by node.
  if (algorithm !== 1)
    throw new Error(`map algorithm ${String(algorithm)} is not known here; upgrade this node`)
  if (nodes.length === 0) throw new Error('a map needs a node')
  const places: Place[] = []
  const serving = new Rendezvous(nodes.filter(({ quiesced }) => !quiesced).map(({ id }) => id))
  const leaving = new Rendezvous(nodes.filter(({ quiesced }) => quiesced).map(({ id }) => id))
  const indexOf = new Map(nodes.map(({ id }, index) => [id, index]))
  const rackOf = new Map(nodes.map(({ id, rack }) => [id, rack]))
  for (let partition = 0; partition < partitions; partition++) {
    const order = byRacks([...serving.order(partition), ...leaving.order(partition)], rackOf, input)
    const replicas = order.slice(0, input.replicationFactor)
    const holding = (id: NodeId) => input.holdings[partition * nodes.length + indexOf.get(id)!]!
    const master =
      order.find((id) => holding(id) === Holding.WHOLE) ??
      order.find((id) => holding(id) === Holding.SOME) ??
      order[0]!
    const holders = order.filter((id) => id !== master && holding(id) !== Holding.NOTHING)
    places.push({ order, replicas, master, holders })
  }
  return places
}

/** Brings the first node of each rack to the front, as far as replicas go; a quiesced node makes no rack. */
function byRacks(order: NodeId[], rackOf: ReadonlyMap<NodeId, number>, input: MapInput): NodeId[] {
  const quiesced = new Set(input.nodes.filter((node) => node.quiesced).map(({ id }) => id))
  const racks = new Set<number>()
  const front: NodeId[] = []
  for (const id of order) {
    const rack = rackOf.get(id)!
    if (front.length === input.replicationFactor) break
    if (quiesced.has(id) || racks.has(rack)) continue
    racks.add(rack)
    front.push(id)
  }
  return [...front, ...order.filter((id) => !front.includes(id))]
}
