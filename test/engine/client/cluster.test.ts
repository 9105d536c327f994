import { type Client, connect, type Key } from '@larder/engine'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseHost, parsePeers } from '../../../engine/src/client/peers.ts'
import { parseReplicas, PartitionMap } from '../../../engine/src/client/partition-map.ts'
import { FakeCluster, type FakeNode } from './fake-cluster.ts'

const TEND_MS = 40
let cluster: FakeCluster
let client: Client

async function connected(hosts = cluster.seeds): Promise<Client> {
  client = await connect({ hosts, tendInterval: TEND_MS, timeout: 1000 })
  return client
}

beforeEach(async () => {
  cluster = await FakeCluster.start(3)
})

afterEach(async () => {
  await client?.close()
  await cluster.close()
})

const keys = (count: number): Key[] =>
  Array.from({ length: count }, (_, i) => ({ namespace: 'test', set: 'fake', key: i }))

/** Asks for each key once, and says which nodes were asked for partitions they are not master of. */
async function strays(asked = keys(90)): Promise<string[]> {
  for (const node of cluster.nodes) node.asked.length = 0
  await Promise.all(asked.map((key) => client.get(key)))
  return cluster.nodes.flatMap((node) =>
    node.asked.flatMap(({ partitions }) =>
      partitions.filter((one) => !node.claims[0]!(one)).map((one) => `${node.id}: ${one}`),
    ),
  )
}

describe('a cluster', () => {
  it('is learnt from one seed, and every request goes straight to its master', async () => {
    await connected([cluster.seeds[1]!])
    await Promise.all(keys(90).map((key, i) => client.put(key, { i })))
    expect(await strays()).toEqual([])
    for (const node of cluster.nodes) expect(node.asked.length).toBeGreaterThan(10)
  })

  it('is connected to though a seed is dead, and not when all are', async () => {
    const dead = cluster.nodes[0]!
    const { seeds } = cluster
    cluster.kill(dead)
    cluster.spread()
    await connected(seeds)
    expect(await strays()).toEqual([])
    for (const node of [...cluster.nodes]) cluster.kill(node)
    await expect(connect({ hosts: seeds })).rejects.toThrow(`no seed answers: ${seeds[0]}`)
  })

  it('loses a node: reads go on at its replica, and then all goes to the new masters', async () => {
    await connected()
    const asked = keys(90)
    await Promise.all(asked.map((key, i) => client.put(key, { i })))
    const [, lost] = cluster.nodes
    const before = asked.filter((key) => cluster.masterOf(key) === lost)
    cluster.kill(lost!)
    const found = await Promise.all(before.map((key) => client.get(key)))
    expect(found.every((record) => record !== undefined)).toBe(true)
    cluster.spread()
    await vi.waitFor(async () => expect(await strays()).toEqual([]), 3000)
    await Promise.all(asked.map((key) => client.put(key, { again: true })))
  })

  it.each([
    ['is killed', 1000, (node: FakeNode) => cluster.kill(node)],
    ['hangs', 400, (node: FakeNode) => cluster.hang(node)],
  ])(
    'a node %s: its new masters are learnt soon, though nobody asks for records',
    async (_, tendInterval, lose) => {
      client = await connect({ hosts: cluster.seeds, tendInterval, timeout: 10_000 })
      lose(cluster.nodes[1]!)
      await new Promise((resolve) => setTimeout(resolve, tendInterval + 50))
      cluster.spread()
      await new Promise((resolve) => setTimeout(resolve, 600))
      expect(await strays()).toEqual([])
    },
  )

  it('gains a node, which gets its requests', async () => {
    await connected()
    const added = await cluster.add('B4')
    cluster.spread()
    await vi.waitFor(async () => {
      expect(await strays()).toEqual([])
      expect(added.asked.length).toBeGreaterThan(10)
    }, 3000)
  })

  it('is found again at its seeds when all of it has been away', async () => {
    await connected()
    const { nodes } = cluster
    for (const node of nodes) node.stop()
    await expect(client.get(keys(1)[0]!)).rejects.toMatchObject({ reason: 'CONNECTION', inDoubt: false })
    await new Promise((resolve) => setTimeout(resolve, 10 * TEND_MS))
    for (const node of nodes) await node.start()
    await vi.waitFor(async () => expect(await strays()).toEqual([]), 3000)
  })

  it('leaves out a node that has not joined, and takes it when it has', async () => {
    const late = await cluster.add('B4')
    cluster.spread()
    late.partitionGeneration = -1
    await connected()
    await Promise.all(keys(40).map((key) => client.get(key)))
    expect(late.asked).toEqual([])
    late.partitionGeneration = 1
    await vi.waitFor(async () => {
      expect(await strays()).toEqual([])
      expect(late.asked.length).toBeGreaterThan(5)
    }, 3000)
  })

  it('drops a node at whose address another one answers', async () => {
    await connected()
    const [first, second] = cluster.nodes
    second!.shownId = 'FF'
    await vi.waitFor(async () => {
      first!.asked.length = second!.asked.length = 0
      await client.get(cluster.keyOf(second!))
      expect(second!.asked.length).toBe(0)
      expect(first!.asked.length).toBe(1)
    }, 3000)
  })

  it('does not believe a node that has been cut off from its peers', async () => {
    await connected()
    const [, cut] = cluster.nodes
    cut!.peers = () => []
    cut!.claims = [() => true]
    cut!.peersGeneration++
    cut!.partitionGeneration++
    await new Promise((resolve) => setTimeout(resolve, 6 * TEND_MS))
    for (const node of cluster.nodes) node.asked.length = 0
    await Promise.all(keys(90).map((key) => client.get(key)))
    for (const { partitions } of cut!.asked) expect(partitions[0]! % 3).toBe(1)
    expect(cluster.nodes[0]!.asked.length).toBeGreaterThan(10)
  })

  it('reaches peers at the default port, and at their second address', async () => {
    const [a, b] = cluster.nodes
    a!.peers = `9,${b!.port},[[${b!.id},,[127.0.0.1]],[A3,,[127.0.0.1:1,127.0.0.1:${cluster.nodes[2]!.port}]]]`
    await connected([cluster.seeds[0]!])
    expect(await strays()).toEqual([])
  })

  it('believes the claim of the highest regime, whoever speaks first or last', async () => {
    const [old, , owner] = cluster.nodes
    await connected()
    // The old master was cut off: it claims in the old regime what another has in the new one.
    for (const node of cluster.nodes) node.regime = 5
    owner!.regime = 7
    owner!.claims = [(one) => one % 3 === 2 || one % 3 === 0]
    for (const node of cluster.nodes) node.partitionGeneration++
    const key = cluster.keyOf(old!)
    const masterIsAsked = async () => {
      for (const node of cluster.nodes) node.asked.length = 0
      await client.get(key)
      expect(owner!.asked.length).toBe(1)
    }
    await vi.waitFor(masterIsAsked, 3000)
    for (let i = 0; i < 5; i++) {
      old!.partitionGeneration++
      await new Promise((resolve) => setTimeout(resolve, TEND_MS))
      await masterIsAsked()
    }
    old!.regime = 8
    old!.partitionGeneration++
    await vi.waitFor(async () => {
      for (const node of cluster.nodes) node.asked.length = 0
      await client.get(key)
      expect(old!.asked.length).toBe(1)
    }, 3000)
  })
})

describe('a partition map', () => {
  const bits = (...set: number[]) => {
    const bitmap = Buffer.alloc(512)
    for (const one of set) bitmap[one >> 3]! |= 0x80 >> (one & 7)
    return bitmap
  }

  it('goes to the master first and to the replicas in turn', () => {
    const map = new PartitionMap<string>()
    const none = () => undefined
    map.claim('A', { namespace: 'n', regime: 0, bitmaps: [bits(7), bits()] }, none)
    map.claim('B', { namespace: 'n', regime: 0, bitmaps: [bits(), bits(7)] }, none)
    expect([0, 1, 2, 3].map((tried) => map.nodeOf('n', 7, tried))).toEqual(['A', 'B', 'A', 'B'])
    expect(map.nodeOf('n', 8, 0)).toBeUndefined()
    expect(map.nodeOf('other', 7, 1)).toBeUndefined()
    map.forget('A')
    expect([0, 1, 2].map((tried) => map.nodeOf('n', 7, tried))).toEqual([undefined, 'B', 'B'])
    expect(map.isMaster('B')).toBe(false)
  })

  it('keeps a claim of a higher regime, partition by partition, and names who is displaced', () => {
    const map = new PartitionMap<string>()
    const displaced: string[] = []
    const claim = (node: string, regime: number, ...master: number[]) =>
      map.claim(node, { namespace: 'n', regime, bitmaps: [bits(...master)] }, (other) =>
        displaced.push(other),
      )
    claim('A', 3, 1, 2)
    claim('B', 5, 2, 3)
    claim('A', 4, 1, 2, 3)
    expect([1, 2, 3].map((one) => map.nodeOf('n', one, 0))).toEqual(['A', 'B', 'B'])
    claim('C', 5, 3)
    expect([1, 2, 3].map((one) => map.nodeOf('n', one, 0))).toEqual(['A', 'B', 'C'])
    expect(displaced).toEqual(['A', 'B'])
  })

  it('leaves out a namespace that is not told as it should be', () => {
    const good = `good:2,1,${bits(5).toString('base64')}`
    const claims = parseReplicas(
      `bad:0,1,AAAA;${good};worse:x,1,${bits(1).toString('base64')};:0,0;short:0,2,`,
    )
    expect(claims.map(({ namespace, regime }) => [namespace, regime])).toEqual([['good', 2]])
  })
})

describe('addresses', () => {
  it('of peers have one port or the other', () => {
    const answer = '4,3100,[[A2,,[127.0.0.1:4010]],[B2C3,tls,[192.0.2.9,[2001:db8::1]:3005,[2001:db8::2]]]]'
    expect(parsePeers(answer)).toEqual([
      { id: 'A2', addresses: [{ host: '127.0.0.1', port: 4010 }] },
      {
        id: 'B2C3',
        addresses: [
          { host: '192.0.2.9', port: 3100 },
          { host: '2001:db8::1', port: 3005 },
          { host: '2001:db8::2', port: 3100 },
        ],
      },
    ])
    expect(parsePeers('0,3000,[]')).toEqual([])
    expect(parsePeers('ERROR:4:unrecognized command')).toEqual([])
  })

  it('of seeds are refused with what would be right', () => {
    expect(parseHost('db.example')).toEqual({ host: 'db.example', port: 3000 })
    expect(parseHost('[::1]:4000')).toEqual({ host: '::1', port: 4000 })
    for (const wrong of ['', 'a:b:c', 'host:0', 'host:65536', 'host:x'])
      expect(() => parseHost(wrong)).toThrow(`'${wrong}' is no host:port, such as 127.0.0.1:3000`)
  })
})
