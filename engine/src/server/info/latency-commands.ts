import { infoError, infoParameters } from '../../protocol/info-text.ts'
import { ResultCode } from '../../values/result-code.ts'
import type { LatencyHistogram, LatencyKind } from '../latency.ts'
import { latencyKinds } from '../latency.ts'
import type { NamespaceState, NodeState } from '../node-state.ts'
import type { InfoCommands } from './info-command.ts'

/** How long requests took. */
export const latencyCommands: InfoCommands = { latencies: latencies, 'larder-latencies': summary }

/** The columns are 1, 2, 4, ... 65536 ms. */
const COLUMNS = 17
const MICROS = 1000

/** Histograms of parts that this server does not have are there and never used. */
const unused = [
  'proxy',
  're-repl',
  'benchmarks-ops-sub',
  'benchmarks-udf',
  'benchmarks-udf-sub',
  'benchmarks-batch-sub',
]

function latencies(node: NodeState, rest: string): string {
  const hist = infoParameters(rest).get('hist')
  if (hist === undefined)
    return [
      row(node, 'batch-index', node.latencies.batch),
      ...node.namespaces.flatMap((namespace) => latencyKinds.map((kind) => rowOf(node, namespace, kind))),
    ].join(';')
  if (hist === 'batch-index') return row(node, hist, node.latencies.batch)
  const [, name, kind] = /^\{([^}]*)\}-(.+)$/.exec(hist) ?? []
  const namespace = name === undefined ? undefined : node.namespace(name)
  if (namespace && isKind(kind)) return rowOf(node, namespace, kind)
  if (namespace && unused.includes(kind!)) return `${hist}:`
  return infoError(ResultCode.PARAMETER, 'bad hist name')
}

function isKind(kind: string | undefined): kind is LatencyKind {
  return latencyKinds.some((known) => known === kind)
}

function rowOf(node: NodeState, { name, latencies }: NamespaceState, kind: LatencyKind): string {
  return row(node, `{${name}}-${kind}`, latencies.of(kind))
}

function row(node: NodeState, name: string, histogram: LatencyHistogram): string {
  if (histogram.total === 0) return `${name}:`
  const now = node.clock()
  const columns = Array.from({ length: COLUMNS }, (_, i) =>
    histogram.slowerThan(2 ** i * MICROS, now).toFixed(2),
  )
  return `${name}:msec,${histogram.perSecond(now).toFixed(1)},${columns.join(',')}`
}

/** Kinds that `larder status` shows. */
const shown = ['read', 'write', 'batch-sub-read', 'batch-sub-write'] as const

/**
 * Not a command of the real server: rates and percentiles in µs, finer than the columns above, for `larder status`.
 * `{test}-read:total,per-second,p50,p99,p999;…`, then `batch` and `commit-wait` of the whole node.
 */
function summary(node: NodeState): string {
  const now = node.clock()
  const line = (name: string, histogram: LatencyHistogram): string => {
    const percentiles = [0.5, 0.99, 0.999].map((share) => histogram.percentile(share, now).toFixed(0))
    return `${name}:${[histogram.total, histogram.perSecond(now).toFixed(1), ...percentiles].join(',')}`
  }
  return [
    ...node.namespaces.flatMap(({ name, latencies }) =>
      shown.map((kind) => line(`{${name}}-${kind}`, latencies.of(kind))),
    ),
    line('batch', node.latencies.batch),
    line('commit-wait', node.latencies.commitWait),
  ].join(';')
}
