/** The part of `larder status` that shows all nodes of a cluster. */
import { count, type Pairs, pairsOf, size } from './status-text.ts'

/** What one look at one node of the cluster gives. */
export interface NodeSample {
  readonly address: string
  /** Undefined when it did not answer. */
  readonly info: ReadonlyMap<string, string> | undefined
}

const COLUMNS = [18, 22, 9, 10, 12, 12, 12, 11, 12]
const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i < 2 ? cell.padEnd(COLUMNS[i]!) : cell.padStart(COLUMNS[i]!))).join('')

/** The lines of one screen; none for a node that is alone. */
export function clusterFrame(nodes: readonly NodeSample[]): string[] {
  if (nodes.length < 2) return []
  const lines = [
    headline(nodes),
    '',
    row([
      'node',
      'address',
      'masters',
      'replicas',
      'objects',
      'unavailable',
      'migrations',
      'proxied',
      'memory',
    ]),
  ]
  for (const { address, info } of nodes)
    lines.push(info ? nodeRow(address, info) : row(['', address, 'no answer']))
  lines.push('')
  return lines
}

function headline(nodes: readonly NodeSample[]): string {
  const answering = nodes.flatMap(({ info }) => (info ? [info] : []))
  const statistics = answering.map((info) => pairsOf(info.get('statistics')))
  const keys = new Set(statistics.map((pairs) => pairs.get('cluster_key')))
  const moving = statistics.reduce(
    (sum, pairs) => sum + Number(pairs.get('migrate_partitions_remaining') ?? 0),
    0,
  )
  const isSettled = statistics.every((pairs) => pairs.get('cluster_integrity') === 'true')
  const state =
    keys.size > 1 || !isSettled
      ? 'making a new view'
      : moving > 0
        ? `${count(moving)} copies of partitions to fill or hand over`
        : 'settled'
  const name = answering[0]?.get('cluster-name') ?? ''
  const principal = statistics[0]?.get('cluster_principal') ?? ''
  return `cluster ${name}  ${answering.length} of ${nodes.length} nodes answer, led by ${principal}: ${state}${clocks(statistics)}`
}

/** As the node sees it whose clocks are the most apart. */
function clocks(statistics: readonly Pairs[]): string {
  const skews = statistics.map((pairs) => Number(pairs.get('cluster_clock_skew_ms') ?? 0))
  const outliers = new Set(
    statistics
      .map((pairs) => pairs.get('cluster_clock_skew_outliers') ?? 'null')
      .flatMap((ids) => (ids === 'null' ? [] : ids.split(','))),
  )
  const apart = `; clocks ${count(Math.max(0, ...skews))} ms apart`
  return outliers.size === 0 ? apart : `${apart}, OFF: ${[...outliers].join(', ')}`
}

function nodeRow(address: string, info: ReadonlyMap<string, string>): string {
  const statistics = pairsOf(info.get('statistics'))
  const namespaces = (info.get('namespaces') ?? '')
    .split(';')
    .map((name) => pairsOf(info.get(`namespace/${name}`)))
  const sum = (...names: readonly string[]): number =>
    namespaces.reduce(
      (all, pairs) => all + names.reduce((own, name) => own + Number(pairs.get(name) ?? 0), 0),
      0,
    )
  const [masters, replicas] = partitionsOf(info.get('replicas') ?? '')
  return row([
    `${info.get('node') ?? ''}${namespaces[0]?.get('effective_is_quiesced') === 'true' ? ' quiesced' : ''}`,
    address,
    count(masters),
    count(replicas),
    count(Number(statistics.get('objects') ?? 0)),
    count(sum('unavailable_partitions')),
    count(Number(statistics.get('migrate_partitions_remaining') ?? 0)),
    count(sum('client_proxy_complete', 'batch_sub_proxy_complete')),
    size(Number(statistics.get('heap_mapped_kbytes') ?? 0) * 1024),
  ])
}

/** How many partitions, of all namespaces, the node is master of, and how many it is another replica of. */
function partitionsOf(replicas: string): [number, number] {
  let [masters, others] = [0, 0]
  for (const namespace of replicas.split(';')) {
    const [, , master = '', ...rest] = namespace.split(',')
    masters += bitsOf(master)
    for (const map of rest) others += bitsOf(map)
  }
  return [masters, others]
}

function bitsOf(map: string): number {
  let bits = 0
  for (let byte of Buffer.from(map, 'base64')) for (; byte > 0; byte >>= 1) bits += byte & 1
  return bits
}
