import { type Client, connect, exp, type Key } from '@larder/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeCluster } from './fake-cluster.ts'

let cluster: FakeCluster
let client: Client
const keys: Key[] = Array.from({ length: 60 }, (_, key) => ({ namespace: 'test', set: 'tick', key }))
const batched = { batched: true }

beforeEach(async () => {
  cluster = await FakeCluster.start(3)
  client = await connect({ hosts: cluster.seeds })
  await Promise.all(keys.map((key, i) => client.put(key, { i, even: i % 2 === 0 })))
  for (const node of cluster.nodes) node.asked.length = 0
})

afterEach(async () => {
  await client.close()
  await cluster.close()
})

const kinds = () => cluster.nodes.map(({ asked }) => asked.map(({ kind }) => kind))

describe('reads that ask to go together', () => {
  it('are one batch to each node, and each gets its own answer', async () => {
    const missing = { ...keys[0]!, key: 'none' }
    const found = await Promise.all([...keys, missing].map((key) => client.get(key, batched)))
    expect(found.map((record) => record?.bins.i)).toEqual([...keys.map(({ key }) => key), undefined])
    expect(kinds()).toEqual([['batch'], ['batch'], ['batch']])
  })

  it('go out when all that is settled has been gone on with', async () => {
    const later = async (key: Key) => {
      for (let i = 0; i < 5; i++) await Promise.resolve()
      return client.get(key, batched)
    }
    await Promise.all([client.get(keys[0]!, batched), ...keys.map(later)])
    expect(kinds()).toEqual([['batch'], ['batch'], ['batch']])
    await client.get(keys[0]!, batched)
    expect(cluster.nodes.reduce((sum, { asked }) => sum + asked.length, 0)).toBe(4)
  })

  it('fail one by one', async () => {
    const filter = exp.eq(exp.boolBin('even'), exp.bool(true))
    const ends = await Promise.all(
      [...keys.slice(0, 4), { ...keys[0]!, key: '' }].map((key) =>
        client.get(key, { batched: true, filter }).then(
          (record) => record?.bins.i,
          (error: { reason: string }) => error.reason,
        ),
      ),
    )
    expect(ends).toEqual([0, 'FILTERED_OUT', 2, 'FILTERED_OUT', 'INVALID'])
  })

  it('go apart when their times differ', async () => {
    const one = keys.filter((key) => cluster.masterOf(key) === cluster.nodes[0]).slice(0, 4)
    await Promise.all(one.map((key, i) => client.get(key, { batched: true, timeout: 100 + (i % 2) })))
    expect(cluster.nodes[0]!.asked.map(({ rows, budget }) => [rows.length, budget])).toEqual([
      [2, 100],
      [2, 101],
    ])
  })

  it('do not wait for the end of a tick that asks for more than a request holds', async () => {
    const many = Array.from({ length: 10_000 }, (_, key) => ({ namespace: 'test', set: 'none', key }))
    expect(await Promise.all(many.map((key) => client.get(key, batched)))).toEqual(
      new Array(10_000).fill(undefined),
    )
    expect(kinds()[0]).toEqual(['batch', 'batch', 'batch'])
  })
})
