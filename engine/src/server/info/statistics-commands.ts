import { freemem, totalmem } from 'node:os'
import { infoError, infoPairs } from '../../protocol/info-text.ts'
import { ResultCode } from '../../values/result-code.ts'
import type { NodeState } from '../node-state.ts'
import type { InfoCommands } from './info-command.ts'

/** Numbers about the node as a whole, and what else tools look at. */
export const statisticsCommands: InfoCommands = {
  statistics: (node) => infoPairs(statistics(node)),
  'get-stats': (_node, rest) => (rest === '' ? infoError(ResultCode.PARAMETER, "missing 'context'") : ''),
  'health-outliers': () => '',
  'health-stats': () => '',
  'best-practices': () => 'failed_best_practices=none',
  'user-agents': userAgents,
  'user-agent-set': setUserAgent,
}

const KIB = 1024

function* statistics(node: NodeState): Iterable<readonly [string, string | number | boolean]> {
  const { counters, cluster } = node
  const memory = process.memoryUsage()
  const freePct = Math.round((freemem() * 100) / totalmem())
  yield ['failed_best_practices', false]
  yield ['cluster_size', cluster.members.length]
  yield ['cluster_key', cluster.key]
  yield ['cluster_generation', cluster.generations.rebalance]
  yield ['cluster_principal', cluster.principal]
  yield ['cluster_min_compatibility_id', 15]
  yield ['cluster_max_compatibility_id', 15]
  yield ['cluster_integrity', cluster.isSettled]
  yield ['cluster_is_member', cluster.generations.partition >= 0]
  yield ['cluster_duplicate_nodes', 'null']
  yield ['cluster_clock_skew_stop_writes_sec', cluster.clocks.bound / 1000]
  yield ['cluster_clock_skew_ms', cluster.clocks.skew]
  yield ['cluster_clock_skew_outliers', cluster.clocks.outliers.join() || 'null']
  yield ['uptime', Math.floor((node.clock() - node.startedAt) / 1000)]
  yield ['system_free_mem_kbytes', Math.floor(freemem() / KIB)]
  yield ['system_free_mem_pct', freePct]
  yield ['heap_allocated_kbytes', Math.floor((memory.heapUsed + memory.arrayBuffers) / KIB)]
  yield ['heap_active_kbytes', Math.floor((memory.heapTotal + memory.arrayBuffers) / KIB)]
  yield ['heap_mapped_kbytes', Math.floor(memory.rss / KIB)]
  yield ['objects', node.namespaces.reduce((sum, { objects }) => sum + objects, 0)]
  yield [
    'tombstones',
    node.namespaces.reduce(
      (sum, namespace) => sum + Number(namespace.statistics().get('tombstones') ?? 0),
      0,
    ),
  ]
  yield ['info_queue', 0]
  yield ['rw_in_progress', 0]
  yield ['proxy_in_progress', 0]
  yield ['client_connections', node.connections()]
  yield ['client_connections_opened', counters.connectionsOpened]
  yield ['client_connections_closed', counters.connectionsClosed]
  yield ['admin_connections', 0]
  yield ['heartbeat_connections', 0]
  yield ['fabric_connections', 0]
  yield ['reaped_fds', counters.connectionsCutOff]
  yield ['info_complete', counters.infoRequests]
  yield ['info_timeout', 0]
  yield ['demarshal_error', counters.refusedStreams]
  yield ['early_tsvc_client_error', 0]
  yield ['larder_faults', node.faults.count]
  yield ['larder_refused_times', cluster.clocks.refusedTimes]
  yield ['long_queries_active', 0]
  yield ['paxos_principal', cluster.principal]
  yield ['time_since_rebalance', Math.floor((node.clock() - cluster.rebalancedAt) / 1000)]
  yield ['migrate_allowed', cluster.isSettled]
  yield ['migrate_partitions_remaining', cluster.migrationsRemaining()]
}

function userAgents(node: NodeState): string {
  return [...node.userAgents].map(([agent, count]) => `user-agent=${agent}:count=${count};`).join('')
}

/** Distinct agents remembered; a client may send any text. */
const MAX_AGENTS = 1000
const MAX_AGENT_CHARACTERS = 1024

function setUserAgent(node: NodeState, rest: string, caller: { userAgent?: string }): string {
  const [, value] = /(?:^|;)value=([^;]*)/.exec(rest) ?? []
  if (value === undefined) return infoError(ResultCode.PARAMETER, "missing 'value'")
  if (
    !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value) ||
    value.length > MAX_AGENT_CHARACTERS
  )
    return infoError(ResultCode.PARAMETER, "'value' invalid base64")
  forgetUserAgent(node, caller)
  if (node.userAgents.size >= MAX_AGENTS && !node.userAgents.has(value)) return 'ok'
  caller.userAgent = value
  node.userAgents.set(value, (node.userAgents.get(value) ?? 0) + 1)
  return 'ok'
}

/** Counts a connection out that has sent its agent. */
export function forgetUserAgent(node: NodeState, caller: { userAgent?: string }): void {
  if (caller.userAgent === undefined) return
  const count = node.userAgents.get(caller.userAgent)! - 1
  if (count > 0) node.userAgents.set(caller.userAgent, count)
  else node.userAgents.delete(caller.userAgent)
  caller.userAgent = undefined
}
