import { infoError, infoPairs, infoParameters } from '../../protocol/info-text.ts'
import { ResultCode } from '../../values/result-code.ts'
import { EPOCH_2010_MS, voidTimeAt } from '../../values/void-time.ts'
import type { NamespaceState, NodeState, SetState } from '../node-state.ts'
import type { InfoCommands } from './info-command.ts'

/** Namespaces, sets, and what tools ask about them. */
export const namespaceCommands: InfoCommands = {
  namespaces: (node) => node.namespaces.map(({ name }) => name).join(';'),
  namespace: (node, rest) => {
    const namespace = node.namespace(rest)
    return namespace ? infoPairs(namespaceStatistics(node, namespace)) : 'type=unknown'
  },
  sets: sets,
  objects: (node) => String(node.namespaces.reduce((sum, { objects }) => sum + objects, 0)),
  histogram: histogram,
  'eviction-reset': (node, rest) => withNamespace(node, rest, () => 'ok'),
  'index-pressure': (node) => node.namespaces.map(({ name }) => `${name}:0:0`).join(';'),
}

/** Milliseconds between 1970 and 2010, where the protocol's own times begin. */

function sets(node: NodeState, rest: string): string {
  const [name = '', set] = rest.split('/')
  if (rest === '') return node.namespaces.map((namespace) => setList(namespace)).join('')
  const namespace = node.namespace(name)
  if (!namespace) return 'ns_type=unknown'
  if (set === undefined) return setList(namespace)
  const found = namespace.sets().find((state) => state.name === set)
  return found ? `${setText(namespace, found)};` : ''
}

function setList(namespace: NamespaceState): string {
  return namespace
    .sets()
    .map((set) => `ns=${namespace.name}:set=${set.name}:${setText(namespace, set)};`)
    .join('')
}

function setText(namespace: NamespaceState, set: SetState): string {
  const state: (readonly [string, string | number | boolean])[] = [
    ['objects', set.objects],
    ['tombstones', set.tombstones],
    ['data_used_bytes', set.dataBytes],
    ['truncate_lut', set.truncatedAt === 0 ? 0 : set.truncatedAt - EPOCH_2010_MS],
    ['sindexes', 0],
    ['index_populating', false],
    ['truncating', false],
  ]
  return infoPairs([...state, ...namespace.setSettings(set.name).entries()], ':')
}

const HISTOGRAMS = ['ttl', 'object-size', 'object-size-linear']

function histogram(node: NodeState, rest: string): string {
  const type = infoParameters(rest).get('type')
  return withNamespace(node, rest, () =>
    // Empty until it has run once, as on the real server; we keep none.
    type !== undefined && HISTOGRAMS.includes(type)
      ? ''
      : infoError(ResultCode.PARAMETER, 'unknown hist name'),
  )
}

/** The namespace that the parameters name, or the protocol's words for what is wrong with it. */
export function withNamespace(
  node: NodeState,
  rest: string,
  then: (namespace: NamespaceState, parameters: Map<string, string>) => string,
): string {
  const parameters = infoParameters(rest)
  const name = parameters.get('namespace') ?? parameters.get('ns') ?? parameters.get('id')
  if (name === undefined) return infoError(ResultCode.INVALID_NAMESPACE, "missing 'namespace'")
  if (name === '') return infoError(ResultCode.INVALID_NAMESPACE, "missing 'namespace' value")
  const namespace = node.namespace(name)
  return namespace
    ? then(namespace, parameters)
    : infoError(ResultCode.INVALID_NAMESPACE, 'namespace not found on node')
}

function* namespaceStatistics(
  node: NodeState,
  namespace: NamespaceState,
): Iterable<readonly [string, string | number | boolean]> {
  const ofCluster = node.cluster.statistics(namespace.name)
  yield* ofCluster
  for (const pair of namespace.statistics()) if (!ofCluster.has(pair[0])) yield pair
  yield ['current_time', voidTimeAt(node.clock())]
  yield* namespace.settings.entries()
}
