import type { NodeId } from '../node-id.ts'
import { Rendezvous } from '../rendezvous.ts'

/** The order of nodes for each partition; equal orders are one array, so that what depends on them is found by it. */
export class Orders {
  readonly #partitions: number
  #key: string | undefined
  #orders: readonly (readonly NodeId[])[] = []

  constructor(partitions: number) {
    this.#partitions = partitions
  }

  /** By partition. As long as the nodes are the same nothing is computed anew. */
  of(ids: readonly NodeId[]): readonly (readonly NodeId[])[] {
    const sorted = [...new Set(ids)].sort()
    const key = sorted.join()
    if (key === this.#key) return this.#orders
    const known = new Map<string, readonly NodeId[]>()
    const rendezvous = new Rendezvous(sorted)
    this.#orders = Array.from({ length: this.#partitions }, (_, partition) => {
      const order = rendezvous.order(partition)
      const orderKey = order.join()
      const same = known.get(orderKey)
      if (same) return same
      known.set(orderKey, order)
      return order
    })
    this.#key = key
    return this.#orders
  }
}
