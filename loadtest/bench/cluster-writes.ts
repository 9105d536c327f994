import { ClusterProcesses, type ClusterMeasured } from './cluster-processes.ts'
import { has } from './processes.ts'
import { fixed, median, percent, printTable, ratio, thousands } from './table.ts'

const size = 3
const keys = 100_000
const rounds = 3
const seconds = 3
/** Of what the replicated namespace can do: the pace at which both have their latency taken. */
const halfPace = 0.5

type Copies = 'one' | 'two'

/**
 * Writes to a namespace with two copies of each record against one with a single copy, on the same three nodes, which
 * share a core: as fast as they go, and at the same pace for both. The rounds take turns; medians are shown.
 */
export async function clusterWrites(): Promise<void> {
  if (!has('go')) return
  const cluster = await ClusterProcesses.start({
    size,
    namespaces: ['one,replicationFactor=1', 'two,replicationFactor=2'],
  })
  try {
    for (const namespace of ['one', 'two'] as const)
      await cluster.load({ fill: true, keys, namespace, connections: 50 })
    const flat = await measure(cluster, {})
    const rate = Math.round(flat.two.perSecond * halfPace)
    const paced = await measure(cluster, { rate })
    printTable(
      ['', 'op/s', 'CPU µs/op', 'p50 µs', 'p99 µs', 'nodes busy', 'generator busy'],
      [...rowsOf('as fast as they go', flat), ...rowsOf(`at ${thousands(rate)} op/s`, paced)],
    )
    printTable(
      ['two copies over one', 'ratio', 'goal'],
      [
        ['throughput', ratio(flat.two.perSecond / flat.one.perSecond), 'at least 0.5×'],
        ['p99, as fast as they go', ratio(flat.two.p99Micros / flat.one.p99Micros), ''],
        ['p99, at the same pace', ratio(paced.two.p99Micros / paced.one.p99Micros), 'at most 2.5×'],
      ],
    )
  } finally {
    await cluster.stop()
  }
}

async function measure(
  cluster: ClusterProcesses,
  flags: Record<string, number>,
): Promise<Record<Copies, ClusterMeasured>> {
  const runs: Record<Copies, ClusterMeasured[]> = { one: [], two: [] }
  for (let round = 0; round < rounds; round++)
    for (const namespace of ['one', 'two'] as const)
      runs[namespace].push(await cluster.load({ operation: 'write', namespace, keys, seconds, ...flags }))
  return { one: middle(runs.one), two: middle(runs.two) }
}

/** Each figure the median of its own. */
function middle(runs: readonly ClusterMeasured[]): ClusterMeasured {
  const result = { ...runs[0]! }
  for (const name of Object.keys(result) as (keyof ClusterMeasured)[])
    Object.assign(result, { [name]: median(runs.map((run) => run[name])) })
  return result
}

function rowsOf(how: string, runs: Record<Copies, ClusterMeasured>): string[][] {
  return (['one', 'two'] as const).map((copies) => [
    `${copies === 'one' ? 'one copy' : 'two copies'}, ${how}`,
    thousands(runs[copies].perSecond),
    fixed(runs[copies].serverMicros, 1),
    thousands(runs[copies].p50Micros),
    thousands(runs[copies].p99Micros),
    percent(runs[copies].serverBusy),
    percent(runs[copies].generatorBusy),
  ])
}
