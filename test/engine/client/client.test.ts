import { createServer, type Socket } from 'node:net'
import type { Client, Node, Value } from '@larder/engine'
import { ClientError, connect, ctx, exp, list, map, op, startNode } from '@larder/engine'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeParticle } from '../../../engine/src/protocol/operation-writer.ts'
import { decodeBin } from '../../../engine/src/protocol/value-codec.ts'
import { ByteWriter } from '../../../engine/src/values/byte-writer.ts'

let node: Node

beforeAll(async () => {
  node = await startNode({ port: 0 })
})

afterAll(() => node.close())

describe.each(['socket', 'embedded'])('the client by %s', (transport) => {
  let client: Client
  const key = { namespace: 'test', set: transport, key: 1 }

  beforeAll(async () => {
    client = await connect(transport === 'socket' ? { hosts: [`127.0.0.1:${node.port}`] } : { node })
  })

  afterAll(() => client.close())

  it('writes, reads, updates and removes a record', async () => {
    expect(await client.get(key)).toBeUndefined()
    expect(await client.put(key, { name: 'Laptop', price: 999.99, quantity: 100 })).toEqual({
      generation: 1,
      voidTime: 0,
      ttl: 'never',
    })
    await client.put(key, { quantity: 99, name: null })
    expect(await client.get(key)).toEqual({
      bins: { price: 999.99, quantity: 99 },
      generation: 2,
      voidTime: 0,
      ttl: 'never',
    })
    expect((await client.get(key, { bins: ['quantity'] }))!.bins).toEqual({ quantity: 99 })
    expect(await client.exists(key)).toMatchObject({ generation: 2 })
    expect(await client.remove(key)).toBe(true)
    expect(await client.remove(key)).toBe(false)
  })

  it('reads without a promise where the answer is there at once', async () => {
    const other = { ...key, key: 'now' }
    await client.put(other, { a: 1, b: 2 })
    const found = client.getNow(other, { bins: ['b'] })
    const missing = client.getNow({ ...key, key: 'nobody' })
    const wrong = async () => client.getNow({ ...other, namespace: 'none' })
    const expected = transport === 'socket' ? Promise : Object
    expect(found).toBeInstanceOf(expected)
    expect(missing instanceof Promise).toBe(transport === 'socket')
    expect(await found).toMatchObject({ bins: { b: 2 }, generation: 1 })
    expect(await missing).toBeUndefined()
    await expect(wrong()).rejects.toMatchObject({ reason: 'INVALID_NAMESPACE', key: { key: 'now' } })
    if (transport === 'embedded')
      expect(() => client.getNow({ ...other, namespace: 'none' })).toThrow(ClientError)
    expect(() => client.getNow({ ...other, key: '' })).toThrow(ClientError)
    expect(() => client.getNow(other, { timeout: -1 })).toThrow(ClientError)
  })

  it('keeps policies and says which one was broken', async () => {
    const other = { ...key, key: 'policies' }
    await client.put(other, { n: 1 }, { exists: 'create', ttl: 60 })
    expect((await client.get(other))!.ttl).toBeGreaterThan(57)
    await expect(client.put(other, { n: 1 }, { exists: 'create' })).rejects.toThrow(ClientError)
    await expect(client.put(other, { n: 1 }, { generation: 9 })).rejects.toThrow('GENERATION (3) for test.')
    await client.put(other, { m: 2 }, { exists: 'create-or-replace', generation: 1, ttl: 'never' })
    expect(await client.get(other)).toMatchObject({ bins: { m: 2 }, voidTime: 0 })
  })

  it('sends how a read or a delete is meant', async () => {
    const other = { ...key, key: 'modes' }
    await client.put(other, { n: 1 }, { ttl: 1000 })
    await expect(client.get(other, { readMode: 'linearize' })).rejects.toMatchObject({ code: 25 })
    for (const readMode of ['session', 'allow-replica', 'allow-unavailable'] as const)
      expect((await client.get(other, { readMode, replicas: 'all' }))!.bins).toEqual({ n: 1 })
    await expect(client.remove(other, { durableDelete: true })).rejects.toMatchObject({ code: 25 })
    const life = (await client.put(other, { n: 1 }, { ttl: 10 })).voidTime
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await client.get(other, { touchPercent: 80 })
    expect((await client.exists(other))!.voidTime).toBe(life)
    await client.get(other, { touchPercent: 95, batched: true })
    expect((await client.exists(other))!.voidTime).toBeGreaterThan(life)
  })

  it('answers many requests at once, each with its own', async () => {
    const keys = Array.from({ length: 300 }, (_, i) => ({ ...key, key: `many ${i}` }))
    await Promise.all(keys.map((one, i) => client.put(one, { i })))
    const records = await Promise.all(keys.map((one) => client.get(one)))
    expect(records.map((record) => record!.bins.i)).toEqual(keys.map((_, i) => i))
  })

  it('keeps values of every type', async () => {
    const bins: Record<string, Value> = {
      integer: -5,
      big: 2n ** 62n,
      double: 1.5,
      text: 'héllo ☃',
      blob: Buffer.of(0, 255),
      flag: true,
      list: [1, 'two', [3.5, null, false], Buffer.of(1)],
      object: { a: 1, b: { c: [2] } },
      map: new Map<Value, Value>([
        [1, 'one'],
        [2, 'two'],
      ]),
    }
    const other = { ...key, key: 'values' }
    await client.put(other, bins)
    expect((await client.get(other))!.bins).toEqual(bins)
  })
})

describe('values', () => {
  it('come back as they went', () => {
    const leaf = fc.oneof(
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noInteger: true }),
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    )
    const value = fc.oneof(leaf, fc.array(fc.oneof(leaf, fc.array(leaf), fc.constant(null))))
    fc.assert(
      fc.property(value, (sent) => {
        const payload = new ByteWriter()
        const type = writeParticle(payload, sent)
        expect(decodeBin(type, payload.buffer, 0, payload.length)).toEqual(sent)
      }),
    )
  })
})

describe('batches', () => {
  it('take as many frames as they need', async () => {
    const client = await connect({ hosts: [`127.0.0.1:${node.port}`] })
    const keys = Array.from({ length: 600 }, (_, key) => ({ namespace: 'test', set: 'batch', key }))
    // Odd bytes all over: a value must never be taken for the end of the answer.
    await Promise.all(keys.map((key) => client.put(key, { v: Buffer.alloc(1000, 0xff), n: key.key })))
    const missing = { namespace: 'test', set: 'batch', key: 'none' }
    const records = await client.getMany([...keys, missing])
    expect(records.map((record) => record?.bins.n)).toEqual([...keys.map(({ key }) => key), undefined])
    const rows = await client.batch([
      { operate: keys[0]!, ops: [op.add('n', 5), op.read('n')] },
      { remove: keys[1]! },
      { read: keys[1]! },
      { read: keys[2]!, bins: ['n'] },
    ])
    expect(rows.map(({ code }) => code)).toEqual([0, 0, 2, 0])
    expect(rows[0]!.record!.results).toEqual([undefined, 5])
    expect(rows[3]!.record!.bins).toEqual({ n: 2 })
    await client.close()
  })
})

describe.each(['socket', 'embedded'])('steps and filters by %s', (transport) => {
  let client: Client
  const key = { namespace: 'test', set: 'steps', key: transport }

  beforeAll(async () => {
    client = await connect(transport === 'socket' ? { hosts: [`127.0.0.1:${node.port}`] } : { node })
  })

  afterAll(() => client.close())

  it('works on lists and maps, nested ones too', async () => {
    await client.put(key, { seen: [1], nested: { a: { b: [1, 2] } } })
    const done = await client.operate(key, [
      list.append('seen', 'two'),
      list.size('seen'),
      map.put('holds', 'h1', [1, 'held']),
      map.putNew('holds', 'h1', 'other'),
      map.getByKeys('holds', ['h1', 'h2']),
      list.get('nested', -1, [ctx.mapKey('a'), ctx.mapKey('b')]),
      op.touch(),
      op.read('seen'),
    ])
    expect(done.results).toEqual([2, 2, 1, 1, { h1: [1, 'held'] }, 2, undefined, [1, 'two']])
  })

  it('decides by expression whether a write is done, and takes nothing when it is not', async () => {
    await client.put(key, { available: 3, holds: {} }, { exists: 'create-or-replace' })
    const take = (id: string, quantity: number) =>
      client.operate(key, [op.add('available', -quantity), map.put('holds', id, quantity)], {
        exists: 'update',
        filter: exp.and(
          exp.ge(exp.intBin('available'), exp.int(quantity)),
          exp.eq(exp.mapCountKey('holds', id), exp.int(0)),
        ),
      })
    await take('a', 2)
    await expect(take('a', 1)).rejects.toMatchObject({ reason: 'FILTERED_OUT' })
    await expect(take('b', 2)).rejects.toMatchObject({ reason: 'FILTERED_OUT' })
    await take('b', 1)
    expect((await client.get(key))!.bins).toEqual({ available: 0, holds: { a: 2, b: 1 } })
  })

  it('reads and writes what an expression gives', async () => {
    await client.put(key, { a: 7, b: 3 }, { exists: 'create-or-replace' })
    const { results } = await client.operate(key, [
      exp.write('sum', exp.add(exp.intBin('a'), exp.intBin('b'))),
      exp.read('square', exp.let({ x: exp.intBin('sum') }, exp.mul(exp.variable('x'), exp.variable('x')))),
      exp.read(
        'size',
        exp.cond(exp.gt(exp.intBin('sum'), exp.int(5)), exp.string('big'), exp.string('small')),
      ),
    ])
    expect(results).toEqual([undefined, 100, 'big'])
    expect((await client.get(key))!.bins.sum).toBe(10)
    const divided = exp.read('x', exp.div(exp.intBin('a'), exp.int(0)))
    await expect(client.operate(key, [divided])).rejects.toMatchObject({ reason: 'NOT_APPLICABLE' })
  })
})

describe('a peer that fails', () => {
  const silent = () =>
    new Promise<{ port: number; close: () => void }>((resolve) => {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('data', (bytes) => {
          if (bytes[1] !== 1) return
          const asked = bytes.toString('utf8', 8)
          const known: Record<string, string> = { node: 'A1', build: '8.1.2.0', 'partition-generation': '0' }
          const body = asked
            .split('\n')
            .filter(Boolean)
            .map((name) => `${name}\t${known[name] ?? ''}\n`)
            .join('')
          const head = Buffer.from([2, 1, 0, 0, 0, 0, 0, 0])
          head.writeUIntBE(body.length, 2, 6)
          socket.write(Buffer.concat([head, Buffer.from(body)]))
        })
      }).listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number }
        resolve({ port, close: () => (sockets.forEach((socket) => socket.destroy()), server.close()) })
      })
    })

  it('leaves a write in doubt and a read not', async () => {
    const peer = await silent()
    const client = await connect({ hosts: [`127.0.0.1:${peer.port}`] })
    const key = { namespace: 'test', key: 1 }
    const write = client.put(key, { a: 1 }, { timeout: 100 })
    const read = client.get(key, { timeout: 100 })
    await expect(write).rejects.toMatchObject({ reason: 'TIMEOUT', inDoubt: true, key })
    await expect(read).rejects.toMatchObject({ reason: 'TIMEOUT', inDoubt: false })
    await client.close()
    peer.close()
  })

  it('is named when no seed answers', async () => {
    const peer = await silent()
    peer.close()
    await expect(connect({ hosts: [`127.0.0.1:${peer.port}`], timeout: 300 })).rejects.toThrow(
      `127.0.0.1:${peer.port}`,
    )
  })
})
