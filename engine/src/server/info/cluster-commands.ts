import { infoError, infoParameters } from '../../protocol/info-text.ts'
import { ResultCode } from '../../values/result-code.ts'
import type { NodeState } from '../node-state.ts'
import { enterpriseOnly } from './identity-commands.ts'
import type { InfoCommands } from './info-command.ts'

const PARTITIONS = 4096
/** A node alone is master of all partitions. */
const ALL_PARTITIONS = Buffer.alloc(PARTITIONS / 8, 0xff).toString('base64')
/** Generation, default port, peers: a node alone has none. */
const NO_PEERS = '0,3000,[]'

/** What clients ask to find nodes and to learn who owns what. */
export const clusterCommands: InfoCommands = {
  'cluster-name': (node) => node.clusterName,
  'cluster-stable': clusterStable,
  partitions: () => String(PARTITIONS),
  'partition-generation': () => '0',
  'rebalance-generation': () => '1',
  'peers-generation': () => '0',
  'peers-clear-std': () => NO_PEERS,
  'peers-clear-alt': () => NO_PEERS,
  'peers-tls-std': enterpriseOnly,
  'peers-tls-alt': enterpriseOnly,
  'alumni-clear-std': () => NO_PEERS,
  'alumni-clear-alt': () => NO_PEERS,
  'alumni-tls-std': enterpriseOnly,
  'alumni-tls-alt': enterpriseOnly,
  service: serviceAddress,
  services: () => '',
  'services-alternate': () => '',
  'services-alumni': () => '',
  'services-alumni-reset': () => 'ok',
  'service-clear-std': serviceAddress,
  'service-clear-alt': () => '',
  'service-tls-std': enterpriseOnly,
  'service-tls-alt': enterpriseOnly,
  replicas: (node) => node.namespaces.map(({ name }) => `${name}:0,1,${ALL_PARTITIONS}`).join(';'),
  'replicas-all': (node) => node.namespaces.map(({ name }) => `${name}:1,${ALL_PARTITIONS}`).join(';'),
  'replicas-master': (node) => node.namespaces.map(({ name }) => `${name}:${ALL_PARTITIONS}`).join(';'),
  'partition-info': partitionInfo,
  'get-sl': (node) => node.id,
  mesh: (node) => serviceAddress(node),
  tip: tip,
  'tip-clear': tipClear,
  recluster: () => 'ok',
  racks: enterpriseOnly,
  'rack-ids': enterpriseOnly,
  roster: enterpriseOnly,
  'roster-set': enterpriseOnly,
  quiesce: enterpriseOnly,
  'quiesce-undo': enterpriseOnly,
  revive: enterpriseOnly,
}

function serviceAddress(node: NodeState): string {
  return `${node.host.includes(':') ? `[${node.host}]` : node.host}:${node.port}`
}

function clusterStable(node: NodeState, rest: string): string {
  const parameters = infoParameters(rest)
  const size = parameters.get('size')
  if (size !== undefined && Number(size) !== 1)
    return infoError(ResultCode.CLUSTER_KEY_MISMATCH, 'cluster not specified size')
  const namespace = parameters.get('namespace')
  if (namespace !== undefined && !node.namespace(namespace))
    return infoError(ResultCode.INVALID_NAMESPACE, 'namespace not found on node')
  return node.clusterKey
}

function partitionInfo(node: NodeState): string {
  const key = `${node.clusterKey.toLowerCase().padStart(12, '0')}.0.mp-`
  const rows = [
    'namespace:partition:state:n_replicas:replica:succession:n_dupl:working_master:proxy_dst:emigrates:' +
      'lead_emigrates:immigrates:records:tombstones:regime:tree_id:version:final_version',
  ]
  for (const { name } of node.namespaces) {
    for (let p = 0; p < PARTITIONS; p++)
      rows.push(`${name}:${p}:S:1:0:0:0:${node.id}:${node.id}:0:0:0:0:0:0:1:${key}:${key}`)
  }
  return rows.join(';')
}

function tip(_node: NodeState, rest: string): string {
  const parameters = infoParameters(rest)
  for (const name of ['host', 'port'])
    if (!parameters.has(name)) return infoError(ResultCode.PARAMETER, `missing '${name}'`)
  return 'ok'
}

function tipClear(_node: NodeState, rest: string): string {
  return infoParameters(rest).has('host-port-list')
    ? 'ok'
    : infoError(ResultCode.PARAMETER, "missing 'host-port-list'")
}
