/**
 * Sees the map of every view and says where it breaks P1 to P4 of cluster/README.md: all members have the same, a
 * partition moves only to a node that joins or from one that leaves, replicas lie in as many racks as they can, and
 * quiesced nodes stand behind all others.
 */
import type { ViewInput } from '../cluster/cluster-node.ts'
import { type MapNode, partitionMap, type Place } from '../cluster/partition-map.ts'
import { viewKey } from '../cluster/view-id.ts'
import type { ViewRecord } from '../cluster/views.ts'

interface NamespaceMap {
  readonly view: string
  readonly nodes: readonly MapNode[]
  readonly replicationFactor: number
  readonly places: readonly Place[]
}

export class MapWitness {
  readonly violations: string[] = []
  /** By view and namespace. */
  readonly #maps = new Map<string, NamespaceMap>()
  /** The one that was seen last, by namespace. */
  readonly #last = new Map<string, NamespaceMap>()
  /** Replicas that changed hands. */
  moves = 0

  entered({ id, input }: ViewRecord<ViewInput>): void {
    const view = viewKey(id)
    const { nodes } = input
    for (const { name, partitions, replicationFactor, holdings } of input.namespaces) {
      if (this.#maps.has(`${view} ${name}`)) continue
      const places = partitionMap({ algorithm: 1, partitions, replicationFactor, nodes, holdings })
      const map = { view, nodes, replicationFactor, places }
      this.#maps.set(`${view} ${name}`, map)
      this.#checkPlaces(map)
      const last = this.#last.get(name)
      if (last) this.#compare(last, map)
      this.#last.set(name, map)
    }
  }

  /** A member begins to serve by this map (P1). */
  serving(
    node: string,
    view: string,
    namespace: string,
    placeOf: (partition: number) => Place | undefined,
  ): void {
    for (const [partition, place] of this.#maps.get(`${view} ${namespace}`)?.places.entries() ?? []) {
      const found = placeOf(partition)
      if (found && found.master === place.master && found.replicas.join() === place.replicas.join()) continue
      this.violations.push(
        `P1: ${node} has another map of ${view}, p${partition} at ${found?.replicas.join(' ')}`,
      )
    }
  }

  #checkPlaces({ view, nodes, replicationFactor, places }: NamespaceMap): void {
    const rackOf = new Map(nodes.filter(({ quiesced }) => !quiesced).map(({ id, rack }) => [id, rack]))
    const racks = Math.min(replicationFactor, new Set(rackOf.values()).size)
    const serving = Math.min(replicationFactor, rackOf.size)
    for (const [partition, { replicas }] of places.entries()) {
      const present = replicas.filter((id) => rackOf.has(id))
      const found = new Set(present.map((id) => rackOf.get(id)))
      if (found.size < racks) this.violations.push(`P3: p${partition} of ${view} is in ${found.size} racks`)
      if (present.length < serving)
        this.violations.push(`P4: p${partition} of ${view} is at ${replicas.join(' ')}`)
    }
  }

  /** A node takes the part of a replica only from one that left, or stands farther behind now, or none had it. */
  #compare(before: NamespaceMap, after: NamespaceMap): void {
    const stood = new Map(before.nodes.map((node) => [node.id, node]))
    const stands = new Map(after.nodes.map((node) => [node.id, node]))
    const stays = (id: string) => {
      const [old, now] = [stood.get(id), stands.get(id)]
      return old !== undefined && now !== undefined && old.rack === now.rack && old.quiesced === now.quiesced
    }
    // With racks a newcomer may stand for its rack, and so change who stands for the others.
    if (new Set([...before.nodes, ...after.nodes].map(({ rack }) => rack)).size > 1) return
    for (const [partition, place] of after.places.entries()) {
      const old = before.places[partition]!
      const gained = place.replicas.filter((id) => !old.replicas.includes(id))
      const lost = old.replicas.filter((id) => !place.replicas.includes(id))
      this.moves += gained.length
      const [newcomers, leavers] = [gained.filter((id) => !stays(id)), lost.filter((id) => !stays(id))]
      const grown = after.replicationFactor - before.replicationFactor
      if (
        gained.length > newcomers.length + leavers.length + Math.max(0, grown) ||
        !this.#keepsOrder(old, place, stays)
      ) {
        this.violations.push(
          `P2: p${partition} moved from ${old.replicas.join(' ')} in ${before.view} to ${place.replicas.join(' ')} in ${after.view}`,
        )
      }
    }
  }

  #keepsOrder(before: Place, after: Place, stays: (id: string) => boolean): boolean {
    return before.order.filter(stays).join() === after.order.filter(stays).join()
  }
}
