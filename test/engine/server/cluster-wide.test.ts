/** What one node is told or does holds on all nodes: truncation, expiry. */
import { connect, type Client } from '@larder/engine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { ThreeNodes } from './three-nodes.ts'

let three: ThreeNodes
let client: Client

beforeAll(async () => {
  three = await ThreeNodes.start([{ name: 'test', replicationFactor: 2, nsupPeriod: 1 }])
  client = await connect({ hosts: [`127.0.0.1:${three.nodes[0]!.port}`] })
}, 60_000)
afterAll(async () => {
  await client.close()
  await three.close()
})

const keys = Array.from({ length: 60 }, (_, i) => i)

/** Records on all nodes, each as often as it has copies. */
async function total(): Promise<number> {
  const objects = await Promise.all([0, 1, 2].map((index) => three.statistic(index, 'test', 'objects')))
  return objects.reduce((sum, count) => sum + count, 0)
}

describe('all nodes', () => {
  it('truncate a set when one of them is told to, and keep what is written later', async () => {
    for (const key of keys) await client.put({ namespace: 'test', set: 'q', key }, { n: key })
    expect(await three.ask(three.nodes[2]!, 'truncate:namespace=test;set=q')).toBe('ok')
    const isGone = async (): Promise<boolean> => {
      const found = await Promise.all(keys.map((key) => client.get({ namespace: 'test', set: 'q', key })))
      return found.every((record) => record === undefined)
    }
    await eventually(isGone, { what: 'all records to be hidden', ms: 10_000 })
    await eventually(async () => (await total()) === 0, { what: 'all nodes to be empty', ms: 10_000 })
    for (const key of keys) await client.put({ namespace: 'test', set: 'q', key }, { n: -key })
    for (const key of keys) expect(await client.get({ namespace: 'test', set: 'q', key })).toBeDefined()
  })

  it('let go of what has expired', async () => {
    const before = await total()
    for (const key of keys) await client.put({ namespace: 'test', set: 'e', key }, { n: key }, { ttl: 1 })
    expect(await total()).toBe(before + 2 * keys.length)
    await eventually(async () => (await total()) === before, { what: 'what has expired to go', ms: 10_000 })
  })
})
