/** A node of a cluster whose disk fails must not keep others waiting for it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Node, type NodeConfig, requestInfo, startNode } from '@larder/engine'
import { afterEach, expect, it } from 'vitest'
import { nodeDisk } from '../../../engine/src/server/node-disk.ts'
import type { Disk } from '../../../engine/src/storage/disk.ts'

const nodes: Node[] = []
const folder = mkdtempSync(join(tmpdir(), 'larder-lost-disk-'))
afterEach(async () => {
  for (const node of nodes) await node.close()
  rmSync(folder, { recursive: true })
})

it('stops when its disk fails, and the others answer for what it held', { timeout: 60_000 }, async () => {
  let broken = false
  const disk: Disk = {
    ...nodeDisk,
    async open(path, mode) {
      const file = await nodeDisk.open(path, mode)
      const sync = async (): Promise<void> => {
        if (broken) throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' })
        await file.sync()
      }
      return {
        path: file.path,
        size: () => file.size(),
        read: (...where) => file.read(...where),
        write: (...what) => file.write(...what),
        truncate: (length) => file.truncate(length),
        sync,
        close: () => file.close(),
      }
    },
  }
  const notes: string[] = []
  const config = (name: string, seeds: string[]): NodeConfig => ({
    port: 0,
    folder: join(folder, name),
    cluster: { seeds },
    namespaces: [{ name: 'test', durability: 'commit' }],
  })
  const first = await startNode(config('a', []), { disk, onNote: (line) => notes.push(line) })
  nodes.push(first)
  nodes.push(await startNode(config('b', [first.meshAddress!])))
  const key = (n: number) => ({ namespace: 'test', set: 's', key: n })
  await settled(nodes, 2)
  const client = await connect({ hosts: nodes.map(({ port }) => `127.0.0.1:${port}`) })
  for (let n = 0; n < 100; n++) await client.put(key(n), { n }, { timeout: 10_000 })

  broken = true
  const writes = Array.from({ length: 50 }, (_, n) =>
    client.put(key(n), { n: n + 1000 }, { timeout: 10_000, retries: 100 }).then(
      () => true,
      () => false,
    ),
  )
  expect(await first.stopped).toContain('EIO')
  expect(notes.filter((line) => line.includes('this node leaves the cluster and stops'))).toHaveLength(1)
  const answered = await Promise.all(writes)
  await settled([nodes[1]!], 1)
  for (let n = 0; n < 100; n++) {
    const record = await client.get(key(n), { timeout: 10_000, retries: 100 })
    const values = n >= 50 ? [n] : answered[n] ? [n + 1000] : [n, n + 1000]
    expect(values).toContain(record?.bins.n)
  }
  await client.close()
})

async function settled(asked: readonly Node[], size: number): Promise<void> {
  const end = Date.now() + 20_000
  for (const { port } of asked) {
    const command = `cluster-stable:size=${size}`
    while ((await requestInfo({ host: '127.0.0.1', port }, [command])).get(command)?.startsWith('ERROR')) {
      if (Date.now() > end) throw new Error(`no settled cluster of ${size}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
