import { type ClusterMeasured, ClusterProcesses } from './cluster-processes.ts'
import { has } from './processes.ts'
import { fixed, printTable, ratio, thousands } from './table.ts'

const size = 3
const keys = 1_000_000
const connections = 32
const namespace = 'test'
const seconds = 5
/** Of the measured capacity: the pace of the clients. */
const pace = 0.5
/** Of a core for each node, so that the new one brings its own: four of them and the generator leave two cores some air. */
const quota = 0.4

/**
 * A node joins three that hold a million records: how many records a second move, and what clients that read and
 * write at half of the capacity feel of it. Each node has the same CPU, where this machine lets us see to that.
 */
export async function clusterMigration(): Promise<void> {
  if (!has('go')) return
  const cluster = await ClusterProcesses.start({
    ...{ size, hasQuota: true, floats: true },
    namespaces: [`${namespace},replicationFactor=2,memoryMiB=2048`],
  })
  try {
    await cluster.load({ fill: true, keys, namespace, connections: 200 })
    cluster.limit(quota)
    const mixed = { operation: 'mixed', keys, connections, namespace }
    const capacity = await cluster.load({ ...mixed, seconds })
    const rate = Math.round(capacity.perSecond * pace)
    const quiet = await cluster.load({ ...mixed, rate, seconds })
    const movedBefore = await cluster.sum(namespace, 'migrate_records_transmitted')
    const began = performance.now()
    await cluster.add()
    let isOver = false
    const settled = cluster
      .whenStable()
      .then(() => (performance.now() - began) / 1000)
      .finally(() => (isOver = true))
    // What a run of the generator fails with is told first.
    settled.catch(() => undefined)
    const during: ClusterMeasured[] = []
    while (!isOver) during.push(await cluster.load({ ...mixed, rate, seconds, refresh: true }, true))
    const stable = await settled
    const moved = (await cluster.sum(namespace, 'migrate_records_transmitted')) - movedBefore
    const worst = (field: 'p50Micros' | 'p99Micros' | 'p999Micros') =>
      Math.max(...during.map((run) => run[field]))
    printTable(
      [`a node joins ${size} with a million records`, '', 'goal'],
      [
        ['records that moved', thousands(moved), ''],
        ['seconds from its start until nothing moves', fixed(stable), ''],
        ['records/s', thousands(moved / stable), ''],
        ['capacity of the three, reads and writes in turn, op/s', thousands(capacity.perSecond), ''],
        [`p99 at ${thousands(rate)} op/s before, µs`, thousands(quiet.p99Micros), ''],
        [`  meanwhile, worst ${seconds} s, µs`, thousands(worst('p99Micros')), ''],
        ['  ratio', ratio(worst('p99Micros') / quiet.p99Micros), 'at most 2×'],
        [
          'answers that were errors meanwhile',
          thousands(during.reduce((sum, { errors }) => sum + errors, 0)),
          'none',
        ],
        [
          'p50 before and meanwhile, µs',
          `${thousands(quiet.p50Micros)}, ${thousands(worst('p50Micros'))}`,
          '',
        ],
      ],
    )
  } finally {
    await cluster.stop()
  }
}
