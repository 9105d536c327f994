/**
 * Frames on which the process of a real server was seen to end, one after the other on one connection: each gets its
 * answer, leaves the record as it should be, and the node serves this client and others as before.
 */
import type { Node } from '@larder/engine'
import { startNode } from '@larder/engine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Value } from '../values/pack.ts'
import { answerOf, INFINITY, ordered, orderedMap, pack, raw, WILDCARD } from '../values/pack.ts'
import type { MessageParts } from './messages.ts'
import { get, integer, message, messagesOf, op, put } from './messages.ts'
import { frame, Wire } from './wire.ts'

const INTEGER = 1
const BLOB = 4
const MAP = 19
const LIST = 20
const INVERTED = 0x10000
/** Of bit calls: a range is cut to the bits there are. */
const PARTIAL = 8
const DIGEST = 9
const BYSTANDER = 10

let node: Node
let wire: Wire
let other: Wire

beforeAll(async () => {
  node = await startNode({ port: 0 })
  wire = await Wire.open(node.port)
  other = await Wire.open(node.port)
  wire.send(put(BYSTANDER, 'there'))
  expect(messagesOf((await wire.frames(1))[0]!)[0]!.code).toBe(0)
})

afterAll(async () => {
  wire.close()
  other.close()
  await node.close()
})

async function ask(request: Buffer) {
  wire.send(request)
  const [answer] = await wire.frames(1)
  if (!answer) throw new Error('no answer')
  const { code, ops } = messagesOf(answer)[0]!
  return {
    code,
    values: ops.map(({ type, value }) => (type === 0 ? 'nil' : `${type}:${value.toString('hex')}`)),
  }
}

/** Makes the record new, with one bin `b`. */
async function store(type: number, value: Buffer): Promise<void> {
  await ask(message({ info2: 3, digest: DIGEST }))
  expect(await ask(message({ info2: 1, digest: DIGEST, ops: [op(2, 'b', type, value)] }))).toMatchObject({
    code: 0,
  })
}

const stored = async () => (await ask(get(DIGEST))).values

async function servesOn(): Promise<void> {
  other.send(Buffer.concat([get(BYSTANDER), frame(1, 'statistics\n')]))
  const [record, statistics] = await other.frames(2)
  expect(messagesOf(record!)[0]!.ops[0]!.value.toString()).toBe('there')
  expect(statistics!.toString('latin1')).toContain(';larder_faults=0;')
}

const reading = (ops: readonly Buffer[], more: MessageParts = {}): Buffer =>
  message({ info1: 1, digest: DIGEST, ops, ...more })
const writing = (ops: readonly Buffer[]): Buffer => message({ info1: 1, info2: 0x81, digest: DIGEST, ops })
const readCall = (...call: Value[]): Buffer => reading([op(3, 'b', BLOB, pack(call))])
const modifyCall = (...call: Value[]): Buffer => writing([op(4, 'b', BLOB, pack(call))])

const list = (...items: Value[]): Buffer => pack(items)

describe('a list value marked as indexed but not ordered', () => {
  it('is refused, the record stays', async () => {
    const before = list(1, 2)
    await store(LIST, before)
    for (const marked of ['93 c7 00 10 01 02', '91 c7 00 10', '91 92 c7 00 10 01']) {
      const value = Buffer.from(marked.replaceAll(' ', ''), 'hex')
      expect(await ask(writing([op(2, 'b', LIST, value)])), marked).toMatchObject({ code: 4 })
      expect(await ask(modifyCall(1, raw(marked))), marked).toMatchObject({ code: 4 })
    }
    expect(await stored()).toEqual([`${LIST}:${before.toString('hex')}`])
    await servesOn()
  })
})

describe('a path that creates a list', () => {
  it.each([-1, -3, -(2 ** 31), -(2n ** 63n)])('with padding at index %i is refused', async (index) => {
    for (const before of [list(), list(1, 2)]) {
      if (before.length > 1 && index === -1) continue
      await store(LIST, before)
      expect((await ask(modifyCall(0xff, [0x90, index], [1, 5]))).code).toBe(4)
      expect(await stored()).toEqual([`${LIST}:${before.toString('hex')}`])
    }
    await servesOn()
  })

  it.each([0x50, 0xd0])(
    'of type %i before the start of an ordered list is refused as on others',
    async (type) => {
      for (const before of [pack(ordered([7, 8])), list(7, 8)]) {
        await store(LIST, before)
        expect((await ask(modifyCall(0xff, [type, -3], [1, 4]))).code).toBe(26)
        expect(await stored()).toEqual([`${LIST}:${before.toString('hex')}`])
      }
      await servesOn()
    },
  )
})

describe('no keys or no values of a map, inverted', () => {
  const pairs = [
    ['a', 3],
    ['b', 1],
    ['c', 2],
  ] as const
  const all = new Map<number, Value>([
    [6, ['a', 'b', 'c']],
    [7, [3, 1, 2]],
    [8, orderedMap(pairs, 8)],
    [16, new Map(pairs)],
    [17, orderedMap(pairs)],
  ])
  for (const [order, value] of [
    ['unordered', new Map(pairs)],
    ['key-ordered', orderedMap(pairs)],
    ['key-value-ordered', orderedMap(pairs, 3)],
  ] as const)
    it(`selects all of a map that is ${order}`, async () => {
      for (const [type, answer] of all)
        for (const code of [81, 83, 107, 108]) {
          await store(MAP, pack(value))
          const removes = code < 100
          const asked = await ask((removes ? modifyCall : readCall)(code, type | INVERTED, []))
          expect(asked, `${code}, return type ${type}`).toEqual({ code: 0, values: [answerOf(answer)] })
          const left = removes
            ? pack(order === 'unordered' ? new Map() : orderedMap([], order === 'key-ordered' ? 1 : 3))
            : pack(value)
          expect(await stored(), `${code}, return type ${type}`).toEqual([`${MAP}:${left.toString('hex')}`])
        }
      await servesOn()
    })
})

describe('the smallest integer', () => {
  const smallest = raw('d3 80 00 00 00 00 00 00 00')
  it.each([
    ['divided', 23],
    ['modulo', 26],
  ])('%s by -1 is unknown', async (_name, code) => {
    await store(INTEGER, integer(5))
    for (const operand of [smallest, [20, smallest, 0]] as Value[]) {
      const result: Value = [code, operand, -1]
      expect((await ask(reading([op(7, 'r', BLOB, pack([result, 0]))]))).code).toBe(26)
      expect((await ask(writing([op(8, 'b', BLOB, pack([result, 0]))]))).code).toBe(26)
      const filter = pack([1, result, 0])
      expect((await ask(message({ info1: 3, digest: DIGEST, filter }))).code).toBe(27)
      expect((await ask(message({ info2: 3, digest: DIGEST, filter }))).code).toBe(27)
    }
    expect(await stored()).toEqual([answerOf(5)])
    await servesOn()
  })
})

describe('a list sorted', () => {
  it.each([2, 3])(
    'with flag %i that is ordered, indexed and has equal elements drops them',
    async (flags) => {
      await store(LIST, pack(ordered([1, 1, 2, 2, 2, 3], 0x11)))
      expect(await ask(modifyCall(13, flags))).toMatchObject({ code: 0 })
      expect(await stored()).toEqual([`${LIST}:${pack(ordered([1, 2, 3])).toString('hex')}`])
      await servesOn()
    },
  )
})

describe('a value that a key-value-ordered, indexed map does not hold', () => {
  it.each([99, 78])('gives an empty map to call %i', async (code) => {
    await store(MAP, pack(orderedMap([['a', 1]], 0x13)))
    const asked = await ask((code === 99 ? readCall : modifyCall)(code, 17, 5))
    expect(asked).toEqual({ code: 0, values: [answerOf(orderedMap([]))] })
    expect(await stored()).toEqual([`${MAP}:${pack(orderedMap([['a', 1]], 3)).toString('hex')}`])
    await servesOn()
  })
})

describe('infinity or a wildcard that a condition chooses', () => {
  it.each([
    ['infinity', INFINITY],
    ['wildcard', WILDCARD],
  ])('is refused where it is compared or negated: %s', async (_name, value) => {
    await store(INTEGER, integer(5))
    const isFive: Value = [1, [81, 2, raw('a1 62')], 5]
    const expressions: Value[] = [
      [1, [123, isFive, value, 5], 5],
      [3, [123, isFive, value, 5], 5],
      [18, [123, isFive, value, false]],
    ]
    for (const expression of expressions) {
      expect((await ask(message({ info1: 3, digest: DIGEST, filter: pack(expression) }))).code).toBe(4)
      expect((await ask(reading([op(7, 'r', BLOB, pack([expression, 0]))]))).code).toBe(4)
    }
    // The branch that is not taken does no harm.
    const notTaken = pack([1, [123, [18, isFive], value, 5], 5])
    expect((await ask(message({ info1: 3, digest: DIGEST, filter: notTaken }))).code).toBe(0)
    await servesOn()
  })
})

describe('bits shifted by more than a range that is cut short holds', () => {
  it.each([
    [8, 36, 8, 'fffffffff0'],
    [9, 36, 8, 'fffffffff0'],
    [8, -9, 32, 'fffffffe00'],
    [9, -9, 32, 'fffffffe00'],
  ])('clears what is there: call %i at offset %i by %i', async (code, offset, shift, left) => {
    for (const size of [40, 2000]) {
      await store(BLOB, Buffer.alloc(5, 0xff))
      const call = pack([code, offset, size, shift, PARTIAL])
      expect((await ask(writing([op(13, 'b', BLOB, call)]))).code).toBe(0)
      expect(await stored()).toEqual([`${BLOB}:${left}`])
    }
    await servesOn()
  })
})

describe('a call on bits or a HyperLogLog whose operand is nil', () => {
  it.each([
    ['bit GET', 6, 1, [50, 0, 8], Buffer.from([0])],
    ['bit COUNT', 2, 1, [51, 0, 8], 0],
    ['HLL COUNT', 2, 2, [50], 0],
  ] as const)('is unknown: %s', async (_name, type, module, call, other) => {
    await store(INTEGER, integer(5))
    const result: Value = [127, type, module, call, null]
    expect((await ask(reading([op(7, 'r', BLOB, pack([result, 0]))]))).code).toBe(26)
    expect((await ask(reading([op(7, 'r', BLOB, pack([result, 16]))]))).code).toBe(0)
    expect((await ask(message({ info1: 3, digest: DIGEST, filter: pack([1, result, other]) }))).code).toBe(27)
    await servesOn()
  })
})

describe('elements changed by an expression along a path', () => {
  it('may become strings and blobs of any length', async () => {
    for (const length of [30, 31, 32, 300, 70_000])
      for (const value of ['x'.repeat(length), Buffer.alloc(length, 7)]) {
        await store(LIST, list(1, 2))
        expect((await ask(modifyCall(0xfe, [4, true], 4, value))).code, `${length}`).toBe(0)
        expect(await stored()).toEqual([`${LIST}:${list(value, value).toString('hex')}`])
      }
    await servesOn()
  })
})

describe('an invalid collection inside of a value', () => {
  it('is refused by APPEND and PUT, nothing is stored', async () => {
    const invalid = [
      '93 c7 00 01 02 01',
      '82 01 0a 01 0b',
      '83 c7 00 01 c0 02 0b 01 0a',
      '81 c3 01',
      '91 d4 ff 01',
    ]
    for (const bytes of invalid) {
      await store(LIST, list(1))
      expect((await ask(modifyCall(1, [raw(bytes)]))).code, bytes).toBe(4)
      expect((await ask(modifyCall(1, raw(bytes)))).code, bytes).toBe(4)
      expect(await stored()).toEqual([`${LIST}:${list(1).toString('hex')}`])
      await store(MAP, pack(new Map([[1, 2]])))
      expect((await ask(modifyCall(67, 3, raw(bytes)))).code, bytes).toBe(4)
      expect(await stored()).toEqual([`${MAP}:${pack(new Map([[1, 2]])).toString('hex')}`])
    }
    await servesOn()
  })
})

describe('what is nested deeper than anyone needs', () => {
  it.each([2000, 20_000, 200_000])('%i levels end nothing and take no second', async (depth) => {
    const deepList = raw('91'.repeat(depth) + '01')
    const deepMap = raw('8101'.repeat(depth) + '01')
    const negated = raw('9212'.repeat(depth) + 'c3')
    const quoted: Value = [126, deepList]
    const steps = Math.min(depth, 30_000)
    const path = (type: number): Value => Array.from({ length: 2 * steps }, (_, i) => (i % 2 ? 0 : type))
    await store(LIST, list(1))
    const requests = [
      writing([op(2, 'deep', LIST, deepList.bytes)]),
      writing([op(2, 'deep', MAP, deepMap.bytes)]),
      writing([op(8, 'deep', BLOB, pack([quoted, 0]))]),
      writing([op(4, 'deep', BLOB, pack([13, 0]))]),
      modifyCall(1, deepList),
      readCall(22, 7, deepList),
      modifyCall(0xff, path(0x10), [1, 5]),
      modifyCall(0xff, path(0x50), [1, 5]),
      reading([op(7, 'r', BLOB, pack([negated, 0]))]),
      message({ info1: 3, digest: DIGEST, filter: negated.bytes }),
      message({ info1: 3, digest: DIGEST, filter: pack([1, quoted, quoted]) }),
      message({ info1: 3, digest: DIGEST, filter: pack([1, deepMap, deepMap]) }),
    ]
    for (const [i, request] of requests.entries()) {
      const begun = performance.now()
      expect((await ask(request)).code, `request ${i}`).toBeLessThan(30)
      expect(performance.now() - begun, `request ${i}`).toBeLessThan(1000)
    }
    await servesOn()
  })
})
