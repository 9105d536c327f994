import type { Client, Key, Node, Value, WritePolicy } from '@larder/engine'
import { ClientCode, ClientError, connect, exp, list, op, startNode } from '@larder/engine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let node: Node
let client: Client
const key = { namespace: 'test', set: 'arguments', key: 1 }

beforeAll(async () => {
  node = await startNode({ port: 0 })
  client = await connect({ node })
})

afterAll(async () => {
  await client.close()
  await node.close()
})

/** What JavaScript callers hand in, whatever the types say. */
function handedIn<T>(value: unknown): T {
  return value as T
}

async function refused(call: () => Promise<unknown>): Promise<string> {
  const error: unknown = await call().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ClientError)
  if (!(error instanceof ClientError)) return ''
  expect(error).toMatchObject({ code: ClientCode.INVALID, reason: 'INVALID', inDoubt: false })
  return error.message
}

describe('an argument that no server would take', () => {
  const keys: [unknown, string][] = [
    [{ ...key, key: '' }, "at least one byte long, not ''"],
    [{ ...key, key: Buffer.alloc(0) }, 'not an empty Buffer'],
    [{ ...key, key: 1.5 }, 'whole one up to 2^53 (beyond it a bigint), not 1.5'],
    [{ ...key, key: NaN }, 'not NaN'],
    [{ ...key, key: 2n ** 63n }, '9223372036854775808 does not fit'],
    [{ ...key, key: undefined }, 'not undefined'],
    [{ ...key, key: { sku: 1 } }, 'not a Object'],
    [{ ...key, namespace: '' }, "text of 1 to 31 bytes, not ''"],
    [{ ...key, namespace: 'n'.repeat(32) }, 'text of 1 to 31 bytes'],
    [{ ...key, namespace: undefined }, 'not undefined'],
    [{ ...key, set: 'é'.repeat(32) }, 'text of at most 63 bytes'],
    [{ ...key, set: 5 }, 'text of at most 63 bytes, not 5'],
  ]
  it.each(keys)('key %o', async (wrong, says) => {
    expect(await refused(() => client.get(handedIn<Key>(wrong)))).toContain(says)
    expect(await refused(() => client.put(handedIn<Key>(wrong), { a: 1 }))).toContain(says)
  })

  it('a key in a batch, before any row is sent', async () => {
    await client.put(key, { a: 1 })
    const batch = () => client.batch([{ operate: key, ops: [op.add('a', 1)] }, { read: { ...key, key: '' } }])
    expect(await refused(batch)).toContain('at least one byte')
    expect((await client.get(key))!.bins).toEqual({ a: 1 })
  })

  const policies: [unknown, string][] = [
    [{ ttl: -1 }, "1 to 315360000 seconds, 'never', 'keep' or 'default', not -1"],
    [{ ttl: 1.5 }, 'not 1.5'],
    [{ ttl: 315_360_001 }, 'not 315360001'],
    [{ ttl: 'forever' }, "not 'forever'"],
    [{ generation: 65_536 }, 'generation is a whole number of 0 to 65535, not 65536'],
    [{ exists: 'upsert' }, "one of create, update, replace, create-or-replace, not 'upsert'"],
    [{ timeout: 0 }, 'timeout is a number of ms from above 0'],
    [{ socketTimeout: NaN }, 'socketTimeout is a number of ms from above 0 to 2147483647, not NaN'],
    [{ retries: -1 }, 'retries is a whole number of 0 to 1000, not -1'],
    [{ filter: 'a > 1' }, 'an expression made with exp'],
    [{ readMode: 'fast' }, "one of session, linearize, allow-replica, allow-unavailable, not 'fast'"],
    [{ replicas: 2 }, 'replicas is one or all, not 2'],
  ]
  it.each(policies)('policy %o', async (wrong, says) => {
    const policy = handedIn<WritePolicy>(wrong)
    expect(await refused(() => client.put(key, { a: 1 }, policy))).toContain(says)
    expect(await refused(() => client.remove(key, policy))).toContain(says)
    expect(await refused(() => client.operate(key, [op.add('a', 1)], policy))).toContain(says)
  })

  it('a percentage of a life', async () => {
    for (const touchPercent of [0, 101, 1.5])
      expect(await refused(() => client.get(key, { touchPercent }))).toContain(
        `1 to 100, or 'never', not ${touchPercent}`,
      )
  })

  const bins: [unknown, string][] = [
    [{ 'a name of 16 byt': 1 }, "at most 15 bytes; 'a name of 16 byt' has 16"],
    [{ éééééééé: 1 }, "at most 15 bytes; 'éééééééé' has 16"],
    [{ 'a\0': 1 }, 'no NUL character; "a\\u0000" does'],
    [{}, 'at least one bin'],
    [[1], 'not a Array'],
    [undefined, 'not undefined'],
    [{ a: 2n ** 63n }, '64 bits, signed; 9223372036854775808 does not fit'],
    [{ a: [2n ** 64n] }, '18446744073709551616 is not'],
    [{ a: new Date(0) }, 'a plain object, not a Date'],
    [{ a: { b: () => 1 } }, 'not a function'],
    [{ a: deep(300) }, 'nested at most 256 levels'],
  ]
  it.each(bins)('bins %o', async (wrong, says) => {
    expect(await refused(() => client.put(key, handedIn<Record<string, Value>>(wrong)))).toContain(says)
  })

  it('steps, where they are made', () => {
    expect(() => op.read('a name of 16 byt')).toThrow(ClientError)
    expect(() => list.append('a name of 16 byt', 1)).toThrow('at most 15 bytes')
    expect(() => exp.write('a name of 16 byt', exp.int(1))).toThrow('at most 15 bytes')
    expect(() => op.add('a', handedIn<number>('1'))).toThrow("a number or a bigint, not '1'")
    expect(() => op.append('a', handedIn<string>(1))).toThrow('text or a Buffer, not 1')
  })

  it('leaves the client as it was', async () => {
    await client.put(key, { a: 1 })
    await refused(() => client.put(key, { b: 'x'.repeat(5000), c: 2n ** 63n }))
    expect((await client.get(key))!.bins).toEqual({ a: 1 })
  })

  it('spoils its own row of a batch alone', async () => {
    const rows = await client.batch([
      { operate: key, ops: [op.write('a', 2)] },
      { operate: key, ops: [op.write('a', 2n ** 63n)] },
      { read: key },
    ])
    expect(rows.map(({ code }) => code)).toEqual([0, ClientCode.INVALID, 0])
    expect(rows[1]!.message).toContain('64 bits')
    expect(rows[2]!.record!.bins).toEqual({ a: 2 })
  })
})

function deep(levels: number): Value {
  let value: Value = 1
  for (let i = 0; i < levels; i++) value = [value]
  return value
}

describe('names that JavaScript keeps for itself', () => {
  it('are names like others', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    const json = names.map((name) => `"${name}":{"__proto__":{"a":1},"x":2}`).join()
    const bins = handedIn<Record<string, Value>>(JSON.parse(`{${json}}`))
    await client.put(key, bins, { exists: 'create-or-replace' })
    const found = (await client.get(key))!.bins
    expect(Object.keys(found)).toEqual(names)
    expect(JSON.stringify(found)).toBe(JSON.stringify(bins))
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
    const nested = found['constructor'] as object
    expect(Object.getPrototypeOf(nested)).toBe(Object.prototype)
    expect(Object.hasOwn(nested, '__proto__')).toBe(true)
    const { bins: read, results } = await client.operate(
      key,
      names.map((name) => op.read(name)),
    )
    expect(Object.keys(read)).toEqual(names)
    expect(results).toHaveLength(4)
  })
})

describe('a list of steps that reads all bins', () => {
  it('answers them as they are at that step', async () => {
    await client.put(key, { a: 1, b: 2 }, { exists: 'create-or-replace' })
    const { bins } = await client.operate(key, [op.write('c', 3), op.readAll()])
    expect(bins).toEqual({ a: 1, b: 2, c: 3 })
    expect((await client.operate(key, [op.readAll()])).bins).toEqual({ a: 1, b: 2, c: 3 })
  })
})
