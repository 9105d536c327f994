/**
 * Who does what for each partition of one namespace, computed from the committed record of a view and nothing else, so
 * that all members come to the same map (P1 to P5 of README.md).
 */
import { byRacks } from './by-racks.ts'
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

/** What each member holds of each partition. Few combinations occur, so each stands once. */
export interface HoldingTable {
  /** In the order of the nodes. */
  readonly rows: readonly (readonly Holding[])[]
  /** By partition, an index of `rows`. */
  readonly rowOf: readonly number[]
  /** By row, whether all copies have been through the same regimes. */
  readonly alike: readonly boolean[]
}

export interface MapInput {
  /** Version of this algorithm. */
  readonly algorithm: 1
  readonly partitions: number
  readonly replicationFactor: number
  readonly nodes: readonly MapNode[]
  readonly holdings: HoldingTable
}

/** One partition's row of the map; partitions with the same row share it. */
export interface Place {
  /** All members; replicas first, each group in rendezvous order. */
  readonly order: readonly NodeId[]
  readonly replicas: readonly NodeId[]
  /** Numbers the writes; not always a replica. */
  readonly master: NodeId
  /** Members that hold anything, the master left out. */
  readonly holders: readonly NodeId[]
}

export interface MappedPlace extends Place {
  /** The copies of all holders and of the master have been through the same regimes. */
  readonly alike: boolean
}

export function partitionMap(input: MapInput): MappedPlace[] {
  const { algorithm, nodes, partitions, replicationFactor, holdings } = input
  // A later version must not be taken for this one in a cluster that is upgraded node by node.
  if (algorithm !== 1)
    throw new Error(`map algorithm ${String(algorithm)} is not known here; upgrade this node`)
  if (nodes.length === 0) throw new Error('a map needs a node')
  const { orders, orderOf } = ordersOf(input)
  const indexOf = new Map(nodes.map(({ id }, index) => [id, index]))
  const known = new Map<number, MappedPlace>()
  return Array.from({ length: partitions }, (_, partition) => {
    const row = holdings.rowOf[partition]!
    const key = orderOf[partition]! * holdings.rows.length + row
    let place = known.get(key)
    if (!place) {
      const held = holdings.rows[row]!
      const order = orders[orderOf[partition]!]!
      const holding = (id: NodeId) => held[indexOf.get(id)!]!
      place = { ...placeOf(order, replicationFactor, holding), alike: holdings.alike[row]! }
      known.set(key, place)
    }
    return place
  })
}

function placeOf(
  order: readonly NodeId[],
  replicationFactor: number,
  holding: (id: NodeId) => Holding,
): Place {
  const replicas = order.slice(0, replicationFactor)
  const master =
    order.find((id) => holding(id) === Holding.WHOLE) ??
    order.find((id) => holding(id) === Holding.SOME) ??
    order[0]!
  const holders = order.filter((id) => id !== master && holding(id) !== Holding.NOTHING)
  return { order, replicas, master, holders }
}

interface Orders {
  readonly orders: readonly (readonly NodeId[])[]
  /** By partition, an index of `orders`. */
  readonly orderOf: readonly number[]
}

/** The orders of the last few sets of nodes: all namespaces, and views of the same members, have the same. */
const lastOrders = new Map<string, Orders>()
const mostOrders = 8

function ordersOf({ nodes, partitions, replicationFactor }: MapInput): Orders {
  const key = JSON.stringify([partitions, replicationFactor, nodes])
  const known = lastOrders.get(key)
  if (known) return known
  if (lastOrders.size >= mostOrders) lastOrders.delete([...lastOrders.keys()][0]!)
  const serving = new Rendezvous(nodes.filter(({ quiesced }) => !quiesced).map(({ id }) => id))
  const leaving = new Rendezvous(nodes.filter(({ quiesced }) => quiesced).map(({ id }) => id))
  const rackOf = new Map(nodes.filter(({ quiesced }) => !quiesced).map(({ id, rack }) => [id, rack]))
  const orders: NodeId[][] = []
  const indices = new Map<string, number>()
  const orderOf = Array.from({ length: partitions }, (_, partition) => {
    const order = [...serving.order(partition), ...leaving.order(partition)]
    const text = order.join()
    const index = indices.get(text) ?? orders.push(byRacks(order, rackOf, replicationFactor)) - 1
    indices.set(text, index)
    return index
  })
  const found = { orders, orderOf }
  lastOrders.set(key, found)
  return found
}
