import type { Client, Node, Value } from '@larder/engine'
import { ClientError, connect, startNode } from '@larder/engine'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeBin, encodeBin } from '../../../engine/src/protocol/value-codec.ts'

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

  it('keeps policies and says which one was broken', async () => {
    const other = { ...key, key: 'policies' }
    await client.put(other, { n: 1 }, { exists: 'create', ttl: 60 })
    expect((await client.get(other))!.ttl).toBeGreaterThan(57)
    await expect(client.put(other, { n: 1 }, { exists: 'create' })).rejects.toThrow(ClientError)
    await expect(client.put(other, { n: 1 }, { generation: 9 })).rejects.toThrow('GENERATION (3) for test.')
    await client.put(other, { m: 2 }, { exists: 'create-or-replace', generation: 1, ttl: 'never' })
    expect(await client.get(other)).toMatchObject({ bins: { m: 2 }, voidTime: 0 })
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
        const { type, payload } = encodeBin(sent)
        expect(decodeBin(type, payload, 0, payload.length)).toEqual(sent)
      }),
    )
  })
})
