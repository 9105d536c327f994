/** The connections to one peer: heartbeats have their own, so that no bulk holds them up. Made again when they end. */
import { connect, type Socket } from 'node:net'
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
  readonly #sockets: Record<LinkUse, Socket | undefined> = { beats: undefined, data: undefined }
  readonly #timers = new Set<NodeJS.Timeout>()
  #closed = false

  constructor(options: PeerLinkOptions) {
    this.#options = options
    this.#open('beats')
    this.#open('data')
  }

  send(use: LinkUse, bytes: Buffer): void {
    const socket = this.#sockets[use]
    if (socket && socket.writableLength <= largestQueue[use]) socket.write(bytes)
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const socket of Object.values(this.#sockets)) socket?.destroy()
  }

  #open(use: LinkUse): void {
    const { address, greeting, onRefused } = this.#options
    const colon = address.lastIndexOf(':')
    const socket = connect({
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      noDelay: true,
    })
    socket.on('connect', () => {
      if (this.#closed) return void socket.destroy()
      socket.write(greeting())
      this.#sockets[use] = socket
    })
    // The other side says nothing here; reading notices its end.
    socket.resume()
    socket.on('error', (error) => {
      if ('code' in error && error.code === 'ECONNREFUSED' && !this.#closed) onRefused()
    })
    socket.on('close', () => {
      const wasOpen = this.#sockets[use] === socket
      if (wasOpen) this.#sockets[use] = undefined
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
