import type { EmbeddedNode } from '../protocol/transport.ts'
import type { Disk } from '../storage/disk.ts'
import { ResponseBuffer } from '../protocol/response.ts'
import { Background } from './background.ts'
import type { NodeConfig, ResolvedConfig } from './config.ts'
import { resolveConfig } from './config.ts'
import { EmbeddedService } from './embedded.ts'
import type { Limits } from './limits.ts'
import { Listener } from './listener.ts'
import { LocalNode } from './local-node.ts'
import type { OpenNamespaces } from './namespaces.ts'
import { openNamespaces } from './namespaces.ts'
import { nodeDisk } from './node-disk.ts'
import { openCluster, type OpenCluster } from './open-cluster.ts'
import { Service } from './service.ts'
import { serviceSettings } from './service-settings.ts'

/** A namespace of a running node, as its owner sees it. */
export interface NodeNamespace {
  readonly name: string
  /** What becomes of its data, in words. */
  readonly kept: string
}

/** What a node has from its owner. */
export interface NodeWorld {
  /** Lines for a person: how far recovery is, what it cut or lost, and why a namespace has stopped. */
  readonly onNote?: (line: string) => void
  /** Instead of the disk of this machine. */
  readonly disk?: Disk
}

/** A running node. */
export interface Node {
  readonly id: string
  readonly host: string
  /** The port that was opened, where 0 was asked for. */
  readonly port: number
  readonly namespaces: readonly NodeNamespace[]
  /** How a client in this process reaches the node without a socket. */
  readonly embedded: EmbeddedNode
  /** Where other nodes reach this one, `host:port`; none where it is alone. */
  readonly meshAddress: string | undefined
  /** Resolves with the reason when a node of a cluster has stopped by itself: its disk failed. */
  readonly stopped: Promise<string>
  /** Takes no more requests, lets owed answers leave, and closes the files cleanly. */
  close(): Promise<void>
}

/**
 * Starts a node in this process. Rejects with a StartError, whose message is one line that says what to do.
 *
 * @example
 * const node = await startNode({ port: 0, namespaces: [{ name: 'test' }] })
 * const client = await connect({ node })
 * await node.close()
 */
export async function startNode(config: NodeConfig = {}, world: NodeWorld = {}): Promise<Node> {
  const resolved = resolveConfig(config)
  const clock = Date.now
  const { onNote = () => undefined, disk = nodeDisk } = world
  const lost = new Lost(resolved.cluster !== undefined, onNote)
  const onFault = (line: string): void => lost.report(line)
  const namespaces = await openNamespaces(resolved, { clock, onNote, onFault, disk })
  let cluster: OpenCluster | undefined
  try {
    if (resolved.cluster)
      cluster = await openCluster(resolved, resolved.cluster, namespaces.namespaces, {
        disk,
        clock,
        onNote,
        adopt: (setting) => namespaces.adopt(setting),
        onLost: onFault,
      })
    return await serve(resolved, namespaces, cluster, { clock, onNote, lost })
  } catch (error) {
    await cluster?.close()
    await namespaces.close()
    throw error
  }
}

async function serve(
  config: ResolvedConfig,
  namespaces: OpenNamespaces,
  cluster: OpenCluster | undefined,
  { clock, onNote, lost }: ServeWorld,
): Promise<Node> {
  const adjustable = {
    get limits(): Limits {
      return service.limits
    },
    set limits(limits: Limits) {
      service.limits = limits
    },
    clusterName: config.clusterName,
    limitConnections: (count: number): void => listener.limitConnections(count),
  }
  const settings = serviceSettings(adjustable, namespaces.numbers)
  const nodeId = cluster?.id ?? config.nodeId
  const local = new LocalNode({ ...config, nodeId }, namespaces.states, settings, clock, onNote)
  if (cluster) makeOneOf(cluster, local, namespaces)
  const service = new Service({
    node: local,
    messages: namespaces.messages,
    syncs: namespaces.syncs,
    limits: config.limits,
    newBuffer: () => new ResponseBuffer(),
  })
  const listener = new Listener(service)
  local.opened(await listener.listen(config.host, config.port))
  try {
    await cluster?.join(local.port)
  } catch (error) {
    await listener.close()
    throw error
  }
  const background = new Background(namespaces.background, clock, local.faults)
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    await listener.close()
    background.stop()
    await cluster?.close()
    await namespaces.close()
  }
  const closeOnce = (): Promise<void> => (closing ??= close())
  const stopped = lost.reason.then(async (reason) => {
    await closeOnce().catch((error: unknown) => onNote(String(error)))
    return reason
  })
  return {
    id: local.id,
    host: config.host,
    port: local.port,
    namespaces: config.namespaces.map((namespace) => ({ name: namespace.name, kept: keptOf(namespace) })),
    embedded: new EmbeddedService(service),
    meshAddress: cluster?.host.address,
    stopped,
    close: closeOnce,
  }
}

/** From here on the node answers as one of several. */
function makeOneOf(cluster: OpenCluster, local: LocalNode, namespaces: OpenNamespaces): void {
  const { host, state } = cluster
  local.cluster = state
  host.onFault = (error) => local.faults.report('a request', error)
  namespaces.join({
    namespace: (name) => host.node.namespaces.get(name) ?? host.node.strong.namespaces.get(name),
    submit: (request) => host.submit(request),
    truncate: (name, set, before) => {
      if (!host.node.namespaces.has(name)) return false
      host.node.metadata.truncate(name, set ?? '', before)
      host.wake()
      return true
    },
    set: (change) => {
      host.node.metadata.set(change)
      host.wake()
    },
    strongTruncation: (name) => {
      if (!host.node.strong.namespaces.has(name)) return undefined
      const { truncation } = host.node
      return {
        truncate: (set, answer) => {
          truncation.truncate(name, set, answer)
          host.wake()
        },
        lastOf: (set) => truncation.lastOf(name, set),
      }
    },
    cancel: (id) => host.node.routing.cancel(id),
    wake: () => host.wake(),
    onFault: (error) => local.faults.report('a batch', error),
  })
}

/** What becomes of a namespace's data. */
function keptOf({ files, durability, flushMs }: ResolvedConfig['namespaces'][number]): string {
  if (!files) return 'in memory, gone when this process ends'
  return durability === 'commit' ? 'in files, every write synced' : `in files, flushed every ${flushMs} ms`
}

interface ServeWorld {
  readonly clock: () => number
  readonly onNote: (line: string) => void
  readonly lost: Lost
}

/**
 * What a node does that cannot write any more. Alone it goes on with what it has: others have no copy. In a cluster
 * it stops, so that others answer at once for what it held, instead of waiting for its acknowledgements.
 */
class Lost {
  readonly reason: Promise<string>
  readonly #isClustered: boolean
  readonly #onNote: (line: string) => void
  #tell: (reason: string) => void = () => undefined
  #isTold = false

  constructor(isClustered: boolean, onNote: (line: string) => void) {
    this.#isClustered = isClustered
    this.#onNote = onNote
    this.reason = new Promise((resolve) => (this.#tell = resolve))
  }

  report(line: string): void {
    if (!this.#isClustered) return this.#onNote(line)
    if (this.#isTold) return
    this.#isTold = true
    this.#onNote(`${line}; this node leaves the cluster and stops`)
    this.#tell(line)
  }
}
