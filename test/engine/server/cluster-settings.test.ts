/** Settings of namespaces and sets are the cluster's: the same on all nodes, and after a restart. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NamespaceConfig, Node } from '@larder/engine'
import { startNode } from '@larder/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { requestInfo } from '../../../engine/src/cli/info-request.ts'

let folder: string
const nodes: Node[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'larder-settings-'))
})
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close()
  rmSync(folder, { recursive: true })
})

async function start(nodeId: string, seed?: Node, own: Partial<NamespaceConfig> = {}): Promise<Node> {
  const seeds = seed?.meshAddress === undefined ? [] : [seed.meshAddress]
  const node = await startNode({
    ...{ port: 0, nodeId, folder: join(folder, nodeId), cluster: { seeds, timeoutMs: 3000 } },
    // What the cluster says wins over what a node is configured with.
    namespaces: [{ name: 'test', defaultTtl: 7, durability: 'commit', ...own }],
  })
  nodes.push(node)
  return node
}

async function stop(node: Node): Promise<void> {
  nodes.splice(nodes.indexOf(node), 1)
  await node.close()
}

async function ask(node: Node, name: string): Promise<string> {
  return (await requestInfo({ host: '127.0.0.1', port: node.port }, [name])).get(name) ?? ''
}

const setConfig = (node: Node, pairs: string) =>
  ask(node, `set-config:context=namespace;namespace=test;${pairs}`)

/** All nodes show these pairs among the settings of the namespace, or of set `s`. */
async function untilAllShow(of: 'namespace' | 'set', ...pairs: string[]): Promise<void> {
  const command = of === 'set' ? 'sets/test/s' : 'get-config:context=namespace;namespace=test'
  await expect
    .poll(
      async () => {
        const shown = await Promise.all(nodes.map((node) => ask(node, command)))
        return shown.map((text) => pairs.filter((pair) => !text.split(/[:;]/).includes(pair)))
      },
      { timeout: 15_000 },
    )
    .toEqual(nodes.map(() => []))
}

describe('a setting of a namespace or a set', () => {
  it('is set on all nodes by telling one, those that join later too, and outlives a restart', async () => {
    const first = await start('a1')
    await untilAllShow('namespace', 'default-ttl=7', 'conflict-resolution-policy=generation')
    expect(await setConfig(first, 'default-ttl=10M')).toBe('ok')
    const second = await start('a2', first)
    await untilAllShow('namespace', 'default-ttl=600')
    expect(await setConfig(second, 'conflict-resolution-policy=last-update-time')).toBe('ok')
    expect(await setConfig(second, 'set=s;stop-writes-count=9')).toBe('ok')
    expect(await setConfig(second, 'max-record-size=1')).toMatch(/^ERROR/)
    await untilAllShow('namespace', 'conflict-resolution-policy=last-update-time', 'max-record-size=1048576')
    await untilAllShow('set', 'stop-writes-count=9')
    await stop(second)
    await stop(first)
    await start('a1')
    await untilAllShow('namespace', 'default-ttl=600', 'conflict-resolution-policy=last-update-time')
    await untilAllShow('set', 'stop-writes-count=9')
  })

  it('is taken over where the node itself would refuse it', async () => {
    const first = await start('a1')
    expect(await setConfig(first, 'default-ttl=5')).toBe('ok')
    const second = await start('a2', first, { defaultTtl: 0, nsupPeriod: 0 })
    expect(await setConfig(second, 'default-ttl=6')).toMatch(/^ERROR/)
    await untilAllShow('namespace', 'default-ttl=5')
  })

  it('of the service is the node’s own', async () => {
    const first = await start('a1')
    const second = await start('a2', first)
    await expect.poll(() => ask(first, 'cluster-stable:size=2'), { timeout: 15_000 }).not.toMatch(/^ERROR/)
    expect(await ask(first, 'set-config:context=service;batch-max-requests=5')).toBe('ok')
    expect(await setConfig(first, 'default-ttl=8')).toBe('ok')
    await untilAllShow('namespace', 'default-ttl=8')
    const shown = await ask(second, 'get-config:context=service')
    expect(shown.split(';')).toContain('batch-max-requests=0')
    expect((await ask(second, 'statistics')).split(';')).toEqual(
      expect.arrayContaining(['cluster_clock_skew_stop_writes_sec=40', 'cluster_clock_skew_outliers=null']),
    )
  })
})
