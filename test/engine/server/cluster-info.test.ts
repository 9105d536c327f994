import type { Node } from '@larder/engine'
import { startNode } from '@larder/engine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requestInfo } from '../../../engine/src/cli/info-request.ts'
import { eventually } from '../../support/eventually.ts'

const nodes: Node[] = []
const namespaces = [{ name: 'test' }, { name: 'bar', replicationFactor: 1 }]

async function start(nodeId: string, seed?: Node): Promise<Node> {
  const seeds = seed?.meshAddress === undefined ? [] : [seed.meshAddress]
  // Three nodes share this process and its event loop: what one does holds the others up.
  const cluster = { seeds, rack: nodes.length % 2, timeoutMs: 6000 }
  const node = await startNode({ port: 0, nodeId, cluster, namespaces })
  nodes.push(node)
  return node
}

async function ask(node: Node, name: string): Promise<string> {
  return (await requestInfo({ host: '127.0.0.1', port: node.port }, [name])).get(name) ?? ''
}

const askAll = (name: string): Promise<string[]> => Promise.all(nodes.map((node) => ask(node, name)))

async function pairsOf(node: Node, name: string): Promise<Map<string, string>> {
  const text = await ask(node, name)
  return new Map(text.split(';').map((pair) => pair.split('=', 2) as [string, string]))
}

/** By namespace: regime, and of each replica number the bitmap. */
function mapsOf(replicas: string): Map<string, { regime: number; maps: Buffer[] }> {
  return new Map(
    replicas.split(';').map((part) => {
      const [name = '', rest = ''] = part.split(':')
      const [regime, count, ...maps] = rest.split(',')
      expect(maps.length).toBe(Number(count))
      return [name, { regime: Number(regime), maps: maps.map((map) => Buffer.from(map, 'base64')) }]
    }),
  )
}

const bitsOf = (map: Buffer): number =>
  map.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)

/** Every bit of exactly one of the maps. */
function isPartition(maps: readonly Buffer[]): boolean {
  const union = maps.reduce((all, map) => Buffer.from(all.map((byte, i) => byte | map[i]!)))
  return union.every((byte) => byte === 0xff) && maps.reduce((sum, map) => sum + bitsOf(map), 0) === 4096
}

const settled = async (size: number): Promise<boolean> =>
  new Set(await askAll(`cluster-stable:size=${size}`)).size === 1 &&
  /^[0-9A-F]{1,12}$/.test(await ask(nodes[0]!, `cluster-stable:size=${size}`))

beforeAll(async () => {
  const first = await start('a1')
  await start('a2', first)
  await start('a3', first)
  await eventually(() => settled(3), { what: 'three nodes in a view', ms: 30_000 })
}, 60_000)
afterAll(async () => {
  for (const node of nodes.splice(0)) await node.close()
})

describe('three nodes, as clients see them', () => {
  it('name each other, themselves left out, and where clients reach them', async () => {
    const [a1, a2, a3] = nodes.map(({ id, port }) => `[${id},,[127.0.0.1:${port}]]`)
    const lists = await askAll('peers-clear-std')
    const generations = await askAll('peers-generation')
    expect(lists).toEqual([
      `${generations[0]},3000,[${a2},${a3}]`,
      `${generations[1]},3000,[${a1},${a3}]`,
      `${generations[2]},3000,[${a1},${a2}]`,
    ])
    expect(generations.every((text) => Number(text) > 0)).toBe(true)
    expect(await askAll('peers-clear-alt')).toEqual(generations.map((text) => `${text},3000,[]`))
    expect(await ask(nodes[0]!, 'services')).toBe(`127.0.0.1:${nodes[1]!.port};127.0.0.1:${nodes[2]!.port}`)
    expect(await ask(nodes[0]!, 'service-clear-std')).toBe(`127.0.0.1:${nodes[0]!.port}`)
    expect(await ask(nodes[0]!, 'mesh')).toBe(nodes[0]!.meshAddress)
  })

  it('share all partitions of each namespace, each replica number without overlap', async () => {
    const answers = (await askAll('replicas')).map(mapsOf)
    for (const [name, count] of [
      ['test', 2],
      ['bar', 1],
    ] as const) {
      const owned = answers.map((answer) => answer.get(name)!)
      expect(owned.map(({ regime }) => regime)).toEqual([0, 0, 0])
      for (let i = 0; i < count; i++) expect(isPartition(owned.map(({ maps }) => maps[i]!))).toBe(true)
      expect(owned.every(({ maps }) => bitsOf(maps[0]!) > 1000)).toBe(true)
      expect(owned.every(({ maps }) => maps.length === count)).toBe(true)
    }
    const all = (await askAll('replicas-all')).map((text) => /^test:2,[^,]+,[^;]+;bar:1,/.test(text))
    expect(all).toEqual([true, true, true])
    const masters = await askAll('replicas-master')
    expect(masters.map((text) => text.split(';')[0]!.slice('test:'.length))).toEqual(
      answers.map((answer) => answer.get('test')!.maps[0]!.toString('base64')),
    )
  })

  it('show each partition as the maps say it', async () => {
    const [{ maps }] = [mapsOf(await ask(nodes[0]!, 'replicas')).get('test')!]
    const [head, ...rows] = (await ask(nodes[0]!, 'partition-info')).split(';')
    expect(head!.split(':')).toHaveLength(18)
    expect(rows).toHaveLength(2 * 4096)
    for (const [p, row] of rows.slice(0, 4096).entries()) {
      const [namespace, number, state, count, replica, , , working, proxy, ...rest] = row.split(':')
      expect([namespace, number, count]).toEqual(['test', String(p), '2'])
      const isReplica = (i: number): boolean => (maps[i]![p >> 3]! & (0x80 >> (p & 7))) !== 0
      expect(replica).toBe(isReplica(0) ? '0' : isReplica(1) ? '1' : '-1')
      expect([state, working]).toEqual([replica === '-1' ? 'A' : 'S', replica === '0' ? 'A1' : '0'])
      expect(proxy).toMatch(/^A[123]$/)
      expect(rest).toHaveLength(9)
    }
  })

  it('tell size, principal and one key that is the same everywhere', async () => {
    const keys = new Set<string>()
    for (const node of nodes) {
      const statistics = await pairsOf(node, 'statistics')
      keys.add(statistics.get('cluster_key')!)
      expect(statistics.get('cluster_size')).toBe('3')
      expect(statistics.get('cluster_principal')).toBe('A3')
      expect(statistics.get('cluster_integrity')).toBe('true')
      expect(statistics.get('migrate_partitions_remaining')).toBe('0')
      expect(await ask(node, 'cluster-stable:')).toBe(statistics.get('cluster_key'))
      const namespace = await pairsOf(node, 'namespace/test')
      expect(namespace.get('ns_cluster_size')).toBe('3')
      expect(namespace.get('effective_replication_factor')).toBe('2')
      expect(namespace.get('replication-factor')).toBe('2')
      expect(namespace.get('strong-consistency')).toBe('false')
    }
    expect(keys.size).toBe(1)
    expect(await ask(nodes[0]!, 'cluster-stable:size=2')).toBe('ERROR:7:cluster not specified size')
    expect(await ask(nodes[0]!, 'cluster-stable:namespace=none')).toBe('ERROR:20:namespace not found on node')
  })

  it('answer operators as an Enterprise server does', async () => {
    expect(await ask(nodes[0]!, 'racks:')).toBe(
      'ns=test:rack_0=A1,A3:rack_1=A2;ns=bar:rack_0=A1,A3:rack_1=A2',
    )
    expect(await askAll('rack-ids')).toEqual(['test:0;bar:0', 'test:1;bar:1', 'test:0;bar:0'])
    expect(await ask(nodes[0]!, 'roster:namespace=test')).toBe(
      'roster=null:pending_roster=null:observed_nodes=null',
    )
    expect(await ask(nodes[0]!, 'roster-set:namespace=test;nodes=A1')).toBe(
      'ERROR:4:namespace test is not in strong consistency mode',
    )
  })

  it('have no masters on a node that is quiesced, once reclustered, until that is undone', async () => {
    const masters = async (): Promise<number[]> =>
      (await askAll('replicas')).map((text) => bitsOf(mapsOf(text).get('test')!.maps[0]!))
    const before = await askAll('partition-generation')
    expect(await ask(nodes[1]!, 'quiesce:')).toBe('ok')
    expect((await masters())[1]).toBeGreaterThan(1000)
    // Any node passes it on to the leader, A3.
    expect(await ask(nodes[0]!, 'recluster:')).toBe('ok')
    await eventually(async () => (await masters())[1] === 0 && (await settled(3)), {
      what: 'the node to be master of nothing',
      ms: 30_000,
    })
    const statistics = await pairsOf(nodes[1]!, 'namespace/test')
    expect(statistics.get('effective_is_quiesced')).toBe('true')
    expect((await pairsOf(nodes[0]!, 'namespace/test')).get('nodes_quiesced')).toBe('1')
    const after = await askAll('partition-generation')
    expect(after.every((text, i) => Number(text) > Number(before[i]))).toBe(true)
    expect(await ask(nodes[1]!, 'quiesce-undo:')).toBe('ok')
    expect(await ask(nodes[1]!, 'recluster:')).toBe('ok')
    await eventually(async () => (await masters())[1]! > 1000 && (await settled(3)), {
      what: 'the node to be master of its share',
      ms: 30_000,
    })
  }, 60_000)

  it('make a view at once when one of them is closed, with other generations and another key', async () => {
    const left = nodes.slice(0, 2)
    const [key, generation, peers] = await Promise.all(
      ['cluster-stable:', 'partition-generation', 'peers-generation'].map((name) => ask(nodes[0]!, name)),
    )
    await nodes[2]!.close()
    nodes.length = 2
    await eventually(() => settled(2), { what: 'two nodes in a view', ms: 30_000 })
    expect(await ask(left[0]!, 'cluster-stable:')).not.toBe(key)
    expect(Number(await ask(left[0]!, 'partition-generation'))).toBeGreaterThan(Number(generation))
    expect(Number(await ask(left[0]!, 'peers-generation'))).toBe(Number(peers) + 1)
    expect((await pairsOf(left[0]!, 'statistics')).get('cluster_principal')).toBe('A2')
    expect(await ask(left[0]!, 'peers-clear-std')).toBe(
      `${Number(peers) + 1},3000,[[A2,,[127.0.0.1:${left[1]!.port}]]]`,
    )
    expect(await ask(left[0]!, 'alumni-clear-std')).toContain('[A3,,[127.0.0.1:')
    const owned = (await askAll('replicas')).map((text) => mapsOf(text).get('test')!)
    expect(isPartition(owned.map(({ maps }) => maps[0]!))).toBe(true)
  }, 60_000)
})

describe('a clustered node that has not joined yet', () => {
  it('claims nothing', async () => {
    // Nobody is there: it waits for its seed before it makes a view of its own.
    const node = await startNode({ port: 0, cluster: { seeds: ['127.0.0.1:1'] }, namespaces })
    try {
      const zero = Buffer.alloc(512).toString('base64')
      expect(await ask(node, 'partition-generation')).toBe('-1')
      expect(await ask(node, 'rebalance-generation')).toBe('0')
      expect(await ask(node, 'peers-clear-std')).toBe('0,3000,[]')
      expect(await ask(node, 'replicas')).toBe(`test:0,1,${zero};bar:0,1,${zero}`)
      expect(await ask(node, 'cluster-stable:')).toBe('ERROR:7:unstable cluster')
      expect(await ask(node, 'status')).toBe('ok')
    } finally {
      await node.close()
    }
  })
})
