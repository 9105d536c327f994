/** What a node shows of the records that went between it and others to fill copies. */
import { connect, type Node, startNode } from '@larder/engine'
import { afterEach, describe, expect, it } from 'vitest'
import { requestInfo } from '../../../engine/src/cli/info-request.ts'

const RECORDS = 500
const nodes: Node[] = []
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close()
})

async function start(nodeId: string): Promise<Node> {
  const seeds = nodes[0]?.meshAddress === undefined ? [] : [nodes[0].meshAddress]
  const node = await startNode({ port: 0, nodeId, cluster: { seeds, timeoutMs: 6000 } })
  nodes.push(node)
  return node
}

/** Of all nodes together. */
async function sums(): Promise<Record<string, number>> {
  const all: Record<string, number> = {}
  for (const { port } of nodes) {
    const info = await requestInfo({ host: '127.0.0.1', port }, ['namespace/test'])
    for (const pair of (info.get('namespace/test') ?? '').split(';')) {
      const [name = '', value] = pair.split('=')
      all[name] = (all[name] ?? 0) + Number(value)
    }
  }
  return all
}

async function settle(): Promise<Record<string, number>> {
  const stable = `cluster-stable:size=${nodes.length}`
  const hosts = nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  await expect
    .poll(
      async () => Promise.all(hosts.map(async (host) => (await requestInfo(host, [stable])).get(stable))),
      {
        timeout: 30_000,
      },
    )
    .toEqual(nodes.map((): unknown => expect.stringMatching(/^[0-9A-F]{1,12}$/)))
  await expect.poll(async () => (await sums()).migrate_signals_remaining, { timeout: 30_000 }).toBe(0)
  return sums()
}

describe('migration', () => {
  it('counts the records that a new node is filled with, and those that need not go again', async () => {
    await start('a1')
    await settle()
    const client = await connect({ hosts: [`127.0.0.1:${nodes[0]!.port}`] })
    for (let key = 0; key < RECORDS; key++) await client.put({ namespace: 'test', set: 's', key }, { n: key })
    await client.close()
    expect(await settle()).toMatchObject({ migrate_records_transmitted: 0, migrate_record_receives: 0 })
    await start('a2')
    const after = await settle()
    expect(after.objects).toBe(2 * RECORDS)
    expect(after.migrate_record_receives).toBeGreaterThanOrEqual(RECORDS)
    // What a view cut short goes again in the next one.
    expect(after.migrate_records_transmitted).toBeGreaterThanOrEqual(after.migrate_record_receives!)
    expect(after.migrate_records_transmitted).toBeLessThan(2 * RECORDS)
    // The view in which masterships move finds all of it there.
    expect(after.migrate_records_skipped).toBeGreaterThan(0)
  })
})
