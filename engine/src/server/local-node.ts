import { networkInterfaces } from 'node:os'
import type { ClusterState } from './cluster-state.ts'
import type { ResolvedConfig } from './config.ts'
import { FaultLog } from './fault-log.ts'
import { NodeLatencies } from './latency.ts'
import { LoneCluster } from './lone-cluster.ts'
import type { NamespaceState, NodeCounters, NodeState } from './node-state.ts'
import type { Settings } from './settings.ts'

/** What a node knows about itself. */
export class LocalNode implements NodeState {
  readonly host: string
  readonly clusterName: string
  /** Its own, unless it is made one of several. */
  cluster: ClusterState
  readonly startedAt: number
  readonly namespaces: readonly NamespaceState[]
  readonly settings: Settings
  readonly counters: NodeCounters = {
    connectionsOpened: 0,
    connectionsClosed: 0,
    connectionsCutOff: 0,
    infoRequests: 0,
    refusedStreams: 0,
  }
  readonly faults: FaultLog
  readonly latencies = new NodeLatencies()
  readonly userAgents = new Map<string, number>()
  readonly clock: () => number
  readonly #configuredId: string | undefined
  #port: number

  constructor(
    config: Pick<ResolvedConfig, 'host' | 'port' | 'nodeId' | 'clusterName'>,
    namespaces: readonly NamespaceState[],
    settings: Settings,
    clock: () => number,
    onNote: (line: string) => void = () => undefined,
  ) {
    this.host = config.host
    this.faults = new FaultLog(onNote)
    this.#port = config.port
    this.#configuredId = config.nodeId
    this.clusterName = config.clusterName
    this.namespaces = namespaces
    this.settings = settings
    this.clock = clock
    this.startedAt = clock()
    this.cluster = new LoneCluster(this)
  }

  get port(): number {
    return this.#port
  }

  get id(): string {
    return this.#configuredId ?? defaultNodeId(this.#port)
  }

  /** The port that was opened, where any was asked for. */
  opened(port: number): void {
    this.#port = port
  }

  namespace(name: string): NamespaceState | undefined {
    return this.namespaces.find((namespace) => namespace.name === name)
  }

  connections(): number {
    return this.counters.connectionsOpened - this.counters.connectionsClosed
  }
}

/** As the real server makes one: the port in hex, then the hardware address. */
export function defaultNodeId(port: number): string {
  const hardware = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, mac }) => !internal && mac !== '00:00:00:00:00:00')
  const mac = (hardware?.mac ?? '02:00:00:00:00:01').replaceAll(':', '')
  return (port.toString(16) + mac).toUpperCase()
}
