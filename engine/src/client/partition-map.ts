/**
 * Which node holds which partition, as the nodes themselves say. Every node claims, for each place in the order of
 * replicas, the partitions it has that place for. A claim is believed when its regime is not lower than that of the
 * claim it would replace: in a strong namespace a node that has been cut off still claims what it has lost. Source:
 * protocol notes, info 4 and cluster view 2.
 */
import { PARTITIONS } from '../values/digest.ts'

/** Places kept; a client has no use for more. */
const MAX_REPLICAS = 3

export interface Claim {
  readonly namespace: string
  readonly regime: number
  /** A bit for each partition, by the place of the replica; the first is the master. */
  readonly bitmaps: readonly Buffer[]
}

interface NamespaceMap<Node> {
  /** By place, then by partition. */
  readonly replicas: (Node | undefined)[][]
  readonly regimes: Float64Array
}

export class PartitionMap<Node> {
  readonly #namespaces = new Map<string, NamespaceMap<Node>>()

  /** Takes a node's claim over; `displaced` hears of each node that loses a place, which may not know it yet. */
  claim(node: Node, { namespace, regime, bitmaps }: Claim, displaced: (node: Node) => void): void {
    const map = this.#namespaces.get(namespace) ?? { replicas: [], regimes: new Float64Array(PARTITIONS) }
    this.#namespaces.set(namespace, map)
    const lost = new Set<Node>()
    bitmaps.slice(0, MAX_REPLICAS).forEach((bitmap, place) => {
      const replicas = (map.replicas[place] ??= new Array<Node | undefined>(PARTITIONS).fill(undefined))
      for (let partition = 0; partition < PARTITIONS; partition++) {
        if ((bitmap[partition >> 3]! & (0x80 >> (partition & 7))) === 0) continue
        if (regime < map.regimes[partition]!) continue
        map.regimes[partition] = regime
        const before = replicas[partition]
        if (before !== undefined && before !== node) lost.add(before)
        replicas[partition] = node
      }
    })
    for (const one of lost) displaced(one)
  }

  /** The master for the first try; then the replicas in turn, places that nobody holds left out. */
  nodeOf(namespace: string, partition: number, tried: number): Node | undefined {
    const replicas = this.#namespaces.get(namespace)?.replicas
    if (!replicas) return undefined
    if (tried === 0) return replicas[0]?.[partition]
    const holders = replicas.map((place) => place[partition]).filter((node) => node !== undefined)
    return holders[tried % holders.length]
  }

  /** Whether the node is master of any partition. */
  isMaster(node: Node): boolean {
    for (const { replicas } of this.#namespaces.values()) if (replicas[0]?.includes(node)) return true
    return false
  }

  forget(node: Node): void {
    for (const { replicas } of this.#namespaces.values())
      for (const place of replicas)
        for (let partition = 0; partition < PARTITIONS; partition++)
          if (place[partition] === node) place[partition] = undefined
  }
}

/** `ns:regime,count,bitmap,…;…` A part that is not so is left out, as one namespace must not spoil the others. */
export function parseReplicas(answer: string): Claim[] {
  return answer.split(';').flatMap((part) => {
    const colon = part.indexOf(':')
    const [regime, count, ...bitmaps] = part.slice(colon + 1).split(',')
    const claim = {
      namespace: part.slice(0, colon),
      regime: Number(regime),
      bitmaps: bitmaps.map((bitmap) => Buffer.from(bitmap, 'base64')),
    }
    const whole = claim.bitmaps.every(({ length }) => length === PARTITIONS / 8)
    return colon > 0 && Number.isFinite(claim.regime) && bitmaps.length === Number(count) && whole
      ? [claim]
      : []
  })
}
