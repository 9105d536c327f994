/**
 * The network of a cluster: every node connects to every other one and sends on its own connections; what comes in on
 * others' connections is only read, and heartbeats are answered with a byte. Addresses spread by word of mouth, from
 * the seeds on.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { ClusterMessage } from '../../cluster/cluster-node.ts'
import type { NodeId } from '../../cluster/node-id.ts'
import type { Process } from '../../cluster/process.ts'
import { type Incoming, type MeshAddress, packParcel, ParcelReader } from './parcel.ts'
import { isFramed } from './partition-frame.ts'
import { PeerLink, strangerWord } from './peer-link.ts'

/** Says that a heartbeat has come over this connection. */
const heard = Buffer.from([1])

export interface MeshOptions {
  readonly self: Process
  readonly cluster: string
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Told to other nodes in place of its own. */
  readonly advertise?: MeshAddress
  readonly seeds: readonly MeshAddress[]
  readonly onMessage: (from: Process, message: ClusterMessage) => void
  /** A node of this cluster can be reached. */
  readonly onPeer: (id: NodeId) => void
  /** A node's port is closed: its process has ended. */
  readonly onRefused: (id: NodeId) => void
  /** Lines for the person who runs the node. */
  readonly onNote: (line: string) => void
}

/** Milliseconds after which a seed that has not been reached is worth a word. */
const seedPatience = 3000
/** Lines remembered; beyond that one may be said again. */
const mostNoted = 100

export class Mesh {
  readonly #options: MeshOptions
  readonly #server: Server
  /** Connections of others, and who said hello on them. */
  readonly #incoming = new Map<Socket, Process | undefined>()
  readonly #links = new Map<MeshAddress, PeerLink>()
  readonly #addresses = new Map<NodeId, MeshAddress>()
  #address: MeshAddress = ''
  readonly #noted = new Set<string>()
  #patience: NodeJS.Timeout | undefined

  private constructor(options: MeshOptions) {
    this.#options = options
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  }

  static async open(options: MeshOptions): Promise<Mesh> {
    const mesh = new Mesh(options)
    await mesh.#listen()
    for (const seed of options.seeds) mesh.#connect(seed)
    mesh.#patience = setTimeout(() => mesh.#noteUnreachable(), seedPatience)
    return mesh
  }

  get address(): MeshAddress {
    return this.#address
  }

  send(to: NodeId, message: ClusterMessage): void {
    const link = this.#links.get(this.#addresses.get(to) ?? '')
    if (!link) return
    if (isFramed(message)) return link.add(message)
    const { self } = this.#options
    link.send(
      message.kind === 'heartbeat' ? 'beats' : 'data',
      packParcel({ kind: 'message', from: self, message }),
    )
  }

  /** Tries to reach a node there. */
  tip(address: MeshAddress): void {
    this.#connect(address)
  }

  close(): Promise<void> {
    clearTimeout(this.#patience)
    for (const link of this.#links.values()) link.close()
    for (const socket of this.#incoming.keys()) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  #noteUnreachable(): void {
    for (const seed of this.#options.seeds) {
      if (this.#links.get(seed)?.isOpen === false)
        this.#noteOnce(`mesh: nobody can be reached at the seed ${seed}; trying on. Is a node running there?`)
    }
  }

  /** What happens again at every attempt is said once. */
  #noteOnce(line: string): void {
    if (this.#noted.has(line)) return
    if (this.#noted.size < mostNoted) this.#noted.add(line)
    this.#options.onNote(line)
  }

  #listen(): Promise<void> {
    const { host, port, advertise } = this.#options
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        this.#server.on('error', ({ message }) => this.#noteOnce(`mesh: ${message}`))
        const at = this.#server.address()
        this.#address = advertise ?? `${host}:${at !== null && typeof at === 'object' ? at.port : port}`
        resolve()
      })
    })
  }

  #accept(socket: Socket): void {
    const reader = new ParcelReader()
    this.#incoming.set(socket, undefined)
    socket.on('close', () => this.#incoming.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      try {
        for (const parcel of reader.read(chunk)) this.#receive(socket, parcel)
      } catch (error) {
        this.#noteOnce(`mesh: ${error instanceof Error ? error.message : String(error)}; connection closed`)
        socket.destroy()
      }
    })
  }

  #receive(socket: Socket, parcel: Incoming): void {
    if (parcel.kind === 'message') {
      if (parcel.message.kind === 'heartbeat') socket.write(heard)
      return this.#options.onMessage(parcel.from, parcel.message)
    }
    if (parcel.kind === 'partitions') {
      const from = this.#incoming.get(socket)
      if (!from) throw new Error('a peer speaks before it has said who it is')
      for (const message of parcel.messages) this.#options.onMessage(from, message)
      return
    }
    const { cluster } = this.#options
    if (parcel.cluster !== cluster) {
      this.#noteOnce(`mesh: ${parcel.address} is of cluster ${parcel.cluster}, not ${cluster}; refused`)
      socket.end(strangerWord(cluster))
      return
    }
    this.#incoming.set(socket, parcel.from)
    this.#learn(parcel.from.id, parcel.address)
    for (const [id, address] of parcel.known) if (!this.#addresses.has(id)) this.#learn(id, address)
  }

  #learn(id: NodeId, address: MeshAddress): void {
    if (id === this.#options.self.id || this.#addresses.get(id) === address) return
    this.#addresses.set(id, address)
    this.#connect(address)
    // All who can be reached shall know of it, and it of them.
    for (const link of this.#links.values()) link.send('data', this.#greeting())
    this.#options.onPeer(id)
  }

  #connect(address: MeshAddress): void {
    if (address === this.#address || this.#links.has(address)) return
    const onRefused = () => {
      for (const [id, at] of this.#addresses) if (at === address) this.#options.onRefused(id)
    }
    const onStranger = (cluster: string) =>
      this.#noteOnce(
        `mesh: ${address} is of cluster ${cluster}, this node of ${this.#options.cluster}; not joined. Give both the same --cluster-name`,
      )
    const greeting = () => this.#greeting()
    this.#links.set(address, new PeerLink({ address, greeting, onRefused, onStranger }))
  }

  #greeting(): Buffer {
    const { cluster, self } = this.#options
    return packParcel({
      kind: 'hello',
      cluster,
      from: self,
      address: this.#address,
      known: [...this.#addresses],
    })
  }
}
