/** The connections to one peer: heartbeats have their own, so that no bulk holds them up. Made again when they end. */
import { connect } from 'node:net'
import type { PartitionMessage } from '../../cluster/data-message.ts'
import { Outbox } from './outbox.ts'
import type { MeshAddress } from './parcel.ts'

/** Milliseconds between attempts to connect; the first one comes at once. */
const retryAfter = 100
/** Bytes that wait in a connection; beyond that messages are dropped, and their senders send them again. */
const largestQueue = { beats: 64 * 1024, data: 16 * 1024 * 1024 }

export type LinkUse = keyof typeof largestQueue

export interface PeerLinkOptions {
  readonly address: MeshAddress
  /** What is said first on a new connection. */
  readonly greeting: () => Buffer
  /** Nobody listens there, although somebody may have before. */
  readonly onRefused: () => void
}

export class PeerLink {
  readonly #options: PeerLinkOptions
  readonly #outboxes: Readonly<Record<LinkUse, Outbox>> = {
    beats: new Outbox(largestQueue.beats),
    data: new Outbox(largestQueue.data),
  }
  readonly #timers = new Set<NodeJS.Timeout>()
  #closed = false

  constructor(options: PeerLinkOptions) {
    this.#options = options
    this.#open('beats')
    this.#open('data')
  }

  send(use: LinkUse, bytes: Buffer): void {
    this.#outboxes[use].send(bytes)
  }

  add(message: PartitionMessage): void {
    this.#outboxes.data.add(message)
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const outbox of Object.values(this.#outboxes)) {
      outbox.socket?.destroy()
      outbox.socket = undefined
    }
  }

  #open(use: LinkUse): void {
    const { address, greeting, onRefused } = this.#options
    const outbox = this.#outboxes[use]
    const colon = address.lastIndexOf(':')
    const socket = connect({
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      noDelay: true,
    })
    socket.on('connect', () => {
      if (this.#closed) return void socket.destroy()
      socket.write(greeting())
      outbox.socket = socket
    })
    // The other side says nothing here; reading notices its end.
    socket.resume()
    socket.on('error', (error) => {
      if ('code' in error && error.code === 'ECONNREFUSED' && !this.#closed) onRefused()
    })
    socket.on('close', () => {
      const wasOpen = outbox.socket === socket
      if (wasOpen) outbox.socket = undefined
      if (!this.#closed) this.#later(wasOpen ? 0 : retryAfter, () => this.#open(use))
    })
  }

  #later(delay: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, delay)
    this.#timers.add(timer)
  }
}
