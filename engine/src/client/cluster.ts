/**
 * The nodes of a cluster, learnt from the seeds and looked after from then on. In rounds, one a second, each node is asked for
 * its generations; where one has changed, its peers or its partitions are fetched. A node is added when another
 * names it as a peer and it answers as itself, and removed when others answer, none names it, and it fails or is
 * master of nothing; or when no node answers any more, after some rounds. Source: protocol notes, cluster view 5 and
 * 10.
 */
import { ClientCode, ClientError } from '../protocol/client-error.ts'
import { askInfo } from './info-request.ts'
import { PartitionMap, parseReplicas } from './partition-map.ts'
import { type Address, parseHost, parsePeers, type Peer } from './peers.ts'
import type { Routes } from './routes.ts'
import { TcpWay } from './tcp-way.ts'
import type { Way } from './way.ts'

/** After a connection has broken, and while a node does not answer, the next round comes so soon, or sooner. */
const HURRIED_ROUND_MS = 100
/** Failed rounds in a row after which a node is worth no hurry any more. */
const HURRIED_ROUNDS = 50
/** After the first answer a round waits so long for the other nodes, and then goes on with what they said before. */
const LATE_MS = 100
/** Of one question to one node. */
const MAX_INFO_MS = 1000
/** Failed rounds after which a node goes although no other node answers. */
const HOPELESS_ROUNDS = 5
/** Told by a node that has not joined a cluster yet. */
const NOT_JOINED = '-1'

/** What a node says of itself; the generations of its peers and partitions. */
interface Told {
  readonly id: string
  readonly peers: string
  readonly partitions: string
}

class KnownNode {
  readonly id: string
  readonly way: TcpWay
  told: Told
  /** The generations whose peers and partitions have been fetched. */
  readonly known = { peers: '', partitions: '' }
  peers: readonly Peer[] = []
  /** Questions in a row without an answer. */
  failures = 0
  /** A question has not been answered yet. */
  asked: Promise<void> | undefined

  constructor(told: Told, way: TcpWay) {
    this.id = told.id
    this.told = told
    this.way = way
  }
}

export interface ClusterOptions {
  readonly hosts: readonly string[]
  readonly timeout: number
  readonly connectTimeout: number
  /** ms between rounds. */
  readonly tendInterval: number
}

export class Cluster implements Routes {
  readonly #seeds: readonly Address[]
  readonly #connectTimeout: number
  readonly #infoTimeout: number
  readonly #tendInterval: number
  readonly #nodes = new Map<string, KnownNode>()
  readonly #partitions = new PartitionMap<KnownNode>()
  #timer: NodeJS.Timeout | undefined
  #hurried = false
  #closed = false

  private constructor({ hosts, timeout, connectTimeout, tendInterval }: ClusterOptions) {
    this.#seeds = hosts.map(parseHost)
    this.#connectTimeout = connectTimeout
    this.#infoTimeout = Math.min(timeout, MAX_INFO_MS)
    this.#tendInterval = tendInterval
  }

  /** Learns the cluster from the seeds; fails when none of them answers. */
  static async connect(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options)
    const failures = await cluster.#meetSeeds()
    if (cluster.#nodes.size === 0)
      throw new ClientError(ClientCode.CONNECTION, { message: `no seed answers: ${failures.join('; ')}` })
    await cluster.#learn()
    cluster.#schedule(options.tendInterval)
    return cluster
  }

  wayOf(namespace: string, partition: number, tried: number): Way {
    return this.#partitions.nodeOf(namespace, partition, tried)?.way ?? this.anyWay()
  }

  anyWay(): Way {
    let any: KnownNode | undefined
    for (const node of this.#nodes.values()) {
      if (node.failures === 0) return node.way
      any ??= node
    }
    if (any) return any.way
    throw new ClientError(ClientCode.CONNECTION, { message: 'no node of the cluster answers' })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const { way } of this.#nodes.values()) way.close()
  }

  #schedule(ms: number): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.#round(), ms)
    this.#timer.unref()
  }

  /** A connection that breaks may mean a node that is lost: the others may know already. */
  #hurry(): void {
    if (this.#hurried) return
    this.#hurried = true
    if (!this.#timer) return
    clearTimeout(this.#timer)
    this.#schedule(Math.min(HURRIED_ROUND_MS, this.#tendInterval))
  }

  async #round(): Promise<void> {
    this.#timer = undefined
    this.#hurried = false
    await this.#refreshAll()
    await this.#learn()
    if (this.#nodes.size === 0 && !this.#closed) {
      await this.#meetSeeds()
      await this.#learn()
    }
    this.#schedule(this.#isAmiss ? Math.min(HURRIED_ROUND_MS, this.#tendInterval) : this.#tendInterval)
  }

  /** The others may be about to take over what a node had. */
  get #isAmiss(): boolean {
    if (this.#hurried) return true
    for (const { failures } of this.#nodes.values())
      if (failures > 0 && failures <= HURRIED_ROUNDS) return true
    return false
  }

  /** A node that hangs does not keep the round from what the others say. */
  async #refreshAll(): Promise<void> {
    const nodes = [...this.#nodes.values()]
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      const refreshed = nodes.map(async (node) => {
        await this.#refresh(node)
        if (node.failures === 0) timer ??= setTimeout(resolve, LATE_MS).unref()
      })
      void Promise.all(refreshed).then(() => resolve())
    })
    clearTimeout(timer)
  }

  async #meetSeeds(): Promise<string[]> {
    const met = await Promise.allSettled(this.#seeds.map((address) => this.#meet(address)))
    return met.flatMap((one) => (one.status === 'rejected' ? [String((one.reason as Error).message)] : []))
  }

  /** Adds the node at an address, which must be the one with this id where one is told. */
  async #meet({ host, port }: Address, id?: string): Promise<void> {
    const broken = () => this.#hurry()
    const way = new TcpWay({ host, port, connectTimeout: this.#connectTimeout, broken })
    const refuse = (why: string) => {
      throw new ClientError(ClientCode.CONNECTION, { message: `${host}:${port} ${why}` })
    }
    try {
      const told = await this.#question(way)
      if (told.id === '') refuse('names no node')
      if (id !== undefined && told.id !== id) refuse(`is node ${told.id}, not ${id}`)
      if (told.partitions === NOT_JOINED) refuse('has not joined its cluster yet')
      if (this.#closed || this.#nodes.has(told.id)) return way.close()
      this.#nodes.set(told.id, new KnownNode(told, way))
    } catch (error) {
      way.close()
      throw error
    }
  }

  async #meetPeer({ id, addresses }: Peer): Promise<void> {
    for (const address of addresses) {
      const failed = await this.#meet(address, id).then(
        () => false,
        () => true,
      )
      if (!failed) return
    }
  }

  async #question(way: Way): Promise<Told> {
    const commands = ['node', 'peers-generation', 'partition-generation']
    const answers = await askInfo(way, commands, this.#infoTimeout)
    const [id = '', peers = '', partitions = ''] = commands.map((command) => answers.get(command))
    return { id, peers, partitions }
  }

  #refresh(node: KnownNode): Promise<void> {
    node.asked ??= this.#ask(node).finally(() => (node.asked = undefined))
    return node.asked
  }

  async #ask(node: KnownNode): Promise<void> {
    try {
      const told = await this.#question(node.way)
      if (told.id !== node.id) return this.#remove(node)
      node.told = told
      node.failures = 0
    } catch {
      node.failures++
    }
  }

  /** Brings nodes and partitions to what the nodes have told. */
  async #learn(): Promise<void> {
    let forced = [...this.#nodes.values()].some(({ failures }) => failures > 0)
    for (let size = 0; size !== this.#nodes.size; forced = false) {
      size = this.#nodes.size
      await Promise.all(this.#answering().map((node) => this.#learnPeers(node, forced)))
      const unknown = new Map<string, Peer>()
      for (const { peers } of this.#answering())
        for (const peer of peers) if (!this.#nodes.has(peer.id)) unknown.set(peer.id, peer)
      await Promise.all([...unknown.values()].map((peer) => this.#meetPeer(peer)))
    }
    this.#removeLost()
    const answering = this.#answering()
    // A node that has been cut off knows no peers, and must not take the map over.
    const believed = answering.filter(({ peers }) => answering.length === 1 || peers.length > 0)
    await Promise.all(believed.map((node) => this.#learnPartitions(node)))
  }

  #answering(): KnownNode[] {
    return [...this.#nodes.values()].filter(({ failures }) => failures === 0)
  }

  async #learnPeers(node: KnownNode, forced: boolean): Promise<void> {
    const { told, known } = node
    if (told.peers === known.peers && (!forced || node.asked)) return
    try {
      const answers = await askInfo(node.way, ['peers-clear-std'], this.#infoTimeout)
      node.peers = parsePeers(answers.get('peers-clear-std') ?? '')
      known.peers = told.peers
    } catch {
      node.failures++
    }
  }

  async #learnPartitions(node: KnownNode): Promise<void> {
    const { told, known } = node
    if (told.partitions === known.partitions || told.partitions === NOT_JOINED) return
    try {
      const answers = await askInfo(node.way, ['replicas'], this.#infoTimeout)
      known.partitions = told.partitions
      for (const claim of parseReplicas(answers.get('replicas') ?? ''))
        // Who has lost a place is asked again, in case it still claims it.
        this.#partitions.claim(node, claim, (other) => (other.known.partitions = ''))
    } catch {
      node.failures++
    }
  }

  #removeLost(): void {
    const answering = this.#answering()
    const named = new Set(answering.flatMap(({ peers }) => peers.map(({ id }) => id)))
    for (const node of [...this.#nodes.values()]) {
      const { failures } = node
      if (answering.length === 0) {
        if (failures >= HOPELESS_ROUNDS) this.#remove(node)
      } else if (answering.some((other) => other !== node) && !named.has(node.id)) {
        if (failures > 0 || !this.#partitions.isMaster(node)) this.#remove(node)
      }
    }
  }

  #remove(node: KnownNode): void {
    this.#nodes.delete(node.id)
    this.#partitions.forget(node)
    node.way.close('connection', `node ${node.id} has left the cluster`)
  }
}
