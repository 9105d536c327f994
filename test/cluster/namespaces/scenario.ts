/**
 * Runs on the last host of a test network, where its clients are: nodes on the other hosts, cables pulled and lines
 * narrowed under load. Prints what it found as a line of JSON. Arguments: consistency, the network's names.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { AvailableRecords } from '../support/available-records.ts'
import { Load } from '../support/load.ts'
import { RealCluster } from '../support/real-cluster.ts'
import { StrongRecords } from '../support/strong-records.ts'
import { TestNetwork } from '../support/test-network.ts'

export interface Found {
  readonly done: number
  readonly delayed: boolean
  /** Failures while lines were narrow, and after all had settled again. */
  readonly failed: readonly string[]
  readonly broken: readonly string[]
}

const settledMs = 4500
const pulledMs = 5000

const consistency = process.argv[2] === 'strong' ? 'strong' : 'available'
const network = new TestNetwork(JSON.parse(process.argv[3] ?? '') as TestNetwork['names'])
const nodes = network.hosts.slice(0, -1)
const cluster = await RealCluster.start({
  size: nodes.length,
  namespaces: [{ name: 'data', replicationFactor: 2, memoryMiB: 64, durability: 'commit', consistency }],
  hosts: nodes.map(({ address }, i) => ({ address, within: network.within(i) })),
})
try {
  const options = { clients: [await cluster.connect()], namespace: 'data', records: 24 }
  const available = consistency === 'available' ? new AvailableRecords(options) : undefined
  const strong = available ? undefined : new StrongRecords(options)
  const load = new Load(available ?? strong!, { clients: 12, pauseMs: 10 })
  await sleep(1000)

  const victim = nodes.length - 1
  network.narrow(0, '20mbit')
  const delayed = network.delay(1, '20ms')
  await sleep(2500)
  network.widen(0)
  if (delayed) network.widen(1)
  const failed = load.failedSince(0)

  network.unplug(victim)
  await sleep(pulledMs)
  network.plug(victim)
  await cluster.whenStable({ ms: settledMs, ignoreMigrations: true })
  await cluster.whenStable()
  const settled = performance.now()
  await sleep(1500)
  await load.stop()
  failed.push(...load.failedSince(settled))

  const broken = available ? available.torn(await available.state()) : (await strong!.violations()).broken
  const found: Found = { done: load.done, delayed, failed, broken }
  console.log(JSON.stringify(found))
} catch (error) {
  console.error(cluster.lines())
  throw error
} finally {
  await cluster.close()
}
