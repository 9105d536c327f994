import { afterEach, describe, expect, it } from 'vitest'
import { StrongCopies } from '../../../engine/src/cluster/strong/strong-copies.ts'
import { StrongRecords } from '../../../engine/src/cluster/strong/strong-records.ts'
import { noView } from '../../../engine/src/cluster/view-id.ts'
import { Namespace } from '../../../engine/src/namespace/namespace.ts'
import { newNamespaceSettings } from '../../../engine/src/namespace/namespace-config.ts'
import { ClusterHost } from '../../../engine/src/server/mesh/cluster-host.ts'
import { countRequest, deleteRequest, readRequest } from '../../../engine/src/simulator/request-body.ts'
import { newView } from '../../../engine/src/storage/record.ts'
import { RecordStore } from '../../../engine/src/storage/record-store.ts'
import { digestOf } from '../../../engine/src/values/digest.ts'
import { ResultCode } from '../../../engine/src/values/result-code.ts'
import { ask, sizeOf, until } from './cluster-hosts.ts'

const partitions = 64
/** Where the time to live stands in a request. */
const ttlAt = 10
const hosts = new Set<ClusterHost>()

afterEach(async () => {
  for (const host of hosts) await host.close()
  hosts.clear()
})

const settings = newNamespaceSettings({ nsupPeriod: 1 })

async function startHost(id: string, seeds: readonly string[]): Promise<ClusterHost> {
  const store = await RecordStore.open({
    clock: Date.now,
    stopwatch: () => performance.now(),
    memoryLimit: 1 << 28,
    partitions,
    tombstoneLife: 86_400_000,
    strong: true,
  })
  const copies = await StrongCopies.open({
    store,
    partitions,
    file: undefined,
    turn: (partition, run) => {
      host.node.strong.namespaces.get('stock')!.turn(partition, run)
      host.wake()
    },
    onFault: (error) => expect.unreachable(String(error)),
  })
  const namespace = new Namespace('stock', settings, store, Date.now, newView())
  const records = new StrongRecords(namespace, copies, partitions)
  const host: ClusterHost = new ClusterHost({
    self: { id, incarnation: `folder of ${id}`, start: `start of ${id} ${Math.random()}` },
    cluster: 'test',
    host: '127.0.0.1',
    port: 0,
    seeds,
    rack: 0,
    namespaces: [],
    strong: [{ name: 'stock', store: records, durability: 'flush', replicationFactor: 2 }],
    promised: noView,
    savePromise: () => Promise.resolve(),
    saveCopies: () => Promise.resolve(),
    saveMetadata: () => Promise.resolve(),
  })
  await host.open()
  hosts.add(host)
  return host
}

async function stop(host: ClusterHost): Promise<void> {
  hosts.delete(host)
  await host.close()
}

const stockOf = ({ node }: ClusterHost) => node.strong.namespaces.get('stock')!
const nameOf = (key: number) => ({ namespace: 'stock', set: 's', digest: digestOf('s', key) })
const isSettled = (host: ClusterHost): boolean => {
  const stock = stockOf(host)
  return stock.plans?.unavailable === 0 && stock.unsettled + stock.misplaced === 0
}

function setRoster(host: ClusterHost): void {
  const { strong } = host.node
  expect(strong.setRoster('stock', strong.rosterOf('stock')!.observed)).toBeUndefined()
  host.node.recluster()
}

describe('a strong namespace on sockets', () => {
  it(
    'serves with its first roster, loses nothing when one node dies, and stops when two are gone',
    { timeout: 60_000 },
    async () => {
      const first = await startHost('A1', [])
      const second = await startHost('A2', [first.address])
      const third = await startHost('A3', [second.address])
      const all = [first, second, third]
      await until('three in one view', () => all.every((host) => sizeOf(host) === 3))
      expect(first.node.strong.rosterOf('stock')).toMatchObject({
        roster: undefined,
        unavailablePartitions: partitions,
      })
      expect((await ask(first, 'stock', readRequest(nameOf(1)))).code).toBe(ResultCode.PARTITION_UNAVAILABLE)

      setRoster(second)
      await until('all partitions served', () => all.every(isSettled))
      expect(first.node.strong.rosterOf('stock')).toMatchObject({
        pending: undefined,
        unavailablePartitions: 0,
      })

      const keys = Array.from({ length: 300 }, (_, i) => i)
      for (const key of keys) {
        const answer = await ask(all[key % 3]!, 'stock', countRequest(nameOf(key), `${key}.`))
        expect(answer).toEqual({ code: 0, text: `${key}.` })
      }
      for (const key of keys)
        if (key % 10 === 9) expect((await ask(first, 'stock', deleteRequest(nameOf(key)))).code).toBe(0)

      await stop(third)
      const left = [first, second]
      await until('two in one view', () => left.every((host) => sizeOf(host) === 2))
      for (const key of keys) {
        const expected =
          key % 10 === 9 ? { code: ResultCode.NOT_FOUND, text: undefined } : { code: 0, text: `${key}.` }
        expect(await ask(left[key % 2]!, 'stock', readRequest(nameOf(key)))).toEqual(expected)
        expect((await ask(left[key % 2]!, 'stock', countRequest(nameOf(key), '-'))).code).toBe(0)
      }

      await stop(second)
      await until('one in its view', () => sizeOf(first) === 1)
      for (const key of keys.slice(0, 20)) {
        expect((await ask(first, 'stock', countRequest(nameOf(key), '-'))).code).toBe(
          ResultCode.PARTITION_UNAVAILABLE,
        )
      }
    },
  )

  it(
    'deletes what has expired by its master, on all copies, and forgets the deletes',
    { timeout: 60_000 },
    async () => {
      const first = await startHost('B1', [])
      const second = await startHost('B2', [first.address])
      const all = [first, second]
      await until('two in one view', () => all.every((host) => sizeOf(host) === 2))
      setRoster(first)
      await until('all partitions served', () => all.every(isSettled))
      const body = countRequest(nameOf(1), 'short.')
      body.writeUInt32BE(1, ttlAt)
      expect((await ask(first, 'stock', body)).code).toBe(0)
      expect((await ask(second, 'stock', countRequest(nameOf(2), 'long.'))).code).toBe(0)
      const held = (host: ClusterHost) => {
        const { store } = stockOf(host)
        return Array.from({ length: partitions }, (_, i) => store.disk(i).digestsAfter(undefined, 10)).flat()
      }
      expect(all.map((host) => held(host).length)).toEqual([2, 2])
      await until('one record is left', () => all.every((host) => held(host).length === 1))
      expect((await ask(second, 'stock', readRequest(nameOf(1)))).code).toBe(ResultCode.NOT_FOUND)
      expect(await ask(first, 'stock', readRequest(nameOf(2)))).toEqual({ code: 0, text: 'long.' })
    },
  )
})
