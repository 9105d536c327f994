import type { Client, NamespaceConfig } from '@larder/engine'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { AvailableRecords, type RecordsOptions } from './available-records.ts'
import { Load, type Workload } from './load.ts'
import { pinnedClient } from './pinned-client.ts'
import { RealCluster } from './real-cluster.ts'
import { StrongRecords } from './strong-records.ts'

/** A cluster under the load of clients, while a test breaks it. */
export interface Scene<Records> {
  readonly cluster: RealCluster
  readonly load: Load
  readonly records: Records
}

export interface SceneSetup {
  readonly size: number
  readonly relays?: boolean
  /** The nodes by place that some clients ask for everything, so that those pass requests on. */
  readonly pinned?: readonly number[]
}

export const long = process.env.LARDER_LONG === '1'

const available: NamespaceConfig = { name: 'shop', replicationFactor: 2, memoryMiB: 64 }
const strong: NamespaceConfig = {
  ...{ name: 'stock', replicationFactor: 2, memoryMiB: 64 },
  ...{ durability: 'commit', consistency: 'strong' },
}
const clients = { clients: 12, pauseMs: 10 }
/** Of each kind. */
const recordCount = 24
/** Before anything is broken. */
const quietMs = 1000

/** Breaks a cluster with an available namespace. */
export function underLoad(
  setup: SceneSetup,
  act: (scene: Scene<AvailableRecords>) => Promise<void>,
): Promise<void> {
  return play({ ...setup, namespace: available, records: (options) => new AvailableRecords(options) }, act)
}

/** Breaks a cluster with a strong namespace. */
export function underStrongLoad(
  setup: SceneSetup,
  act: (scene: Scene<StrongRecords>) => Promise<void>,
): Promise<void> {
  return play({ ...setup, namespace: strong, records: (options) => new StrongRecords(options) }, act)
}

interface Play<Records> extends SceneSetup {
  readonly namespace: NamespaceConfig
  readonly records: (options: RecordsOptions) => Records
}

/** What the nodes said is printed when it fails. */
async function play<Records extends Workload>(
  { size, relays = false, pinned = [], namespace, records: make }: Play<Records>,
  act: (scene: Scene<Records>) => Promise<void>,
): Promise<void> {
  const cluster = await RealCluster.start({ size, relays, namespaces: [namespace] })
  const pins: Client[] = pinned.map((index) => pinnedClient(cluster.node(index)))
  let load: Load | undefined
  try {
    const all = [await cluster.connect(), ...pins]
    const records = make({ clients: all, namespace: namespace.name, records: recordCount })
    load = new Load(records, clients)
    await sleep(quietMs)
    expect(load.failedSince(0)).toEqual([])
    expect(load.done).toBeGreaterThan(100)
    await act({ cluster, load, records })
  } catch (error) {
    console.error(cluster.lines())
    throw error
  } finally {
    await load?.stop()
    for (const pin of pins) await pin.close()
    await cluster.close()
  }
}

/** That what was acknowledged is there, whoever is asked. */
export async function expectNothingLost({ cluster, load, records }: Scene<AvailableRecords>): Promise<void> {
  await load.stop()
  await cluster.whenStable()
  const state = await records.state()
  expect(records.violations(state)).toEqual([])
  await expectAgreement({ cluster, records }, state)
}

export async function expectAgreement(
  { cluster, records }: Pick<Scene<AvailableRecords>, 'cluster' | 'records'>,
  state: ReadonlyMap<string, string | undefined>,
): Promise<void> {
  for (const node of cluster.running) {
    const client = pinnedClient(node)
    try {
      expect(Object.fromEntries(await records.state(client))).toEqual(Object.fromEntries(state))
    } finally {
      await client.close()
    }
  }
}

/** That every history is linearizable, and few were too long to tell. */
export async function expectLinearizable({ cluster, load, records }: Scene<StrongRecords>): Promise<void> {
  await load.stop()
  await cluster.whenStable()
  const { broken, gaveUp } = await records.violations()
  expect(broken).toEqual([])
  expect(gaveUp).toBeLessThanOrEqual(records.histories / 50)
}
