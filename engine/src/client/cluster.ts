/**
 * Which node is master of which partition. Learnt from the seeds, then asked again every second: a node's
 * generations tell whether its peers or its partitions have changed. Source: protocol notes, info 2 to 4.
 */
import { ClientCode, ClientError } from './client-error.ts'
import { askInfo } from './info-request.ts'
import { TcpWay } from './tcp-way.ts'
import type { Way } from './way.ts'

const TEND_MS = 1000
const PARTITIONS = 4096
const FAILURES_BEFORE_DROP = 3

interface KnownNode {
  readonly id: string
  readonly way: TcpWay
  peersGeneration: string
  partitionGeneration: string
  failures: number
}

/** Where requests go. */
export interface Routes {
  wayOf(namespace: string, partition: number): Way
  anyWay(): Way
  close(): void
}

export class Cluster implements Routes {
  readonly #timeout: number
  readonly #nodes = new Map<string, KnownNode>()
  readonly #masters = new Map<string, (KnownNode | undefined)[]>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  private constructor(timeout: number) {
    this.#timeout = timeout
  }

  /** Learns the cluster from the first seed that answers. */
  static async connect(hosts: readonly string[], timeout: number): Promise<Cluster> {
    const cluster = new Cluster(timeout)
    const failures: string[] = []
    for (const seed of hosts) {
      try {
        const { host, port } = parseHost(seed)
        await cluster.#meet(host, port)
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
      }
    }
    if (cluster.#nodes.size === 0) {
      throw new ClientError(ClientCode.CONNECTION, { message: `no seed answers: ${failures.join('; ')}` })
    }
    await cluster.#tend()
    cluster.#schedule()
    return cluster
  }

  wayOf(namespace: string, partition: number): Way {
    return this.#masters.get(namespace)?.[partition]?.way ?? this.anyWay()
  }

  anyWay(): Way {
    for (const node of this.#nodes.values()) return node.way
    throw new ClientError(ClientCode.CONNECTION, { message: 'no node of the cluster answers' })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const node of this.#nodes.values()) node.way.close()
  }

  #schedule(): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.#tend().finally(() => this.#schedule()), TEND_MS)
    this.#timer.unref()
  }

  async #meet(host: string, port: number): Promise<void> {
    if ([...this.#nodes.values()].some(({ way }) => way.host === host && way.port === port)) return
    const way = new TcpWay(host, port)
    try {
      const id = (await askInfo(way, ['node', 'build'], this.#timeout)).get('node')
      if (!id) throw new ClientError(ClientCode.CONNECTION, { message: `${host}:${port} names no node` })
      if (this.#nodes.has(id)) return way.close()
      this.#nodes.set(id, { id, way, peersGeneration: '', partitionGeneration: '', failures: 0 })
    } catch (error) {
      way.close()
      throw error
    }
  }

  async #tend(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => this.#tendNode(node)))
  }

  async #tendNode(node: KnownNode): Promise<void> {
    try {
      const answers = await askInfo(
        node.way,
        ['node', 'peers-generation', 'partition-generation'],
        this.#timeout,
      )
      node.failures = 0
      const peers = answers.get('peers-generation') ?? ''
      if (peers !== node.peersGeneration) {
        await this.#learnPeers(node)
        node.peersGeneration = peers
      }
      const partitions = answers.get('partition-generation') ?? ''
      if (partitions !== node.partitionGeneration) {
        await this.#learnPartitions(node)
        node.partitionGeneration = partitions
      }
    } catch {
      node.failures++
      if (node.failures >= FAILURES_BEFORE_DROP && this.#nodes.size > 1) this.#drop(node)
    }
  }

  async #learnPeers(node: KnownNode): Promise<void> {
    const answer = (await askInfo(node.way, ['peers-clear-std'], this.#timeout)).get('peers-clear-std') ?? ''
    for (const { host, port } of parsePeers(answer)) await this.#meet(host, port).catch(() => undefined)
  }

  async #learnPartitions(node: KnownNode): Promise<void> {
    const answer = (await askInfo(node.way, ['replicas'], this.#timeout)).get('replicas') ?? ''
    for (const { namespace, bitmap } of parseReplicas(answer)) {
      const masters =
        this.#masters.get(namespace) ?? new Array<KnownNode | undefined>(PARTITIONS).fill(undefined)
      this.#masters.set(namespace, masters)
      for (let partition = 0; partition < PARTITIONS; partition++) {
        if ((bitmap[partition >> 3]! & (0x80 >> (partition & 7))) === 0) continue
        const before = masters[partition]
        // Its own claim to the partition is asked for again, in case it still has one.
        if (before && before !== node) before.partitionGeneration = ''
        masters[partition] = node
      }
    }
  }

  #drop(node: KnownNode): void {
    this.#nodes.delete(node.id)
    node.way.close()
    for (const masters of this.#masters.values())
      for (let i = 0; i < PARTITIONS; i++) if (masters[i] === node) masters[i] = undefined
  }
}

/** `host:port`; the port is 3000 unless told. An IPv6 address stands in brackets. */
export function parseHost(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text)
  const port = Number(match?.[3] ?? 3000)
  if (!match || port < 1 || port > 65535)
    throw new RangeError(`'${text}' is no host:port, such as 127.0.0.1:3000`)
  return { host: (match[1] ?? match[2])!, port }
}

/** Every address of `generation,default port,[[id,tls name,[host:port,…]],…]`, the first of each node. */
export function parsePeers(answer: string): { host: string; port: number }[] {
  const defaultPort = answer.split(',')[1] ?? '3000'
  return [...answer.matchAll(/\[[0-9A-Fa-f]+,[^,[\]]*,\[((?:\[[^\]]*\]|[^\]])*)\]\]/g)].map((match) => {
    const first = match[1]!.split(',')[0]!
    return parseHost(/:\d+$/.test(first) ? first : `${first}:${defaultPort}`)
  })
}

/** The masters' bitmaps of `ns:regime,count,bitmap,…;…`. */
export function parseReplicas(answer: string): { namespace: string; bitmap: Buffer }[] {
  return answer
    .split(';')
    .map((part) => {
      const colon = part.indexOf(':')
      const bitmap = Buffer.from(part.slice(colon + 1).split(',')[2] ?? '', 'base64')
      return { namespace: part.slice(0, colon), bitmap }
    })
    .filter(({ bitmap }) => bitmap.length === PARTITIONS / 8)
}
