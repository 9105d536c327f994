import { createConnection, createServer } from 'node:net'
import { Worker } from 'node:worker_threads'
import { type Client, connect, type Key, op } from '@larder/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Connection, MAX_IN_FLIGHT, MAX_QUEUED_BYTES } from '../../../engine/src/client/connection.ts'
import type { WayError } from '../../../engine/src/client/way.ts'
import { ByteWriter } from '../../../engine/src/values/byte-writer.ts'
import { type Deed, FakeCluster, type FakeNode, inOneFrame, messageOf } from './fake-cluster.ts'

let cluster: FakeCluster
let client: Client
let master: FakeNode
let replica: FakeNode
let key: Key

beforeEach(async () => {
  cluster = await FakeCluster.start(3)
  client = await connect({ hosts: cluster.seeds, timeout: 4000 })
  key = cluster.keyOf(cluster.nodes[0]!)
  master = cluster.nodes[0]!
  replica = cluster.nodes.find(({ claims }) => claims[1]!(0))!
  await client.put(key, { n: 1 })
  for (const node of cluster.nodes) node.asked.length = 0
})

afterEach(async () => {
  await client.close()
  await cluster.close()
})

const kinds = (node: FakeNode) => node.asked.map(({ kind }) => kind)
const fails = (deed: Deed) => {
  master.deed = () => deed
}

describe('a read', () => {
  it.each<[string, Deed, object]>([
    ['is silent', 'silence', { socketTimeout: 400 }],
    ['breaks the connection', 'close', {}],
    ['has no such partition now', { code: 11 }, {}],
    ['gives up', { code: 9 }, {}],
    ['is overloaded', { code: 18 }, {}],
  ])('goes to the replica when the master %s', async (_, deed, policy) => {
    fails(deed)
    expect((await client.get(key, policy))!.bins).toEqual({ n: 1 })
    expect([kinds(master), kinds(replica)]).toEqual([['read'], ['read']])
  })

  it('is tried as often as the policy says, and is never in doubt', async () => {
    for (const node of cluster.nodes) node.deed = () => ({ code: 11 })
    await expect(client.get(key, { retries: 0 })).rejects.toMatchObject({ code: 11, inDoubt: false, key })
    expect(kinds(master).length + kinds(replica).length).toBe(1)
    await expect(client.get(key, { retries: 4 })).rejects.toMatchObject({ code: 11 })
    expect([kinds(master).length, kinds(replica).length]).toEqual([4, 2])
  })

  it('is not tried again after an answer that is one', async () => {
    fails({ code: 4 })
    await expect(client.get(key)).rejects.toMatchObject({ code: 4 })
    expect(kinds(replica)).toEqual([])
  })

  it('ends when its time is over, tries left or not', async () => {
    for (const node of cluster.nodes) node.deed = () => 'silence'
    const begun = performance.now()
    await expect(client.get(key, { timeout: 150, socketTimeout: 40, retries: 1000 })).rejects.toMatchObject({
      reason: 'TIMEOUT',
      inDoubt: false,
    })
    const took = performance.now() - begun
    expect(took).toBeGreaterThan(100)
    expect(took).toBeLessThan(3000)
    expect(master.asked.every(({ budget }) => budget <= 40)).toBe(true)
  })
})

describe('a write', () => {
  it.each<[string, Deed, string]>([
    ['is silent', 'silence', 'TIMEOUT'],
    ['breaks the connection', 'close', 'CONNECTION'],
    ['does it and breaks the connection', 'do and close', 'CONNECTION'],
    ['gives up', { code: 9 }, 'TIMEOUT'],
  ])('is in doubt, and sent once, when the master %s', async (_, deed, reason) => {
    fails(deed)
    const write = client.add(key, { n: 1 }, { timeout: deed === 'silence' ? 200 : 5000 })
    await expect(write).rejects.toMatchObject({ reason, inDoubt: true, key })
    expect([kinds(master), kinds(replica)]).toEqual([['write'], []])
    fails('answer')
    expect((await client.get(key))!.bins.n).toBe(deed === 'do and close' ? 2 : 1)
  })

  it('is not in doubt when the server refused it', async () => {
    fails({ code: 8 })
    await expect(client.put(key, { n: 2 })).rejects.toMatchObject({ code: 8, inDoubt: false })
  })

  it('goes elsewhere when it was not begun: the partition has moved, or nobody listens', async () => {
    fails({ code: 11 })
    await client.put(key, { n: 2 })
    expect([kinds(master), kinds(replica)]).toEqual([['write'], ['write']])
    cluster.kill(master)
    await client.put(key, { n: 3 }).catch((error: unknown) => expect(error).toMatchObject({ inDoubt: true }))
    await client.put(key, { n: 4 })
    expect((await client.get(key))!.bins.n).toBe(4)
  })
})

describe('a slow node', () => {
  it('holds up neither the others nor, by its writes, its reads', async () => {
    master.deed = ({ kind }) => (kind === 'write' ? { after: 900 } : 'answer')
    const begun = performance.now()
    const slow = client.put(key, { n: 5 })
    await client.get(key)
    await Promise.all(cluster.nodes.slice(1).map((node) => client.put(cluster.keyOf(node), { n: 1 })))
    expect(performance.now() - begun).toBeLessThan(800)
    await slow
    expect(performance.now() - begun).toBeGreaterThan(890)
  })

  it('gives its late answer to nobody else', async () => {
    master.deed = () => ({ after: master.asked.length === 1 ? 300 : 0 })
    const other = cluster.keyOf(master, Number(String(key.key).slice(4)) + 1)
    const late = client.get(key, { timeout: 100 })
    await expect(late).rejects.toMatchObject({ reason: 'TIMEOUT' })
    expect(await client.get(other, { retries: 0 })).toBeUndefined()
    expect((await client.get(key))!.bins).toEqual({ n: 1 })
    expect(master.connections).toBeLessThanOrEqual(4)
  })
})

describe('a batch', () => {
  let all: Key[]

  beforeEach(async () => {
    all = Array.from({ length: 60 }, (_, i) => ({ namespace: 'test', set: 'rows', key: i }))
    await Promise.all(all.map((one, i) => client.put(one, { i })))
    for (const node of cluster.nodes) node.asked.length = 0
  })

  const numbers = numbersTo(60)

  it('asks each node once, for the rows it is master of', async () => {
    expect((await client.getMany(all)).map((record) => record!.bins.i)).toEqual(numbers)
    for (const node of cluster.nodes) {
      expect(kinds(node)).toEqual(['batch'])
      expect(node.asked[0]!.partitions.every((one) => node.claims[0]!(one))).toBe(true)
    }
  })

  it.each<[string, Deed, object]>([
    ['is silent', 'silence', { socketTimeout: 400 }],
    ['breaks the connection', 'close', {}],
    ['refuses its rows', { code: 11 }, {}],
    ['answers some rows and breaks off', { change: firstRows }, { socketTimeout: 400 }],
  ])('asks the replicas when a node %s', async (_, deed, policy) => {
    fails(deed)
    const mine = all.filter((one) => cluster.masterOf(one) === master).length
    expect((await client.getMany(all, policy)).map((record) => record!.bins.i)).toEqual(numbers)
    expect(kinds(replica)).toEqual(['batch', 'batch'])
    const again = replica.asked[1]!.rows.length
    expect(again).toBe(typeof deed === 'object' && 'change' in deed ? mine - 2 : mine)
  })

  it('says row by row what is in doubt', async () => {
    fails('silence')
    const requests = all.flatMap((one) => [{ read: one }, { operate: one, ops: [op.add('i', 100)] }])
    const rows = await client.batch(requests, { timeout: 4000, socketTimeout: 700 })
    rows.forEach(({ code, inDoubt }, row) => {
      const isLost = cluster.masterOf(all[row >> 1]!) === master && row % 2 === 1
      expect([row, code, inDoubt]).toEqual([row, isLost ? 9 : 0, isLost])
    })
  })

  it('keeps the other rows when one fails or is filtered out', async () => {
    master.deed = ({ rows }) => ({ change: (frames) => refusing(frames, rows[0]!) })
    const rows = await client.getEach(all, { retries: 0 })
    const failed = rows.filter((row) => row instanceof Error)
    expect(failed).toHaveLength(1)
    expect(failed[0]).toMatchObject({ code: 4, inDoubt: false, key: { set: 'rows' } })
    expect(rows.filter((row) => row && 'bins' in row)).toHaveLength(59)
    await expect(client.getMany(all, { retries: 0 })).rejects.toMatchObject({ code: 4 })
  })

  it('ends where its last message is, in whatever frame', async () => {
    for (const node of cluster.nodes) node.deed = () => ({ change: inOneFrame })
    expect((await client.getMany(all)).map((record) => record!.bins.i)).toEqual(numbers)
    const connections = cluster.nodes.map((node) => node.connections)
    expect((await client.getMany(all)).map((record) => record!.bins.i)).toEqual(numbers)
    expect(cluster.nodes.map((node) => node.connections)).toEqual(connections)
    expect(cluster.nodes.map(({ asked }) => asked.length)).toEqual([2, 2, 2])
  })

  it('gives every row the code of a batch that is refused as a whole', async () => {
    fails({ change: () => frame(messageOf(151, 0, 1)) })
    const rows = await client.batch(all.map((one) => ({ remove: one })))
    rows.forEach(({ code, inDoubt }, i) =>
      expect([code, inDoubt]).toEqual([cluster.masterOf(all[i]!) === master ? 151 : 0, false]),
    )
  })

  it('is sent in several requests when it is large', async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({ namespace: 'test', set: 'none', key: i }))
    expect(await client.getMany(many)).toEqual(new Array(20_000).fill(undefined))
    for (const node of cluster.nodes) expect(node.asked.length).toBe(2)
  })
})

function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

function frame(body: Buffer): Buffer {
  const head = Buffer.from([2, 3, 0, 0, 0, 0, 0, 0])
  head.writeUIntBE(body.length, 2, 6)
  return Buffer.concat([head, body])
}

/** The first two rows of an answer, and no end. */
function firstRows(frames: Buffer): Buffer {
  let end = 8
  for (let row = 0; row < 2; row++) {
    const ops = frames.readUInt16BE(end + 20)
    end += 22
    for (let i = 0; i < ops; i++) end += 4 + frames.readUInt32BE(end)
  }
  return frame(frames.subarray(8, end))
}

/** The same answer with code 4 for one row. */
function refusing(frames: Buffer, row: number): Buffer {
  for (let at = 8; ;) {
    if (frames.readUInt32BE(at + 14) === row) {
      frames[at + 5] = 4
      return frames
    }
    const ops = frames.readUInt16BE(at + 20)
    at += 22
    for (let i = 0; i < ops; i++) at += 4 + frames.readUInt32BE(at)
  }
}

describe('bounds', () => {
  it('of requests in flight are told', async () => {
    fails('silence')
    const get = () => client.get(key, { timeout: 60_000, retries: 0 })
    const reads = Array.from({ length: MAX_IN_FLIGHT + 1 }, get)
    const messages = reads.map((read) => read.then(String, (error: Error) => error.message))
    await messages.at(-1)
    await client.close()
    const ends = await Promise.all(messages)
    expect(ends.filter((message) => message.includes('CLOSED'))).toHaveLength(MAX_IN_FLIGHT)
    expect(ends.at(-1)).toContain(
      `QUEUE_FULL (-7) for test.fake ${String(key.key)}: ${MAX_IN_FLIGHT} requests`,
    )
    expect(ends.at(-1)).toContain('MAX_IN_FLIGHT')
  })
})

/** A port that takes no connection: its backlog is full, and nobody accepts. */
async function deafPort(): Promise<{ port: number; close: () => Promise<void> }> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads')
     const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port)
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20000)
     })`,
    { eval: true },
  )
  const port = await new Promise<number>((resolve) => worker.once('message', resolve))
  const fillers = Array.from({ length: 4 }, () =>
    createConnection(port, '127.0.0.1').on('error', () => undefined),
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  return {
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy()
      await worker.terminate()
    },
  }
}

describe('connecting', () => {
  it('has a time of its own, and a bound for what waits', async () => {
    const deaf = await deafPort()
    const begun = performance.now()
    const hosts = [`127.0.0.1:${deaf.port}`]
    await expect(connect({ hosts, connectTimeout: 150, timeout: 20_000 })).rejects.toThrow(
      `no connection to 127.0.0.1:${deaf.port} in 150 ms`,
    )
    expect(performance.now() - begun).toBeLessThan(5000)

    const errors: WayError[] = []
    let ended = 0
    const options = { host: '127.0.0.1', port: deaf.port, connectTimeout: 200, ended: () => ended++ }
    const connection = new Connection(options)
    const receiver = {
      manyFrames: false,
      frame: () => true,
      failed: (error: WayError) => void errors.push(error),
    }
    const request = new ByteWriter(1 << 20)
    request.take(1 << 20)
    for (let i = 0; i <= MAX_QUEUED_BYTES >> 20; i++) connection.send(request, 20_000, receiver)
    expect(errors.map(({ kind, sent }) => [kind, sent])).toEqual([['full', false]])
    expect(errors[0]!.message).toContain('MAX_QUEUED_BYTES')
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(errors).toHaveLength((MAX_QUEUED_BYTES >> 20) + 1)
    expect(errors.slice(1).every(({ kind, sent }) => kind === 'connection' && !sent)).toBe(true)
    expect(ended).toBe(1)
    await deaf.close()
  })

  it('says what was wrong when what answers is no server of the protocol', async () => {
    const server = createServer((socket) =>
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    )
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        resolve(typeof address === 'object' && address ? address.port : 0)
      }),
    )
    await expect(connect({ hosts: [`127.0.0.1:${port}`] })).rejects.toThrow('no frame of the protocol')
    server.close()
  })
})
