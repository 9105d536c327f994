import { type Client, connect, type Node, startNode } from '@larder/engine'
import { afterEach, describe, expect, it } from 'vitest'
import { requestInfo } from '../../../engine/src/cli/info-request.ts'

const nodes: Node[] = []
let client: Client | undefined

afterEach(async () => {
  await client?.close()
  for (const node of nodes.splice(0)) await node.close()
})

async function start(nodeId: string): Promise<void> {
  const seeds = nodes[0]?.meshAddress === undefined ? [] : [nodes[0].meshAddress]
  const namespaces = [{ name: 'stock', consistency: 'strong' as const }]
  const cluster = { seeds, timeoutMs: 6000 }
  nodes.push(await startNode({ port: 0, nodeId, cluster, namespaces, transactionMaxMs: 20_000 }))
}

async function ask(index: number, name: string): Promise<string> {
  return (await requestInfo({ host: '127.0.0.1', port: nodes[index]!.port }, [name])).get(name) ?? ''
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !(await holds());) {
    if (Date.now() > end) throw new Error(`not within 30 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('truncate of a strong namespace', () => {
  it('is answered when no reader of any node finds what was there', { timeout: 90_000 }, async () => {
    for (const id of ['a1', 'a2', 'a3']) await start(id)
    const observed = 'observed_nodes='
    await until(
      'three nodes',
      async () => (await ask(0, 'roster:namespace=stock')).split(observed)[1]!.split(',').length === 3,
    )
    expect(await ask(1, 'truncate:namespace=stock;set=goods')).toBe(
      'ERROR:11:4096 partitions of stock may not serve; nothing was truncated',
    )
    expect(await ask(1, 'roster-set:namespace=stock;nodes=A1,A2,A3')).toBe('ok')
    await ask(1, 'recluster:')
    const serves = async (index: number) =>
      (await ask(index, 'namespace/stock')).includes(';unavailable_partitions=0;')
    await until('all partitions', async () => (await serves(0)) && (await serves(1)) && serves(2))

    const opened = (client = await connect({ hosts: nodes.map(({ port }) => `127.0.0.1:${port}`) }))
    const keys = Array.from({ length: 200 }, (_, i) => `k${i}`)
    const nameOf = (set: string, key: string) => ({ namespace: 'stock', set, key })
    for (const set of ['goods', 'other'])
      await Promise.all(keys.map((key) => opened.put(nameOf(set, key), { n: 1 })))
    const found = async (set: string): Promise<number> => {
      const records = await Promise.all(keys.map((key) => opened.get(nameOf(set, key))))
      return records.filter((record) => record !== undefined).length
    }
    expect([await found('goods'), await found('other')]).toEqual([200, 200])

    expect(await ask(1, 'truncate:namespace=stock;set=goods')).toBe('ok')
    expect([await found('goods'), await found('other')]).toEqual([0, 200])
    expect(await ask(2, 'sets/stock/goods')).toMatch(/:truncate_lut=[1-9]\d+:/)
    await opened.put(nameOf('goods', 'k1'), { n: 2 })
    expect(await found('goods')).toBe(1)
    // The later of two in one request waits as well.
    const both = ['truncate:namespace=stock;set=nobody', 'truncate-namespace:namespace=stock']
    const answers = await requestInfo({ host: '127.0.0.1', port: nodes[2]!.port }, both)
    expect([...answers.values()]).toEqual(['ok', 'ok'])
    expect([await found('goods'), await found('other')]).toEqual([0, 0])

    expect(await ask(0, 'truncate:namespace=stock;set=goods;lut=1795000000000000000')).toBe(
      'ERROR:4:a strong namespace is truncated by position: leave lut out',
    )
    expect(await ask(0, 'truncate-undo:namespace=stock;set=goods')).toBe(
      'ERROR:4:a truncation of a strong namespace cannot be undone',
    )
  })
})
