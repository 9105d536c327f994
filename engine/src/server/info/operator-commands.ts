/**
 * What operators of a cluster ask for: racks, rosters, and nodes that are about to leave. A lone node answers as the
 * Community Edition does, a clustered one as an Enterprise server.
 */
import type { RosterControl, RosterSeat, RosterState } from '../../cluster/roster-control.ts'
import { infoError, infoParameters } from '../../protocol/info-text.ts'
import { ResultCode } from '../../values/result-code.ts'
import type { ClusterState } from '../cluster-state.ts'
import type { NamespaceState, NodeState } from '../node-state.ts'
import { enterpriseOnly } from './identity-commands.ts'
import type { InfoCommand, InfoCommands } from './info-command.ts'
import { withNamespace } from './namespace-commands.ts'

export const operatorCommands: InfoCommands = {
  recluster: ({ cluster }) => {
    cluster.recluster()
    return 'ok'
  },
  racks: clustered(racks),
  'rack-ids': clustered(rackIds),
  roster: clustered(roster),
  'roster-set': clustered(rosterSet),
  quiesce: clustered(({ cluster }) => quiesce(cluster, true)),
  'quiesce-undo': clustered(({ cluster }) => quiesce(cluster, false)),
  revive: clustered(revive),
}

function clustered(command: (node: NodeState, rest: string) => string): InfoCommand {
  return (node, rest) => (node.cluster.isClustered ? command(node, rest) : enterpriseOnly())
}

/** Takes effect with the next view, which `recluster:` asks for. */
function quiesce(cluster: ClusterState, quiesced: boolean): string {
  cluster.quiesce(quiesced)
  return 'ok'
}

/** `ns=NAME:rack_1=A1,A2:rack_2=A3;…` */
function racks({ namespaces, cluster }: NodeState): string {
  const byRack = new Map<number, string[]>()
  for (const { id, rack } of cluster.members) byRack.set(rack, [...(byRack.get(rack) ?? []), id])
  const text = [...byRack]
    .sort(([a], [b]) => a - b)
    .map(([rack, ids]) => `:rack_${rack}=${ids.join()}`)
    .join('')
  return namespaces.map(({ name }) => `ns=${name}${text}`).join(';')
}

function rackIds({ id, namespaces, cluster }: NodeState): string {
  const rack = cluster.members.find((member) => member.id === id)?.rack ?? 0
  return namespaces.map(({ name }) => `${name}:${rack}`).join(';')
}

function roster(node: NodeState, rest: string): string {
  if (infoParameters(rest).has('namespace'))
    return withNamespace(node, rest, ({ name }) => rosterText(node.cluster.rosters?.rosterOf(name)))
  return node.namespaces
    .map(({ name }) => `ns=${name}:${rosterText(node.cluster.rosters?.rosterOf(name))}`)
    .join(';')
}

function rosterText(state: RosterState | undefined): string {
  const { roster, pending, observed } = state ?? {}
  return `roster=${seatsText(roster)}:pending_roster=${seatsText(pending)}:observed_nodes=${seatsText(observed)}`
}

/** A rack stands behind its node, unless it is 0. */
function seatsText(seats: readonly RosterSeat[] | undefined): string {
  if (!seats || seats.length === 0) return 'null'
  return seats.map(({ id, rack }) => (rack === 0 ? id : `${id}@${rack}`)).join()
}

/** `roster-set:namespace=NS;nodes=A1,A2@7`; takes effect with the next view, which `recluster:` asks for. */
function rosterSet(node: NodeState, rest: string): string {
  return withStrong(node, rest, (rosters, { name }, parameters) => {
    const nodes = parameters.get('nodes')
    if (nodes === undefined) return infoError(ResultCode.PARAMETER, "missing 'nodes'")
    const observed = rosters.rosterOf(name)?.observed ?? []
    const known = [...observed, ...(rosters.rosterOf(name)?.roster ?? [])]
    const seats: RosterSeat[] = []
    for (const part of nodes.split(',')) {
      const [id = '', rack] = part.split('@')
      const seat = known.find((other) => other.id === id.toUpperCase())
      if (!seat) return infoError(ResultCode.PARAMETER, `node ${part} is not in the cluster`)
      seats.push(rack === undefined ? seat : { ...seat, rack: Number(rack) })
    }
    return okOr(rosters.setRoster(name, seats))
  })
}

function revive(node: NodeState, rest: string): string {
  return withStrong(node, rest, (rosters, { name }) => okOr(rosters.revive(name)))
}

function withStrong(
  node: NodeState,
  rest: string,
  then: (rosters: RosterControl, namespace: NamespaceState, parameters: Map<string, string>) => string,
): string {
  return withNamespace(node, rest, (namespace, parameters) => {
    const { rosters } = node.cluster
    if (!rosters?.rosterOf(namespace.name))
      return infoError(ResultCode.PARAMETER, `namespace ${namespace.name} is not in strong consistency mode`)
    return then(rosters, namespace, parameters)
  })
}

function okOr(refusal: string | undefined): string {
  return refusal === undefined ? 'ok' : infoError(ResultCode.PARAMETER, refusal)
}
