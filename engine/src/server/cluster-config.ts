/** The part of a node's configuration that makes it one of several. */
import { invalid, refuseUnknown, whole } from './setting-check.ts'

export interface ClusterConfig {
  /** `host:meshport` of nodes to join; none for the first node of a cluster. */
  seeds?: readonly string[]
  /** Port for other nodes; 0 takes any free one. Default: the service port + 2. */
  port?: number
  /** `host:port` that other nodes are told, where something stands between them and this one. Default: its own. */
  advertise?: string
  /** Replicas go to different racks first. Nodes on one machine share a rack. */
  rack?: number
  /** Milliseconds between heartbeats. */
  heartbeatMs?: number
  /** Milliseconds of silence after which a node counts as gone; at least four heartbeats. */
  timeoutMs?: number
  /**
   * Seconds by which this node's clock may differ from most others' before its available namespaces take no writes; 0 =
   * any.
   */
  clockSkewS?: number
}

export interface ResolvedCluster {
  readonly seeds: readonly string[]
  readonly port: number
  readonly advertise: string | undefined
  readonly rack: number
  /** Milliseconds. */
  readonly clockBound: number
  readonly heartbeat: { readonly interval: number; readonly timeout: number }
}

const clusterKeys: readonly (keyof ClusterConfig)[] = [
  'seeds',
  'port',
  'advertise',
  'rack',
  'heartbeatMs',
  'timeoutMs',
  'clockSkewS',
]

/** As the real server: its port for other nodes is the service port + 2. */
const meshPortBehind = 2
/** Milliseconds; as the real server's defaults. */
export const defaultHeartbeat = { interval: 150, timeout: 1500 }
const defaultClockSkewS = 40
const largestClockSkewS = 86_400
const largestRack = 1_000_000
const addressForm = /^(?:\[[^\]]+\]|[^:\s]+):\d{1,5}$/

export function resolveCluster(cluster: ClusterConfig, servicePort: number): ResolvedCluster {
  if (typeof cluster !== 'object' || cluster === null)
    throw invalid('cluster', cluster, "an object such as { seeds: ['127.0.0.1:3002'] }")
  refuseUnknown(cluster, clusterKeys, 'cluster.')
  const { seeds = [], rack = 0 } = cluster
  const { heartbeatMs = defaultHeartbeat.interval, timeoutMs = defaultHeartbeat.timeout } = cluster
  const { clockSkewS = defaultClockSkewS } = cluster
  if (!Array.isArray(seeds) || !seeds.every(isAddress))
    throw invalid('cluster.seeds', seeds, "a list of addresses such as '127.0.0.1:3002'")
  const { advertise } = cluster
  if (advertise !== undefined && !isAddress(advertise))
    throw invalid('cluster.advertise', advertise, "an address such as '10.0.0.7:3002'")
  const port = cluster.port ?? (servicePort === 0 ? 0 : servicePort + meshPortBehind)
  const interval = whole(heartbeatMs, 'cluster.heartbeatMs', 10, 10_000)
  return {
    seeds,
    port: whole(port, 'cluster.port', 0, 65_535),
    advertise,
    rack: whole(rack, 'cluster.rack', 0, largestRack),
    clockBound: 1000 * whole(clockSkewS, 'cluster.clockSkewS', 0, largestClockSkewS),
    heartbeat: { interval, timeout: whole(timeoutMs, 'cluster.timeoutMs', 4 * interval, 600_000) },
  }
}

function isAddress(text: unknown): text is string {
  return (
    typeof text === 'string' &&
    addressForm.test(text) &&
    Number(text.slice(text.lastIndexOf(':') + 1)) < 65_536
  )
}
