import { ClusterProcesses, type ClusterMeasured } from './cluster-processes.ts'
import { CpuQuota } from './cpu-quota.ts'
import { has } from './processes.ts'
import { fixed, percent, printTable, ratio, thousands } from './table.ts'

/** There and back again, so that what changes with time meets all sizes alike. */
const order = [1, 2, 4, 4, 2, 1]
/** Of a core for each node: four of them leave the core some air. */
const quota = 0.2
const keys = 20_000
const seconds = 3
/** For each load before its quota, and as long for each node: what is measured is not the compiler. */
const warmSeconds = 1
/** So many that a node which has used up its share does not hold all of them while others have nothing to do. */
const connections = 256

const loads = {
  reads: { namespace: 'one', operation: 'read' },
  'writes, one copy': { namespace: 'one', operation: 'write' },
  'writes, two copies': { namespace: 'two', operation: 'write' },
} as const
type LoadName = keyof typeof loads

/** Throughput and CPU per operation at 1, 2 and 4 nodes that have the same CPU each. */
export async function clusterScaleOut(): Promise<void> {
  if (!has('go')) return
  const probe = CpuQuota.create()
  if (!probe) return console.log('  left out: this machine does not let us make a cgroup with a CPU quota\n')
  probe.remove()
  const runs = new Map<string, ClusterMeasured[]>()
  for (const size of order) {
    for (const [name, run] of await measure(size)) {
      const key = `${size} ${name}`
      runs.set(key, [...(runs.get(key) ?? []), run])
    }
  }
  const mean = (size: number, name: LoadName, field: keyof ClusterMeasured) => {
    const values = (runs.get(`${size} ${name}`) ?? []).map((run) => run[field])
    return values.reduce((sum, value) => sum + value, 0) / values.length
  }
  const names = Object.keys(loads) as LoadName[]
  const sizes = [1, 2, 4]
  printTable(
    [
      `nodes with ${percent(quota)} of a core`,
      'op/s',
      'CPU µs/op',
      'p99 µs',
      'quota used up',
      'generator busy',
    ],
    names.flatMap((name) =>
      sizes
        .filter((size) => runs.has(`${size} ${name}`))
        .map((size) => [
          `${name}, ${size} node${size === 1 ? '' : 's'}`,
          thousands(mean(size, name, 'perSecond')),
          fixed(mean(size, name, 'serverMicros'), 1),
          thousands(mean(size, name, 'p99Micros')),
          percent(mean(size, name, 'throttled')),
          percent(mean(size, name, 'generatorBusy')),
        ]),
    ),
  )
  const over = (name: LoadName, field: keyof ClusterMeasured, from: number) =>
    ratio(mean(4, name, field) / mean(from, name, field))
  printTable(
    ['four nodes over one', 'throughput', 'goal', 'CPU per op'],
    [
      ['reads', over('reads', 'perSecond', 1), '3.60×', over('reads', 'serverMicros', 1)],
      [
        'writes, one copy',
        over('writes, one copy', 'perSecond', 1),
        '3.40×',
        over('writes, one copy', 'serverMicros', 1),
      ],
      [
        'writes, two copies (over two nodes)',
        over('writes, two copies', 'perSecond', 2),
        '',
        over('writes, two copies', 'serverMicros', 2),
      ],
    ],
  )
}

async function measure(size: number): Promise<Map<LoadName, ClusterMeasured>> {
  const namespaces = ['one,replicationFactor=1', 'two,replicationFactor=2']
  const cluster = await ClusterProcesses.start({ size, namespaces, hasQuota: true })
  const runs = new Map<LoadName, ClusterMeasured>()
  try {
    for (const namespace of ['one', 'two']) await cluster.load({ fill: true, keys, namespace, connections })
    const names = (Object.keys(loads) as LoadName[]).filter(
      (name) => size > 1 || loads[name].namespace !== 'two',
    )
    for (const name of names)
      await cluster.load({ ...loads[name], keys, connections, seconds: warmSeconds * size })
    cluster.limit(quota)
    for (const name of names)
      runs.set(name, await cluster.load({ ...loads[name], keys, connections, seconds }))
    return runs
  } finally {
    await cluster.stop()
  }
}
