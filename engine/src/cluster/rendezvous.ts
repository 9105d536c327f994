/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): every node has a weight for every partition, which depends on
 * these two alone, and the nodes of a partition are ordered by it. A node that joins or leaves changes nothing in the
 * order of the others. The shares are as even as chance makes them: with 4096 partitions and n nodes one node's share
 * deviates by √((n−1)/4096) of itself, 2 % for three nodes.
 */
import { compareNodeIds, type NodeId } from './node-id.ts'

/** Fowler, Noll and Vo's hash of the id's characters, 32 bits. */
function hashOf(id: NodeId): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return mix(hash)
}

/** Every input bit changes every output bit with an even chance (the finalizer of MurmurHash3). */
function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Ids of the nodes in the order of the partition, the first one first. */
export class Rendezvous {
  readonly #nodes: readonly { readonly id: NodeId; readonly hash: number }[]

  constructor(ids: readonly NodeId[]) {
    this.#nodes = ids.map((id) => ({ id, hash: hashOf(id) }))
  }

  order(partition: number): NodeId[] {
    const salt = mix(Math.imul(partition + 1, 0x9e3779b1))
    return this.#nodes
      .map(({ id, hash }) => ({ id, weight: mix(hash ^ salt) }))
      .sort((a, b) => b.weight - a.weight || compareNodeIds(b.id, a.id))
      .map(({ id }) => id)
  }
}
