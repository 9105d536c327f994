import { infoError, infoParameters } from '../../protocol/info-text.ts'
import { ResultCode } from '../../values/result-code.ts'
import { PARTITIONS } from '../../values/digest.ts'
import type { Ownership, Peer } from '../cluster-state.ts'
import type { NodeState } from '../node-state.ts'
import { enterpriseOnly } from './identity-commands.ts'
import type { InfoCommand, InfoCommands } from './info-command.ts'

/** Stands in lists of peers; clients use it where an address names no port. */
const DEFAULT_PORT = 3000

/** What clients ask to find nodes and to learn who owns what. Source: protocol notes, cluster view. */
export const clusterCommands: InfoCommands = {
  'cluster-name': (node) => node.clusterName,
  'cluster-stable': clusterStable,
  partitions: () => String(PARTITIONS),
  'partition-generation': ({ cluster }) => String(cluster.generations.partition),
  'rebalance-generation': ({ cluster }) => String(cluster.generations.rebalance),
  'peers-generation': ({ cluster }) => String(cluster.generations.peers),
  'peers-clear-std': (node) => peerList(node, node.cluster.peers),
  'peers-clear-alt': (node) => peerList(node, []),
  'peers-tls-std': enterpriseOnly,
  'peers-tls-alt': enterpriseOnly,
  'alumni-clear-std': (node) => peerList(node, node.cluster.alumni),
  'alumni-clear-alt': (node) => peerList(node, []),
  'alumni-tls-std': enterpriseOnly,
  'alumni-tls-alt': enterpriseOnly,
  service: ({ cluster }) => cluster.addresses.join(';'),
  services: ({ cluster }) => addressesOf(cluster.peers),
  'services-alternate': () => '',
  'services-alumni': ({ cluster }) => addressesOf(cluster.alumni),
  'services-alumni-reset': () => 'ok',
  'service-clear-std': ({ cluster }) => cluster.addresses.join(','),
  'service-clear-alt': () => '',
  'service-tls-std': enterpriseOnly,
  'service-tls-alt': enterpriseOnly,
  replicas: byNamespace(({ regime, bitmaps }) => [regime, bitmaps.length, ...bitmaps].join()),
  'replicas-all': byNamespace(({ bitmaps }) => [bitmaps.length, ...bitmaps].join()),
  'replicas-master': byNamespace(({ bitmaps }) => bitmaps[0]!),
  'partition-info': partitionInfo,
  'get-sl': (node) => node.cluster.principal,
  mesh: ({ cluster }) => cluster.meshAddress,
  tip: tip,
  'tip-clear': tipClear,
}

/** `[[ID,,[host:port,…]],…]`; a port is left out where it is the one that stands in front. */
function peerList({ cluster }: NodeState, peers: readonly Peer[]): string {
  const usual = `:${DEFAULT_PORT}`
  const list = peers.map(({ id, addresses }) => {
    const hosts = addresses.map((address) =>
      address.endsWith(usual) ? address.slice(0, -usual.length) : address,
    )
    return `[${id},,[${hosts.join()}]]`
  })
  return `${cluster.generations.peers},${DEFAULT_PORT},[${list.join()}]`
}

function addressesOf(peers: readonly Peer[]): string {
  return peers.flatMap(({ addresses }) => addresses).join(';')
}

function byNamespace(text: (ownership: Ownership) => string): InfoCommand {
  return ({ namespaces, cluster }) =>
    namespaces.map(({ name }) => `${name}:${text(cluster.ownership(name))}`).join(';')
}

function clusterStable(node: NodeState, rest: string): string {
  const { cluster } = node
  const parameters = infoParameters(rest)
  const size = parameters.get('size')
  if (size !== undefined && Number(size) !== cluster.members.length)
    return infoError(ResultCode.CLUSTER_KEY_MISMATCH, 'cluster not specified size')
  const namespace = parameters.get('namespace')
  if (namespace !== undefined && !node.namespace(namespace))
    return infoError(ResultCode.INVALID_NAMESPACE, 'namespace not found on node')
  const isStable =
    cluster.isSettled &&
    (parameters.get('ignore-migrations') === 'true' || cluster.migrationsRemaining(namespace) === 0)
  return isStable ? cluster.key : infoError(ResultCode.CLUSTER_KEY_MISMATCH, 'unstable cluster')
}

function partitionInfo({ id, namespaces, cluster }: NodeState): string {
  const key = cluster.key.toLowerCase().padStart(12, '0')
  const rows = [
    'namespace:partition:state:n_replicas:replica:succession:n_dupl:working_master:proxy_dst:emigrates:' +
      'lead_emigrates:immigrates:records:tombstones:regime:tree_id:version:final_version',
  ]
  for (const { name } of namespaces) {
    const { regime } = cluster.ownership(name)
    for (const facts of cluster.partitions(name)) {
      const { state, replicas, replica, succession, duplicates, master, emigrates, immigrates } = facts
      const isMaster = master === id
      const own = `${state === 'A' ? '000000000000' : key}.0.${isMaster ? 'm' : '-'}p-`
      const final = `${key}.0.${isMaster ? 'm' : '-'}p-`
      rows.push(
        [
          ...[
            name,
            facts.partition,
            state,
            replicas,
            replica,
            succession,
            duplicates,
            isMaster ? id : 0,
            master,
          ],
          ...[Number(emigrates), 0, Number(immigrates), facts.records, 0, regime],
          ...[replica < 0 ? 0 : 1, own, final],
        ].join(':'),
      )
    }
  }
  return rows.join(';')
}

function tip({ cluster }: NodeState, rest: string): string {
  const parameters = infoParameters(rest)
  for (const name of ['host', 'port'])
    if (!parameters.has(name)) return infoError(ResultCode.PARAMETER, `missing '${name}'`)
  const port = Number(parameters.get('port'))
  if (Number.isInteger(port) && port > 0 && port < 65_536)
    cluster.tip(`${parameters.get('host') ?? ''}:${port}`)
  return 'ok'
}

function tipClear(_node: NodeState, rest: string): string {
  return infoParameters(rest).has('host-port-list')
    ? 'ok'
    : infoError(ResultCode.PARAMETER, "missing 'host-port-list'")
}
