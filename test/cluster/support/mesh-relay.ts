/**
 * The network between nodes, as a test makes it: in front of every node's mesh port stands a relay, whose address is
 * the only one that other nodes are told. A connection of the mesh carries messages one way, and its first parcel says
 * who made it, so each ordered pair of nodes is a link of its own that can be held, slowed and narrowed. Held
 * bytes are kept and arrive when the link heals, as TCP's would. A relay is refused exactly while its node's port is,
 * since a refused connection tells the others that a process has ended.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ParcelReader } from '../../../engine/src/server/mesh/parcel.ts'

export interface LinkState {
  /** Nothing passes; what was sent arrives after the healing. */
  readonly isHeld?: boolean
  readonly delayMs?: number
  readonly bytesPerSecond?: number
}

/** A node's own port, and the relay's in front of it. */
export interface RelayEnds {
  readonly id: string
  readonly target: number
  readonly port: number
}

const host = '127.0.0.1'
/** Milliseconds between two looks whether a node listens again. */
const lookAgainMs = 20
/** Bytes that wait in one connection before its sender is left unread, about what the kernel's buffers take. */
const mostWaiting = 1 << 20

export class MeshRelays {
  readonly #relays: Relay[] = []
  readonly #links = new Map<string, LinkState>()

  open(ends: RelayEnds): void {
    const relay = new Relay(ends, {
      to: (from) => this.#links.get(`${from}>${ends.id}`) ?? {},
      back: (from) => this.#links.get(`${ends.id}>${from}`) ?? {},
    })
    this.#relays.push(relay)
    void relay.keepOpen()
  }

  /** What the link from one node to another is from now on. */
  set(from: string, to: string, state: LinkState): void {
    this.#links.set(`${from}>${to}`, state)
    for (const relay of this.#relays) relay.changed()
  }

  /** Holds both directions between each node of one side and each of the other. */
  cut(one: readonly string[], other: readonly string[]): void {
    for (const a of one)
      for (const b of other) {
        this.set(a, b, { isHeld: true })
        this.set(b, a, { isHeld: true })
      }
  }

  heal(): void {
    this.#links.clear()
    for (const relay of this.#relays) relay.changed()
  }

  /** Bytes that have passed the link. */
  passed(from: string, to: string): number {
    return this.#relays.find(({ id }) => id === to)?.passed.get(from) ?? 0
  }

  close(): void {
    for (const relay of this.#relays) relay.close()
  }
}

/** The link from a node to the one behind the relay, and the one back. */
interface Links {
  readonly to: (from: string) => LinkState
  readonly back: (from: string) => LinkState
}

class Relay {
  readonly id: string
  readonly passed = new Map<string, number>()
  readonly #ends: RelayEnds
  readonly #links: Links
  readonly #pipes = new Set<Pipe>()
  #server: Server | undefined
  #isLooking = false
  #isClosed = false

  constructor(ends: RelayEnds, links: Links) {
    this.id = ends.id
    this.#ends = ends
    this.#links = links
  }

  changed(): void {
    for (const pipe of this.#pipes) pipe.flow()
  }

  close(): void {
    this.#isClosed = true
    this.#server?.close()
    for (const pipe of this.#pipes) pipe.end()
  }

  /** Listens while the node does: looks again until it listens, and comes back here when it has stopped. */
  async keepOpen(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    while (!this.#isClosed) {
      const listens = await isListening(this.#ends.target)
      if (this.#isClosed) break
      if (listens && !this.#server) await this.#listen()
      if (listens) break
      this.#server?.close()
      this.#server = undefined
      await sleep(lookAgainMs)
    }
    this.#isLooking = false
  }

  #listen(): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
    this.#server = server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#ends.port, host, resolve)
    })
  }

  #accept(incoming: Socket): void {
    const outgoing = connect({ host, port: this.#ends.target, noDelay: true })
    const pipe: Pipe = new Pipe(incoming, outgoing, {
      links: this.#links,
      passed: (from, bytes) => this.passed.set(from, (this.passed.get(from) ?? 0) + bytes),
    })
    this.#pipes.add(pipe)
    outgoing.on('close', () => {
      this.#pipes.delete(pipe)
      // The one that comes back at once finds the port as its node's is.
      void isListening(this.#ends.target).then((listens) => {
        if (!listens) {
          this.#server?.close()
          this.#server = undefined
          void this.keepOpen()
        }
        pipe.end()
      })
    })
  }
}

interface PipeOptions {
  readonly links: Links
  readonly passed: (from: string, bytes: number) => void
}

/** One connection through a relay. */
class Pipe {
  readonly #incoming: Socket
  readonly #outgoing: Socket
  readonly #options: PipeOptions
  readonly #reader = new ParcelReader()
  readonly #waiting: { readonly chunk: Buffer; readonly came: number }[] = []
  #waitingBytes = 0
  #from: string | undefined
  /** When the link is free again, as its width goes. */
  #freeAt = 0
  #timer: NodeJS.Timeout | undefined
  #hasEnded = false

  constructor(incoming: Socket, outgoing: Socket, options: PipeOptions) {
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.#options = options
    // Who resets a connection takes back what is still under way.
    incoming.on('error', () => this.end())
    outgoing.on('error', () => outgoing.destroy())
    outgoing.on('data', (chunk) => {
      // Answers to heartbeats: one that is held is as good as lost.
      if (this.#from !== undefined && !this.#options.links.back(this.#from).isHeld) incoming.write(chunk)
    })
    incoming.on('data', (chunk) => this.#take(chunk))
    incoming.on('close', () => {
      this.#hasEnded = true
      this.flow()
    })
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#incoming.destroy()
    this.#outgoing.destroy()
  }

  /** Sends on what the link lets through now. */
  flow(): void {
    clearTimeout(this.#timer)
    if (this.#from === undefined) return this.#hasEnded ? this.end() : undefined
    const { isHeld = false, delayMs = 0, bytesPerSecond = Infinity } = this.#options.links.to(this.#from)
    if (isHeld) return
    const now = performance.now()
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      const due = Math.max(first.came + delayMs, this.#freeAt)
      if (due > now) {
        this.#timer = setTimeout(() => this.flow(), due - now)
        return
      }
      this.#waiting.shift()
      this.#waitingBytes -= first.chunk.length
      this.#freeAt = Math.max(now, this.#freeAt) + (first.chunk.length / bytesPerSecond) * 1000
      this.#options.passed(this.#from, first.chunk.length)
      this.#outgoing.write(first.chunk)
    }
    if (this.#waitingBytes < mostWaiting) this.#incoming.resume()
    // Its end is told behind its bytes.
    if (this.#hasEnded) this.#outgoing.end()
  }

  #take(chunk: Buffer): void {
    this.#waiting.push({ chunk, came: performance.now() })
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes >= mostWaiting) this.#incoming.pause()
    this.#from ??= this.#sender(chunk)
    this.flow()
  }

  /** Who sends, once its first parcel is whole. */
  #sender(chunk: Buffer): string | undefined {
    for (const parcel of this.#reader.read(chunk)) if ('from' in parcel) return parcel.from.id
    return undefined
  }
}

function isListening(port: number): Promise<boolean> {
  const socket = connect({ host, port })
  return new Promise((resolve) => {
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
