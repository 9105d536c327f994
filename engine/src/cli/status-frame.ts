import { clusterFrame, type NodeSample } from './cluster-frame.ts'
import { count, type Pairs, pairsOf, size } from './status-text.ts'

/** What one look at a node gives. */
export interface StatusSample {
  /** ms */
  readonly at: number
  readonly address: string
  readonly info: ReadonlyMap<string, string>
  /** All nodes of its cluster, itself first; that one alone where it is alone. */
  readonly nodes: readonly NodeSample[]
}

interface Latency {
  readonly total: number
  readonly percentiles: readonly number[]
}

function latenciesOf(text: string | undefined): ReadonlyMap<string, Latency> {
  return new Map(
    (text ?? '')
      .split(';')
      .filter(Boolean)
      .map((row) => {
        const [name = '', numbers = ''] = row.split(':')
        const [total = 0, , ...percentiles] = numbers.split(',').map(Number)
        return [name, { total, percentiles }] as const
      }),
  )
}

const time = (micros: number): string =>
  micros >= 1e6
    ? `${(micros / 1e6).toFixed(1)} s`
    : micros >= 1000
      ? `${(micros / 1000).toFixed(1)} ms`
      : `${micros} µs`

function uptime(seconds: number): string {
  const days = Math.floor(seconds / 86_400)
  return `${days > 0 ? `${days} d ` : ''}${new Date((seconds % 86_400) * 1000).toISOString().slice(11, 19)}`
}

const COLUMNS = [26, 12, 11, 11, 13, 13]
/** What every namespace has; other rows are shown once they have been used. */
const ALWAYS = /^\{[^}]*\}-(read|write)$/
const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(COLUMNS[0]!) : cell.padStart(COLUMNS[i]!))).join('')

/** The lines of one screen, from the sample now and the one before; rates are of the time between them. */
export function statusFrame(now: StatusSample, before: StatusSample | undefined): string[] {
  const { info } = now
  const node = pairsOf(info.get('statistics'))
  const number = (pairs: Pairs, name: string): number => Number(pairs.get(name) ?? 0)
  const lines = [
    `Larder ${info.get('build') ?? ''}  node ${info.get('node') ?? ''} at ${now.address}  up ${uptime(number(node, 'uptime'))}`,
    `connections ${count(number(node, 'client_connections'))}   objects ${count(number(node, 'objects'))}   ` +
      `memory ${size(number(node, 'heap_mapped_kbytes') * 1024)}`,
    '',
    ...clusterFrame(now.nodes),
    row(['namespace', 'objects', 'index', 'data', 'stop-writes', 'tombstones']),
  ]
  const namespaces = (info.get('namespaces') ?? '').split(';').filter(Boolean)
  for (const name of namespaces) {
    const pairs = pairsOf(info.get(`namespace/${name}`))
    lines.push(
      row([
        name,
        count(number(pairs, 'objects')),
        size(number(pairs, 'index_used_bytes')),
        size(number(pairs, 'data_used_bytes')),
        pairs.get('stop_writes') === 'true' ? 'YES' : 'no',
        count(number(pairs, 'tombstones')),
      ]),
    )
  }
  lines.push('', row(['requests', 'per second', 'p50', 'p99', 'p99.9', 'total']))
  const latencies = latenciesOf(info.get('larder-latencies'))
  const earlier = latenciesOf(before?.info.get('larder-latencies'))
  for (const [name, { total, percentiles }] of latencies) {
    if (total === 0 && !ALWAYS.test(name)) continue
    const seconds = before ? (now.at - before.at) / 1000 : 0
    const rate = seconds > 0 ? (total - (earlier.get(name)?.total ?? 0)) / seconds : 0
    lines.push(row([name, count(rate), ...percentiles.map(time), count(total)]))
  }
  return lines
}
