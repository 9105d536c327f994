/**
 * What is under way between this node and each peer because copies are being filled, over all partitions of a
 * namespace (F5 of README.md). A view ends it: the next one begins with another.
 */
import type { NodeId } from './node-id.ts'

/** Partitions about which one holder is asked at a time: enough to keep it busy while answers travel. */
const mostAsked = 32
/** Bytes given to one replica and not acknowledged, in all partitions together. */
export const largestGiven = 2 * 1024 * 1024

interface Peer {
  asked: number
  /** Partitions that wait for their turn to ask. */
  readonly waiting: (() => void)[]
  given: number
}

export class PeerFlow {
  readonly #peers = new Map<NodeId, Peer>()

  /** Runs it when fewer than `mostAsked` others of this holder have begun and not ended. */
  ask(holder: NodeId, run: () => void): void {
    const peer = this.#peer(holder)
    if (peer.asked >= mostAsked) return void peer.waiting.push(run)
    peer.asked++
    run()
  }

  /** One that had begun has ended. */
  asked(holder: NodeId): void {
    const peer = this.#peer(holder)
    const next = peer.waiting.shift()
    if (next) next()
    else peer.asked--
  }

  takesGifts(replica: NodeId): boolean {
    return this.#peer(replica).given < largestGiven
  }

  /** So many bytes more, or less when they were acknowledged. */
  give(replica: NodeId, bytes: number): void {
    this.#peer(replica).given += bytes
  }

  #peer(id: NodeId): Peer {
    let peer = this.#peers.get(id)
    if (!peer) this.#peers.set(id, (peer = { asked: 0, waiting: [], given: 0 }))
    return peer
  }
}
