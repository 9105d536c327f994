/** What one node is told or does holds on all nodes: truncation, expiry. */
import { connect, type Client } from '@larder/engine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

async function until(holds: () => Promise<boolean>, limit = 10_000): Promise<void> {
  const end = Date.now() + limit
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${limit} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function objects(): Promise<number[]> {
  return Promise.all([0, 1, 2].map((index) => three.statistic(index, 'test', 'objects')))
}

describe('all nodes', () => {
  it('truncate a set when one of them is told to, and keep what is written later', async () => {
    for (const key of keys) await client.put({ namespace: 'test', set: 'q', key }, { n: key })
    expect(await three.ask(three.nodes[2]!, 'truncate:namespace=test;set=q')).toBe('ok')
    await until(async () => {
      const found = await Promise.all(keys.map((key) => client.get({ namespace: 'test', set: 'q', key })))
      return found.every((record) => record === undefined)
    })
    await until(async () => (await objects()).every((count) => count === 0))
    for (const key of keys) await client.put({ namespace: 'test', set: 'q', key }, { n: -key })
    for (const key of keys) expect(await client.get({ namespace: 'test', set: 'q', key })).toBeDefined()
  })

  it('let go of what has expired', async () => {
    const before = (await objects()).reduce((sum, count) => sum + count, 0)
    for (const key of keys) await client.put({ namespace: 'test', set: 'e', key }, { n: key }, { ttl: 1 })
    const held = (await objects()).reduce((sum, count) => sum + count, 0)
    expect(held).toBe(before + 2 * keys.length)
    await until(async () => (await objects()).reduce((sum, count) => sum + count, 0) === before)
  })
})
