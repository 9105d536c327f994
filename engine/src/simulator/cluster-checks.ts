/** What must hold at the end of a run of an AP cluster, when nothing is broken any more and nothing moves. */
import type { Operation } from './cluster-clients.ts'
import type { ClusterSimNode } from './cluster-sim-node.ts'
import type { ClusterWorld } from './cluster-world.ts'
import { describeVersion } from './describe-message.ts'
import { namespaceName } from './cluster-world.ts'

/** A record as clients find it: its log, or nothing. */
export type FinalState = ReadonlyMap<string, string | undefined>

/** All nodes in one view, all replicas of a partition equal, and nobody else with anything. */
export function checkConvergence(world: ClusterWorld, nodes: readonly ClusterSimNode[]): string[] {
  const found: string[] = []
  const views = new Set(nodes.map((node) => node.running?.node.serving))
  if (views.size !== 1 || views.has(undefined))
    found.push(`convergence: nodes serve in ${[...views].join(' and ')}`)
  for (let partition = 0; partition < world.partitions; partition++) {
    const place = nodes[0]?.running?.node.namespaces.get(namespaceName)?.place(partition)
    if (!place) continue
    const contents = new Map<string, string>()
    for (const { id, running } of nodes) {
      const lines: string[] = []
      running?.copies.scan(partition, undefined, (version) => {
        lines.push(`${describeVersion(version)} ${version.bins.toString('hex')}`)
        return true
      })
      contents.set(id, lines.join('\n'))
    }
    const wanted = contents.get(place.master)
    for (const [id, content] of contents) {
      const isReplica = place.replicas.includes(id)
      if (isReplica && content !== wanted) {
        found.push(`convergence: p${partition} differs, ${place.master}:\n${wanted}\n${id}:\n${content}`)
      }
      if (!isReplica && content !== '') found.push(`convergence: ${id} still holds some of p${partition}`)
    }
    if (place.master !== place.replicas[0])
      found.push(`convergence: p${partition} has master ${place.master}`)
  }
  return found
}

/** No operation happened twice, and each record is one version whole, with or without splits. */
export function checkWhole(operations: readonly Operation[], state: FinalState): string[] {
  const found: string[] = []
  const byWord = new Map(operations.map((operation) => [operation.word, operation]))
  for (const [key, log] of state) {
    if (log === undefined) continue
    const words = wordsOf(log)
    if (new Set(words).size !== words.length) found.push(`twice: ${key} is ${log}`)
    const last = byWord.get(words.at(-1) ?? '')
    if (!last || last.key !== key || last.outcome === 'refused') {
      found.push(`whole: ${key} is ${log}, which nobody wrote`)
    } else if (last.log !== undefined && last.log !== log) {
      found.push(`whole: ${key} is ${log}, but ${last.word} left ${last.log}`)
    }
  }
  return found
}

function wordsOf(log: string | undefined): string[] {
  return log?.match(/[0-9]+\./g) ?? []
}

/** Without splits and with fewer than RF nodes lost at a time: everything acknowledged is there. */
export function checkNothingLost(operations: readonly Operation[], state: FinalState): string[] {
  const found: string[] = []
  for (const [key, log] of state) {
    const own = operations.filter((operation) => operation.key === key)
    const words = wordsOf(log)
    const there = new Set(words)
    for (const { kind, word, outcome, ended, log: before } of own) {
      if (kind !== 'count' || outcome !== 'ok' || there.has(word)) continue
      const left = wordsOf(before)
      const parted = left.findIndex((each, index) => each !== words[index])
      const since = (all: readonly string[]) => all.slice(Math.max(0, parted - 2), parted + 8).join('')
      found.push(`lost: ${word} on ${key}, acknowledged at ${ended}: …${since(left)} became …${since(words)}`)
    }
    if (own.some(({ kind }) => kind !== 'count')) found.push(...checkNote(key, own, log))
  }
  return found
}

/** The state comes from an operation that no acknowledged one began after. */
function checkNote(key: string, own: readonly Operation[], log: string | undefined): string[] {
  const wrote = ({ kind, word }: Operation) => (log === undefined ? kind === 'delete' : word === log)
  const isOvertaken = ({ outcome, ended }: Operation) =>
    outcome === 'ok' && own.some((later) => later.outcome === 'ok' && later.began > ended!)
  const possible = own.filter((operation) => wrote(operation) && operation.outcome !== 'refused')
  const neverWritten =
    log === undefined && own.every(({ kind, outcome }) => kind === 'delete' || outcome !== 'ok')
  if (neverWritten || possible.some((operation) => !isOvertaken(operation))) return []
  const history = own.map(({ kind, word, began, ended, outcome }) => {
    return `${kind} ${word} ${began.toFixed(1)} to ${ended?.toFixed(1)} ${outcome}`
  })
  return [`lost: ${key} is ${log}\n  ${history.join('\n  ')}`]
}
