import { type Client, connect } from '@larder/engine'
import { digestOf, partitionOf } from '../../engine/src/values/digest.ts'
import { ClusterProcesses } from './cluster-processes.ts'
import { fixed, median, printTable, thousands } from './table.ts'

const size = 3
const runs = 20
const partitions = 4096
const set = 'probe'
const giveUpMs = 20_000

/**
 * A node is killed: how long until a write to every partition has been answered, asked by a client that was connected
 * before and was told nothing. Each partition is written to again and again, from the kill on, until that has gone
 * well once.
 */
export async function clusterFailover(): Promise<void> {
  const cluster = await ClusterProcesses.start({ size, namespaces: ['test,replicationFactor=2'] })
  const keys = oneKeyPerPartition()
  const times: number[] = []
  let failures = 0
  try {
    for (let run = 0; run < runs; run++) {
      const client = await connect({ hosts: cluster.ports.map((port) => `127.0.0.1:${port}`) })
      await writeAll(client, keys)
      const victim = run % size
      const killed = performance.now()
      void cluster.kill(victim)
      failures += await writeAll(client, keys)
      times.push(performance.now() - killed)
      await client.close()
      await cluster.start(victim)
      await cluster.whenStable()
    }
  } finally {
    await cluster.stop()
  }
  printTable(
    [`a node of ${size} killed, ${runs} runs`, 'ms', 'goal'],
    [
      ['until every partition has taken a write, median', thousands(median(times)), ''],
      ['  worst', thousands(Math.max(...times)), 'within 1,000'],
      ['writes that failed before, per run', fixed(failures / runs), ''],
    ],
  )
}

function oneKeyPerPartition(): number[] {
  const keys = new Map<number, number>()
  for (let key = 0; keys.size < partitions; key++) {
    const partition = partitionOf(digestOf(set, key), 0)
    if (!keys.has(partition)) keys.set(partition, key)
  }
  return [...keys.values()]
}

/** Answers how many tries failed before each key was written once. */
async function writeAll(client: Client, keys: readonly number[]): Promise<number> {
  const end = performance.now() + giveUpMs
  let failures = 0
  const write = async (key: number) => {
    for (;;)
      try {
        await client.put({ namespace: 'test', set, key }, { n: 1 })
        return
      } catch (error) {
        failures++
        if (performance.now() > end) throw error
      }
  }
  await Promise.all(keys.map(write))
  return failures
}
