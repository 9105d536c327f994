import { type Client, connect } from '@larder/engine'
import { digestOf, partitionOf } from '../../engine/src/values/digest.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClusterProcesses } from './cluster-processes.ts'
import { fixed, median, printTable, thousands } from './table.ts'

const size = 3
const runs = 20
const partitions = 4096
const set = 'probe'
const giveUpMs = 20_000
/** Milliseconds after a failed write before the next one to its partition. */
const retryMs = 20
/** Milliseconds that a write may wait before another one is sent beside it. */
const patienceMs = 200

/**
 * A node is killed, and nodes and client share all cores: how long until a write to every partition has been answered,
 * asked by a client that was connected before and was told nothing. Each partition is written to from the kill on, and
 * again whenever that failed or took long, until it has gone well once.
 */
export async function clusterFailover(): Promise<void> {
  const cluster = await ClusterProcesses.start({
    ...{ size, floats: true },
    namespaces: ['test,replicationFactor=2'],
  })
  const keys = oneKeyPerPartition()
  const times: number[] = []
  let failures = 0
  try {
    for (let run = 0; run < runs; run++) {
      const client = await connect({ hosts: cluster.ports.map((port) => `127.0.0.1:${port}`) })
      await untilAllServed(client, keys)
      const victim = run % size
      void cluster.kill(victim)
      const served = await untilAllServed(client, keys)
      times.push(served.ms)
      failures += served.failures
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

interface Served {
  /** ms until the last key had been written once. */
  readonly ms: number
  readonly failures: number
}

/** Writes to each key until one write has been answered well. */
async function untilAllServed(client: Client, keys: readonly number[]): Promise<Served> {
  const began = performance.now()
  const unserved = new Set(keys)
  let failures = 0
  let last = began
  const write = async (key: number): Promise<void> => {
    try {
      await client.put({ namespace: 'test', set, key }, { n: 1 })
      if (unserved.delete(key)) last = performance.now()
    } catch {
      failures++
      await sleep(retryMs)
    }
  }
  const serve = async (key: number): Promise<void> => {
    const writes: Promise<void>[] = []
    while (unserved.has(key)) {
      if (performance.now() - began > giveUpMs)
        throw new Error(`${unserved.size} of ${keys.length} partitions do not serve after ${giveUpMs} ms`)
      const one = write(key)
      writes.push(one)
      await Promise.race([one, sleep(patienceMs)])
    }
    await Promise.all(writes)
  }
  await Promise.all(keys.map(serve))
  return { ms: last - began, failures }
}
