import { type Client, connect, startNode } from '@larder/engine'
import { fixed, median, printTable, thousands } from './table.ts'

const keys = 100_000
const rounds = 5

interface Case {
  readonly name: string
  readonly call: (client: Client, key: number) => Promise<unknown>
}

const text = 'x'.repeat(100)
const blob = Buffer.alloc(100, 7)
const keyIn = (set: string, key: number) => ({ namespace: 'test', set, key })

const cases: Case[] = [
  { name: 'put, an integer', call: (client, key) => client.put(keyIn('n', key), { n: key }) },
  { name: 'get, an integer', call: (client, key) => client.get(keyIn('n', key)) },
  { name: 'put, text of 100 bytes', call: (client, key) => client.put(keyIn('t', key), { v: text }) },
  { name: 'get, text of 100 bytes', call: (client, key) => client.get(keyIn('t', key)) },
  { name: 'put, a blob of 100 bytes', call: (client, key) => client.put(keyIn('b', key), { v: blob }) },
  { name: 'get, a blob of 100 bytes', call: (client, key) => client.get(keyIn('b', key)) },
  {
    name: 'put, text keys',
    call: (client, key) => client.put({ namespace: 'test', set: 'k', key: `sku-${key}` }, { n: key }),
  },
  {
    name: 'get, text keys',
    call: (client, key) => client.get({ namespace: 'test', set: 'k', key: `sku-${key}` }),
  },
]

/**
 * The client on a node in its own process: one call after the other, each awaited, digest included, over 100,000
 * keys in an order that jumps about. The first round warms up and is left out.
 */
export async function embedded(): Promise<void> {
  const node = await startNode({ port: 0 })
  const client = await connect({ node })
  try {
    const rows: string[][] = []
    for (const one of cases) {
      const runs = []
      for (let round = 0; round <= rounds; round++) runs.push(await run(client, one))
      runs.shift()
      rows.push([
        one.name,
        thousands(median(runs.map(({ perSecond }) => perSecond))),
        fixed(median(runs.map(({ micros }) => micros)), 2),
      ])
    }
    printTable(['', 'op/s', 'CPU µs/op, all threads'], rows)
  } finally {
    await client.close()
    await node.close()
  }
}

async function run(client: Client, { call }: Case): Promise<{ perSecond: number; micros: number }> {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  let key = 0
  for (let i = 0; i < keys; i++) {
    key = (key + 61_803) % keys
    await call(client, key)
  }
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: keys / ((performance.now() - begun) / 1000), micros: (user + system) / keys }
}
