import { createServer, type Server, type Socket } from 'node:net'
import { type Key, type Node, startNode } from '@larder/engine'
import { RequestMessage } from '../../../engine/src/protocol/message.ts'
import { BatchReader } from '../../../engine/src/server/dispatch-batch.ts'
import { digestOf, PARTITIONS, partitionOf } from '../../../engine/src/values/digest.ts'

const HEADER_BYTES = 8

/** What a node was asked: a record, or a batch with its rows. */
export interface Asked {
  readonly kind: 'read' | 'write' | 'batch'
  /** Of the record, or of each row. */
  readonly partitions: readonly number[]
  /** Of each row of a batch: the number it carries. */
  readonly rows: readonly number[]
  /** ms the client gave the node. */
  readonly budget: number
}

/**
 * What a node does with a request: answers it as the engine does, late or as something else; takes it and never
 * answers; does it and breaks the connection; or breaks the connection at once.
 */
export type Deed =
  | 'answer'
  | 'silence'
  | 'do and close'
  | 'close'
  | { readonly code: number }
  | { readonly after: number }
  | { readonly change: (frames: Buffer) => Buffer }

/** One node: info and cluster view are made up, records are worked on by an engine that all nodes share. */
export class FakeNode {
  readonly id: string
  readonly asked: Asked[] = []
  deed: (asked: Asked) => Deed = () => 'answer'
  peers: string | (() => readonly FakeNode[]) = () => []
  regime = 0
  /** By place of the replica: whether it has that place for a partition. */
  claims: ((partition: number) => boolean)[] = []
  peersGeneration = 1
  partitionGeneration: number = 1
  shownId: string
  /** As a stopped process: takes every question about itself and answers none. */
  hangs = false
  readonly #engine: Node
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  port = 0
  connections = 0

  constructor(id: string, engine: Node) {
    this.id = this.shownId = id
    this.#engine = engine
  }

  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#server = createServer((socket) => this.#serve(socket)).listen(this.port, '127.0.0.1', () => {
        const address = this.#server!.address()
        if (typeof address === 'object' && address) this.port = address.port
        resolve()
      })
    })
  }

  /** As a killed process: connections break, the port refuses. */
  stop(): void {
    this.#server?.close()
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  #serve(socket: Socket): void {
    this.connections++
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
    let bytes = Buffer.alloc(0)
    // Answers leave in the order of the requests, so one that waits holds up the next.
    let before = Promise.resolve()
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= HEADER_BYTES) {
        const end = HEADER_BYTES + bytes.readUIntBE(2, 6)
        if (bytes.length < end) break
        const frame = bytes.subarray(0, end)
        bytes = bytes.subarray(end)
        before = before.then(() => this.#answer(socket, frame))
      }
    })
  }

  async #answer(socket: Socket, frame: Buffer): Promise<void> {
    if (frame[1] === 1 && this.hangs) return new Promise(() => undefined)
    if (frame[1] === 1) return void socket.write(this.#info(frame.toString('latin1', HEADER_BYTES)))
    const asked = readRequest(frame)
    this.asked.push(asked)
    const deed = this.deed(asked)
    if (deed === 'silence') return new Promise(() => undefined)
    if (deed === 'close') return void socket.resetAndDestroy()
    if (typeof deed === 'object' && 'code' in deed) return void socket.write(refusal(asked, deed.code))
    if (typeof deed === 'object' && 'after' in deed)
      await new Promise((resolve) => setTimeout(resolve, deed.after))
    const frames = await new Promise<Buffer>((resolve) =>
      this.#engine.embedded.request(frame, 0, frame.length, (answer, start, end) =>
        resolve(Buffer.from(answer.subarray(start, end))),
      ),
    )
    if (deed === 'do and close') socket.resetAndDestroy()
    else socket.write(typeof deed === 'object' && 'change' in deed ? deed.change(frames) : frames)
  }

  #info(body: string): Buffer {
    const lines = body.split('\n').filter(Boolean)
    const text = lines.map((line) => `${line}\t${this.#infoAnswer(line)}\n`).join('')
    return frameOf(1, Buffer.from(text))
  }

  #infoAnswer(command: string): string {
    switch (command) {
      case 'node':
        return this.shownId
      case 'peers-generation':
        return `${this.peersGeneration}`
      case 'partition-generation':
        return `${this.partitionGeneration}`
      case 'peers-clear-std': {
        if (typeof this.peers === 'string') return this.peers
        const peers = this.peers().map(({ id, port }) => `[${id},,[127.0.0.1:${port}]]`)
        return `${this.peersGeneration},3000,[${peers.join()}]`
      }
      case 'replicas':
        return `test:${this.regime},${this.claims.length},${this.claims.map(bitmap).join()}`
      default:
        return 'ERROR:4:unrecognized command'
    }
  }
}

function bitmap(claimed: (partition: number) => boolean): string {
  const bits = Buffer.alloc(PARTITIONS / 8)
  for (let p = 0; p < PARTITIONS; p++) if (claimed(p)) bits[p >> 3]! |= 0x80 >> (p & 7)
  return bits.toString('base64')
}

function frameOf(type: number, body: Buffer): Buffer {
  const head = Buffer.from([2, type, 0, 0, 0, 0, 0, 0])
  head.writeUIntBE(body.length, 2, 6)
  return Buffer.concat([head, body])
}

function readRequest(frame: Buffer): Asked {
  const message = new RequestMessage()
  if (!message.parse(frame, HEADER_BYTES, frame.length)) throw new Error('a request that does not parse')
  const budget = message.transactionTtl
  const batch = new BatchReader()
  if (message.batchStart < 0) {
    const partitions = [partitionOf(frame, message.digestAt)]
    return { kind: message.info2 & 1 ? 'write' : 'read', partitions, rows: [], budget }
  }
  const partitions: number[] = []
  const rows: number[] = []
  if (!batch.open(message)) throw new Error('a batch that does not parse')
  for (let i = 0; i < batch.count; i++) {
    if (!batch.next(message)) throw new Error(`row ${i} does not parse`)
    partitions.push(partitionOf(message.buffer, message.digestAt))
    rows.push(batch.index)
  }
  return { kind: 'batch', partitions, rows, budget }
}

/** An answer with this code for the record, or for each row and then the end of the batch. */
function refusal({ kind, rows }: Asked, code: number): Buffer {
  if (kind !== 'batch') return frameOf(3, messageOf(code, 0, 0))
  return frameOf(3, Buffer.concat([...rows.map((row) => messageOf(code, row, 0)), messageOf(0, 0, 1)]))
}

export function messageOf(code: number, row: number, info3: number): Buffer {
  const message = Buffer.alloc(22)
  message[0] = 22
  message[3] = info3
  message[5] = code
  message.writeUInt32BE(row, 14)
  return message
}

/** All frames as one: what a server may send as well. */
export function inOneFrame(frames: Buffer): Buffer {
  const bodies: Buffer[] = []
  for (let at = 0; at < frames.length;) {
    const end = at + HEADER_BYTES + frames.readUIntBE(at + 2, 6)
    bodies.push(frames.subarray(at + HEADER_BYTES, end))
    at = end
  }
  return frameOf(3, Buffer.concat(bodies))
}

/** Nodes A1, A2, … that know each other; node i is master of the partitions p with p mod n = i, its successor replica. */
export class FakeCluster {
  readonly engine: Node
  nodes: FakeNode[] = []

  private constructor(engine: Node) {
    this.engine = engine
  }

  static async start(count: number): Promise<FakeCluster> {
    const cluster = new FakeCluster(await startNode({ port: 0 }))
    for (let i = 1; i <= count; i++) await cluster.add(`A${i}`)
    cluster.spread()
    return cluster
  }

  async add(id: string): Promise<FakeNode> {
    const node = new FakeNode(id, this.engine)
    await node.start()
    this.nodes.push(node)
    return node
  }

  /** Deals all partitions to the nodes there are, as after a change of the membership. */
  spread(): void {
    const { nodes } = this
    nodes.forEach((node, i) => {
      node.peers = () => nodes.filter((other) => other !== node)
      node.claims = [
        (partition) => partition % nodes.length === i,
        (partition) => (partition + 1) % nodes.length === i,
      ]
      node.peersGeneration++
      node.partitionGeneration++
    })
  }

  /** The node is killed; the others notice when they are spread again. */
  kill(node: FakeNode): void {
    node.stop()
    this.nodes = this.nodes.filter((other) => other !== node)
  }

  /** The same for a node that hangs. */
  hang(node: FakeNode): void {
    node.hangs = true
    this.nodes = this.nodes.filter((other) => other !== node)
  }

  masterOf(key: Key): FakeNode {
    return this.nodes[partition(key) % this.nodes.length]!
  }

  /** A key whose master is this node. */
  keyOf(node: FakeNode, from = 0): Key {
    for (let i = from; ; i++) {
      const key = { namespace: 'test', set: 'fake', key: `key ${i}` }
      if (this.masterOf(key) === node) return key
    }
  }

  get seeds(): string[] {
    return this.nodes.map(({ port }) => `127.0.0.1:${port}`)
  }

  async close(): Promise<void> {
    for (const node of this.nodes) node.stop()
    await this.engine.close()
  }
}

function partition({ set, key }: Key): number {
  return partitionOf(digestOf(set ?? '', key), 0)
}
