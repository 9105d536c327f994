/** What must hold at the end of a run of an AP cluster, when nothing is broken any more and nothing moves. */
import type { Operation, Read } from './cluster-clients.ts'
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

/** What was seen of a record, by a client or at the end. */
export type Sight = readonly [key: string, text: string | undefined]

/** All nodes know the same truncation of the set; where nothing may be lost, none that was said is missing. */
export function checkTruncation(nodes: readonly ClusterSimNode[], set: string, atLeast: number): string[] {
  const found: string[] = []
  const known = nodes.map(({ running }) => {
    const entry = running?.node.metadata.entries.find(
      (each) => each.kind === 'truncation' && each.set === set,
    )
    return entry?.kind === 'truncation' ? entry.before : 0
  })
  if (new Set(known).size > 1) found.push(`metadata: nodes know truncations before ${known.join(' and ')}`)
  if (Math.max(...known) < atLeast) found.push(`metadata: nobody knows the truncation before ${atLeast}`)
  return found
}

/**
 * With or without splits: what is seen of a record is one version that was written, whole. No operation happened
 * twice, none that was refused happened at all, and each version is what its last two operations said they left.
 */
export function checkWhole(operations: readonly Operation[], sights: Iterable<Sight>): string[] {
  const found: string[] = []
  const byWord = new Map(operations.map((operation) => [operation.word, operation]))
  for (const [key, text] of sights) {
    if (text === undefined) continue
    const words = wordsOf(text)
    if (new Set(words).size !== words.length) found.push(`twice: ${key} is ${text}`)
    const own = words.map((word) => byWord.get(word))
    if (words.join('') !== text || own.some((each) => each?.key !== key || each.outcome === 'refused')) {
      found.push(`whole: ${key} is ${text}, which nobody wrote`)
      continue
    }
    let end = text.length
    for (const each of own.slice(-2).reverse()) {
      const left = text.slice(0, end)
      if (each?.log !== undefined && each.log !== left)
        found.push(`whole: ${key} is ${text}, but ${each.word} left ${each.log}`)
      end -= each?.word.length ?? 0
    }
  }
  return found
}

function wordsOf(log: string | undefined): string[] {
  return log?.match(/[0-9]+\./g) ?? []
}

/** Which acknowledged operations a sight must show: those that began and ended within. */
interface Span {
  readonly since: number
  readonly before: number
}

/**
 * While nothing is broken and every copy is whole, a read shows what was acknowledged before it began: all of it where
 * nothing may be lost, else what was acknowledged in this quiet time.
 */
export function checkReads(
  operations: readonly Operation[],
  reads: readonly Read[],
  mayLose: boolean,
): string[] {
  const found: string[] = []
  const ownOf = Map.groupBy(operations, ({ key }) => key)
  for (const { key, began, ended, text, quietSince } of reads) {
    if (quietSince === undefined) continue
    const span = { since: mayLose ? quietSince : 0, before: began }
    const own = (ownOf.get(key) ?? []).filter((operation) => operation.began < ended)
    const there = new Set(wordsOf(text))
    for (const operation of own) {
      if (operation.kind !== 'count' || !isDue(operation, span) || there.has(operation.word)) continue
      found.push(`stale: ${key} was read at ${began} without ${operation.word} of ${operation.ended}`)
    }
    if (own.some(({ kind }) => kind !== 'count')) {
      found.push(...checkNote(key, own, text, span).map((each) => `stale, read at ${began}, ${each}`))
    }
  }
  return found
}

function isDue({ outcome, began, ended }: Operation, { since, before }: Span): boolean {
  return outcome === 'ok' && began >= since && ended! < before
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

/** The state comes from an operation that no due one began after. */
function checkNote(
  key: string,
  own: readonly Operation[],
  log: string | undefined,
  span: Span = { since: 0, before: Infinity },
): string[] {
  const wrote = ({ kind, word }: Operation) => (log === undefined ? kind === 'delete' : word === log)
  const isOvertaken = ({ outcome, ended }: Operation) =>
    outcome === 'ok' && own.some((later) => isDue(later, span) && later.began > ended!)
  const possible = own.filter((operation) => wrote(operation) && operation.outcome !== 'refused')
  const neverWritten =
    log === undefined && own.every((operation) => operation.kind === 'delete' || !isDue(operation, span))
  if (neverWritten || possible.some((operation) => !isOvertaken(operation))) return []
  const history = own.map(({ kind, word, began, ended, outcome }) => {
    return `${kind} ${word} ${began.toFixed(1)} to ${ended?.toFixed(1)} ${outcome}`
  })
  return [`lost: ${key} is ${log}\n  ${history.join('\n  ')}`]
}
