/** What `larder roster` shows of one strong namespace. */
import { count, type Pairs } from './status-text.ts'

/** Nodes as info says them: `A1`, or `A1@2` with its rack. */
export interface Roster {
  readonly namespace: string
  readonly inForce: readonly string[]
  readonly pending: readonly string[]
  readonly observed: readonly string[]
  readonly unavailable: number
  readonly dead: number
}

/** From the answers to `roster:namespace=NS` and `namespace/NS`. */
export function rosterOf(namespace: string, answer: string, statistics: Pairs): Roster {
  const nodesOf = (name: string): string[] => {
    const part = answer.split(':').find((each) => each.startsWith(`${name}=`))
    const list = part?.slice(name.length + 1) ?? ''
    return list === '' || list === 'null' ? [] : list.split(',').sort()
  }
  return {
    namespace,
    inForce: nodesOf('roster'),
    pending: nodesOf('pending_roster'),
    observed: nodesOf('observed_nodes'),
    unavailable: Number(statistics.get('unavailable_partitions') ?? 0),
    dead: Number(statistics.get('dead_partitions') ?? 0),
  }
}

/** These nodes decide, and nobody else is to. */
export function isInForce({ inForce, pending }: Roster, nodes: readonly string[]): boolean {
  const ids = (list: readonly string[]) =>
    list
      .map((node) => idOf(node).toUpperCase())
      .sort()
      .join()
  return pending.length === 0 && ids(inForce) === ids(nodes)
}

export function idOf(node: string): string {
  return node.split('@')[0]!
}

export function rosterLines(roster: Roster): string[] {
  const { namespace, inForce, pending, observed, unavailable, dead } = roster
  const listed = (nodes: readonly string[]) => (nodes.length === 0 ? 'none' : nodes.join(' '))
  return [
    namespace,
    `  in force     ${listed(inForce)}`,
    `  pending      ${listed(pending)}`,
    `  observed     ${listed(observed)}`,
    `  unavailable  ${count(unavailable)} partitions, ${count(dead)} of them dead`,
    ...advice(roster).map((line) => `  ${line}`),
  ]
}

/** What an operator may want to do about it. */
function advice({ namespace, inForce, pending, observed, dead }: Roster): string[] {
  if (inForce.length === 0 && pending.length === 0)
    return [`serves once nodes are named: larder roster set ${namespace} --all-observed`]
  const lines: string[] = []
  const without = (nodes: readonly string[], others: readonly string[]) => {
    const ids = others.map(idOf)
    return nodes.filter((node) => !ids.includes(idOf(node))).join(' ')
  }
  const decides = pending.length > 0 ? pending : inForce
  const [away, guests] = [without(decides, observed), without(observed, decides)]
  if (away !== '') lines.push(`not here: ${away}`)
  if (guests !== '') lines.push(`here, and not on the roster: ${guests}`)
  if (dead > 0)
    lines.push(
      `dead partitions lack a complete copy: start the nodes that had one, or larder roster revive ${namespace} (--help)`,
    )
  return lines
}
