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
/** A tenth of the keys at a time, each key five times a second. */
const turns = 10
const turnMs = 20

/**
 * A node is killed, and nodes and client share all cores: how long until a write to every partition has been answered, asked by a client that was connected
 * before and was told nothing. Each partition is written to five times a second, from the kill on, until that has gone
 * well once.
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

/**
 * Writes to each key again and again, without waiting for the answers, until one write has been answered well. The
 * keys take turns: a write that was under way when its node died waits for its time-out, later ones need not.
 */
async function untilAllServed(client: Client, keys: readonly number[]): Promise<Served> {
  const began = performance.now()
  const unserved = new Set(keys)
  const writes: Promise<void>[] = []
  let failures = 0
  let last = began
  const write = async (key: number) => {
    try {
      await client.put({ namespace: 'test', set, key }, { n: 1 })
      if (unserved.delete(key)) last = performance.now()
    } catch {
      failures++
    }
  }
  for (let turn = 0; unserved.size > 0; turn++) {
    if (performance.now() - began > giveUpMs)
      throw new Error(`${unserved.size} of ${keys.length} partitions do not serve after ${giveUpMs} ms`)
    const share = keys.slice(
      (keys.length * (turn % turns)) / turns,
      (keys.length * ((turn % turns) + 1)) / turns,
    )
    for (const key of share) if (unserved.has(key)) writes.push(write(key))
    await sleep(turnMs)
  }
  await Promise.all(writes)
  return { ms: last - began, failures }
}
