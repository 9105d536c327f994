import type { NodeId } from './node-id.ts'

/**
 * Brings the first node of each rack to the front of the order, as far as replicas go; the others follow as they were
 * (P3 of README.md). A node without a rack is none of those.
 */
export function byRacks(
  order: readonly NodeId[],
  rackOf: ReadonlyMap<NodeId, number>,
  replicationFactor: number,
): NodeId[] {
  const racks = new Set<number>()
  const front: NodeId[] = []
  for (const id of order) {
    const rack = rackOf.get(id)
    if (front.length === replicationFactor) break
    if (rack === undefined || racks.has(rack)) continue
    racks.add(rack)
    front.push(id)
  }
  return [...front, ...order.filter((id) => !front.includes(id))]
}
