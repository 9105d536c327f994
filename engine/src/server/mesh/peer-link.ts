/**
 * The connections to one peer: heartbeats have their own, so that no bulk holds them up. Made again when they end, and
 * when the peer has answered no heartbeat for a while: after a cut the kernel tries ever more rarely, for minutes, to
 * bring an old connection's bytes across, and would make of a cut that has long healed a lasting one.
 */
import { connect, type Socket } from 'node:net'
import type { PartitionMessage } from '../../cluster/data-message.ts'
import { Outbox } from './outbox.ts'
import type { MeshAddress } from './parcel.ts'

/** Milliseconds between attempts to connect; the first one comes at once. */
const retryAfter = 100
/** The same once nobody has listened there for so many attempts: it may have left for good. */
const patientRetryAfter = 1000
const quickAttempts = 100
/** The same where a node of another cluster listens. */
const strangerRetryAfter = 5000
/** Milliseconds without an answer, or without a connection, after which the connections are made anew. */
const silentAfter = 1000
/** Bytes that wait in a connection; beyond that messages are dropped, and their senders send them again. */
const largestQueue = { beats: 64 * 1024, data: 16 * 1024 * 1024 }

export type LinkUse = keyof typeof largestQueue

export interface PeerLinkOptions {
  readonly address: MeshAddress
  /** What is said first on a new connection. */
  readonly greeting: () => Buffer
  /** Nobody listens there, although somebody may have before. */
  readonly onRefused: () => void
  /** A node of another cluster listens there. */
  readonly onStranger: (cluster: string) => void
}

/** First byte of what the other side says when it is of another cluster; the cluster's name follows. */
const strangerMark = 2

/** What a node says to one of another cluster before it closes the connection. */
export function strangerWord(cluster: string): Buffer {
  return Buffer.concat([Buffer.from([strangerMark]), Buffer.from(cluster)])
}

export class PeerLink {
  readonly #options: PeerLinkOptions
  readonly #outboxes: Readonly<Record<LinkUse, Outbox>> = {
    beats: new Outbox(largestQueue.beats),
    data: new Outbox(largestQueue.data),
  }
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Connections, those included that do not stand yet. */
  readonly #sockets = new Set<Socket>()
  /** When the peer last answered, or was last given a new chance to. */
  #answered = performance.now()
  #closed = false
  #isStranger = false
  /** Attempts in a row that came to nothing, over both connections. */
  #failures = 0

  constructor(options: PeerLinkOptions) {
    this.#options = options
    this.#open('beats')
    this.#open('data')
  }

  /** Whether a connection stands. */
  get isOpen(): boolean {
    return this.#outboxes.beats.socket !== undefined
  }

  send(use: LinkUse, bytes: Buffer): void {
    if (use === 'beats') this.#renewSilent()
    this.#outboxes[use].send(bytes)
  }

  add(message: PartitionMessage): void {
    this.#outboxes.data.add(message)
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const socket of this.#sockets) socket.destroy()
    for (const outbox of Object.values(this.#outboxes)) outbox.socket = undefined
  }

  #renewSilent(): void {
    const now = performance.now()
    if (now - this.#answered < silentAfter) return
    this.#answered = now
    // What the kernel still holds of the old connections must not arrive behind what goes over the new ones.
    for (const socket of this.#sockets) {
      if (socket.connecting) socket.destroy()
      else socket.resetAndDestroy()
    }
  }

  #open(use: LinkUse): void {
    const { address, greeting, onRefused, onStranger } = this.#options
    const outbox = this.#outboxes[use]
    const colon = address.lastIndexOf(':')
    const socket = connect({
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      noDelay: true,
    })
    this.#sockets.add(socket)
    socket.on('connect', () => {
      if (this.#closed) return void socket.destroy()
      socket.write(greeting())
      outbox.socket = socket
      this.#failures = 0
    })
    // The other side says nothing here but that it has heard a heartbeat; reading notices its end, too.
    socket.on('data', (chunk) => {
      this.#answered = performance.now()
      if (chunk[0] !== strangerMark) return
      this.#isStranger = true
      onStranger(chunk.toString('utf8', 1))
    })
    socket.on('error', (error) => {
      if ('code' in error && error.code === 'ECONNREFUSED' && !this.#closed) onRefused()
    })
    socket.on('close', () => {
      this.#sockets.delete(socket)
      const wasOpen = outbox.socket === socket
      if (wasOpen) outbox.socket = undefined
      const delay = this.#isStranger ? strangerRetryAfter : wasOpen ? 0 : this.#retryAfter
      this.#isStranger = false
      if (!this.#closed) this.#later(delay, () => this.#open(use))
    })
  }

  get #retryAfter(): number {
    return this.#failures++ < quickAttempts ? retryAfter : patientRetryAfter
  }

  #later(delay: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, delay)
    this.#timers.add(timer)
  }
}
