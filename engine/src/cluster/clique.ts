/**
 * Parts nodes into cliques, greedily: the highest id that has not stood down begins one and takes in, by descending
 * id, whoever is linked with all it has; the rest is parted in the same way. Maximum cliques would be larger at times,
 * but nodes that see the same links must come to the same answer at once. O(n²) a clique; n is a few dozen.
 */
import { compareNodeIds, type NodeId } from './node-id.ts'

export interface Clique {
  readonly leader: NodeId
  readonly members: readonly NodeId[]
}

export function cliques(
  nodes: readonly NodeId[],
  linked: (a: NodeId, b: NodeId) => boolean,
  stoodDown: (node: NodeId) => boolean,
): Clique[] {
  let rest = [...nodes].sort((a, b) => compareNodeIds(b, a))
  const found: Clique[] = []
  while (rest.length > 0) {
    const leader = rest.find((node) => !stoodDown(node)) ?? rest[0]!
    const members = [leader]
    for (const node of rest) {
      if (node !== leader && members.every((member) => linked(member, node))) members.push(node)
    }
    found.push({ leader, members })
    rest = rest.filter((node) => !members.includes(node))
  }
  return found
}
