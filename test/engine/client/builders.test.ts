import {
  bit,
  BitOverflow,
  BitResizeFlag,
  type CallStep,
  type Client,
  connect,
  ctx,
  exp,
  type Expression,
  ExpressionType,
  geoJson,
  Hll,
  hll,
  infinity,
  list,
  ListFlag,
  ListOrder,
  ListSortFlag,
  map,
  MapFlag,
  MapOrder,
  type Node,
  op,
  type Operation,
  path,
  ReturnType,
  Selected,
  startNode,
  type Value,
  wildcard,
} from '@larder/engine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const { BOOL, INT, LIST, MAP, STRING } = ExpressionType
const { a, b, f, l, m, s } = {
  a: exp.intBin('a'),
  b: exp.intBin('b'),
  f: exp.floatBin('f'),
  l: exp.listBin('l'),
  m: exp.mapBin('m'),
  s: exp.stringBin('s'),
}

/** Made with the official Node client and taken from the wire: protocol notes, expressions 7 and records 3. */
const captured: [string, Expression | Operation, string][] = [
  ['a == 7', exp.eq(a, exp.int(7)), '9301935102a16107'],
  ['a > 100', exp.gt(a, exp.int(100)), '9303935102a16164'],
  ['regex', exp.regex(2, 'HEL.*', s), '940702a548454c2e2a935103a173'],
  [
    'or',
    exp.or(exp.not(exp.boolBin('t')), exp.exclusive(exp.bool(true), exp.bool(false))),
    '93119212935101a1749313c3c2',
  ],
  ['exists', exp.binExists('nope'), '93029252a46e6f706500'],
  ['key stored', exp.keyExists(), '9147'],
  ['text key', exp.eq(exp.stringKey(), exp.string('oc1')), '9301925003a4036f6331'],
  ['set name', exp.eq(exp.setName(), exp.string('s')), '93019146a20373'],
  ['ttl', exp.lt(exp.ttl(), exp.int(0)), '9305914500'],
  ['count of a value', exp.gt(exp.listCountValue('l', 3), exp.int(1)), '9303957f020093160503935104a16c01'],
  ['map key', exp.eq(exp.mapGetInt('m', 'x'), exp.int(1)), '9301957f0200936107a20378935105a16d01'],
  ['list literal', exp.eq(l, exp.list([5, 3, 9, 3, 7])), '9301935104a16c927e950503090307'],
  ['in list', exp.inList(a, exp.list([1, 7])), '9309935102a161927e920107'],
  ['a + b', exp.read('x', exp.add(a, b)), '929314935102a161935102a16200'],
  ['f * 2.0', exp.read('x', exp.mul(f, exp.float(2))), '929316935107a166cb400000000000000000'],
  [
    'cond',
    exp.read('x', exp.cond(exp.gt(a, exp.int(5)), exp.string('big'), exp.string('small'))),
    '92947b9303935102a16105a403626967a603736d616c6c00',
  ],
  [
    'let',
    exp.read('x', exp.let({ x: exp.add(a, exp.int(1)) }, exp.mul(exp.variable('x'), exp.variable('x')))),
    '92947da1789314935102a161019316927ca178927ca17800',
  ],
  ['unknown, no fail', exp.read('x', exp.unknown(), 16), '92910010'],
  ['list size', exp.read('x', exp.listSize('l')), '92957f02009110935104a16c00'],
  ['list append', exp.read('x', exp.call(LIST, list.append('l', 1))), '92957f0440920101935104a16c00'],
  ['bit count', exp.read('x', exp.call(INT, bit.count('bl', 0, 40))), '92957f020193330028935106a2626c00'],
  ['map keys', exp.read('x', exp.mapKeys(m)), '929265935105a16d00'],
  ['max', exp.read('x', exp.max(a, b, exp.int(4))), '929433935102a161935102a1620400'],
  ['bin type', exp.read('x', exp.binType('l')), '929252a16c00'],
  [
    'a list in a map',
    exp.read('x', exp.call(INT, list.getByIndex('m', 1, ReturnType.VALUE, [ctx.mapKey('y')]))),
    '92957f020093ccff9222a2037993130701935105a16d00',
  ],
  ['allow delete', exp.write('x', exp.nil(), 4), '92c004'],
  ['list append 5', list.append('l', 5), '920105'],
  ['list size step', list.size('l'), '9110'],
  ['append to an inner list', list.append('l', 9, [ctx.listIndex(0)]), '93ccff921000920109'],
  ['map get by key', map.getByKey('m', 'a'), '936107a20361'],
  ['bit set', bit.set('b', 4, 4, Buffer.of(0xff)), '95030404a204ff00'],
  ['bit get', bit.get('b', 0, 16), '93320010'],
  [
    'hll add',
    hll.add('h', ['a', 'b'], { indexBits: 8 }),
    '95010192a20361a2036208ff00'.replace('950101', '9501'),
  ],
  ['hll count', hll.count('h'), '9132'],
]

describe('builders', () => {
  it.each(captured)('write %s as the official client does', (_, built, bytes) => {
    expect(('encoded' in built ? built.encoded : built.payload)!.toString('hex')).toBe(bytes)
  })
})

let node: Node
let client: Client
const key = { namespace: 'test', set: 'builders', key: 1 }

beforeAll(async () => {
  node = await startNode({ port: 0 })
  client = await connect({ node })
})

afterAll(async () => {
  await client.close()
  await node.close()
})

/** Starts a record with these bins, and answers what the steps answer. */
async function on(bins: Record<string, Value>, ...steps: Operation[]): Promise<readonly unknown[]> {
  await client.put(key, bins, { exists: 'create-or-replace' })
  return (await client.operate(key, steps)).results
}

const bin = async (name: string) => (await client.get(key))!.bins[name]

describe('list steps', () => {
  const numbers = { l: [5, 3, 9, 3, 7] }

  it('add with flags', async () => {
    const flags = ListFlag.ADD_UNIQUE | ListFlag.NO_FAIL
    const unordered = ListOrder.UNORDERED
    const found = await on(
      { l: [1, 2] },
      list.appendWith('l', 2, unordered, flags),
      list.appendItemsWith('l', [2, 3], unordered, flags | ListFlag.PARTIAL),
      list.insertWith('l', 0, 3, flags),
      list.insertItemsWith('l', 0, [3, 4], flags | ListFlag.PARTIAL),
      list.setWith('l', 9, 5, ListFlag.INSERT_BOUNDED | ListFlag.NO_FAIL),
      list.incrementWith('l', 0, 10, unordered, 0),
      list.sort('l', ListSortFlag.DESCENDING),
    )
    expect(found).toEqual([2, 3, 3, 4, undefined, 14, undefined])
    expect(await bin('l')).toEqual([14, 3, 2, 1])
  })

  it('select around a value, and everything but', async () => {
    const inverted = ReturnType.VALUE | ReturnType.INVERTED
    expect(
      await on(
        numbers,
        list.getByValueRelativeRankRange('l', 5, 0),
        list.getByValueRelativeRankRange('l', 5, -1, 2, ReturnType.COUNT),
        list.getByValues('l', [3, 9], inverted),
        list.getByValueRange('l', 5, infinity),
        list.getByValue('l', wildcard, ReturnType.COUNT),
        list.removeByValueRelativeRankRange('l', 5, 1, undefined, ReturnType.VALUE),
      ),
    ).toEqual([[5, 7, 9].sort(), 2, [5, 7], [5, 9, 7], 5, expect.arrayContaining([7, 9])])
    expect(await bin('l')).toEqual([5, 3, 3])
  })

  it('find a list whose end is open', async () => {
    const pairs = {
      l: [
        ['a', 1, 2],
        ['b', 1],
        ['a', 3],
      ],
    }
    expect(await on(pairs, list.getByValue('l', ['a', wildcard]))).toEqual([
      [
        ['a', 1, 2],
        ['a', 3],
      ],
    ])
  })

  it('make the lists and maps on their way', async () => {
    await on(
      { other: 1 },
      list.append('l', 1, [ctx.listIndexCreate(2, ListOrder.UNORDERED, true)]),
      map.put('m', 'k', 1, [ctx.mapKeyCreate('x', MapOrder.KEY_ORDERED)]),
      list.append('o', 2, [ctx.listIndexCreate(0, ListOrder.ORDERED)]),
      list.append('o', [1]),
    )
    expect(await client.get(key)).toMatchObject({
      bins: { l: [null, null, [1]], m: { x: { k: 1 } }, o: [[1], [2]] },
    })
  })
})

describe('map steps', () => {
  const m = { m: { a: 1, b: 5, c: 3 } }

  it('put, count down and remove', async () => {
    const flags = MapFlag.CREATE_ONLY | MapFlag.NO_FAIL | MapFlag.PARTIAL
    expect(
      await on(
        m,
        map.putItemsWith('m', { a: 9, d: 7 }, MapOrder.KEY_ORDERED, flags),
        map.decrement('m', 'd', 2),
        map.removeByValues('m', [1, 3], ReturnType.KEY),
      ),
    ).toEqual([4, 5, ['a', 'c']])
    expect(await bin('m')).toEqual({ b: 5, d: 5 })
  })

  it('select around a key or a value', async () => {
    expect(
      await on(
        m,
        map.getByKeyRelativeIndexRange('m', 'b', 0),
        map.getByKeyRelativeIndexRange('m', 'bb', -1, 1, ReturnType.KEY),
        map.getByValueRelativeRankRange('m', 3, 0, undefined, ReturnType.KEY),
        map.getByValues('m', [5, 3], ReturnType.KEY),
        map.getByValueRange('m', 3, infinity, ReturnType.COUNT),
        map.removeByKeyRelativeIndexRange('m', 'b', 1, 1, ReturnType.KEY),
        map.removeByValueRelativeRankRange('m', 5, 0, 1, ReturnType.KEY),
      ),
    ).toEqual([{ b: 5, c: 3 }, ['b'], ['c', 'b'], ['b', 'c'], 2, ['c'], ['b']])
    expect(await bin('m')).toEqual({ a: 1 })
  })
})

describe('bit steps', () => {
  it('change and read bits', async () => {
    const found = await on(
      { b: Buffer.from('0142030405', 'hex') },
      bit.set('b', 4, 4, Buffer.of(0xf0)),
      bit.or('b', 8, 8, Buffer.of(0x01)),
      bit.xor('b', 8, 8, Buffer.of(0x03)),
      bit.and('b', 16, 8, Buffer.of(0x02)),
      bit.not('b', 24, 8),
      bit.leftShift('b', 32, 8, 1),
      bit.rightShift('b', 32, 8, 2),
      bit.add('b', 0, 8, 250, { overflow: BitOverflow.SATURATE }),
      bit.subtract('b', 16, 8, 4, { signed: true, overflow: BitOverflow.WRAP }),
      bit.get('b', 0, 40),
      bit.count('b', 0, 8),
      bit.leftScan('b', 8, 8, true),
      bit.rightScan('b', 8, 8, true),
      bit.getInt('b', 16, 8, true),
      bit.getInt('b', 16, 8),
      bit.setInt('b', 0, 8, 7),
      bit.insert('b', 1, Buffer.of(0xaa)),
      bit.remove('b', 2, 2),
      bit.resize('b', 5, BitResizeFlag.FROM_FRONT),
    )
    expect(found.slice(9, 15)).toEqual([Buffer.from('ff40fefb02', 'hex'), 8, 1, 1, -2, 254])
    expect(await bin('b')).toEqual(Buffer.from('0007aafb02', 'hex'))
  })
})

describe('HLL steps', () => {
  it('count, compare and join', async () => {
    const words = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `w${from + i}`)
    const size = { indexBits: 12, minHashBits: 20 }
    await on(
      { x: 1 },
      hll.init('h', size),
      hll.add('h', words(0, 1000)),
      hll.add('i', words(500, 1500), size),
    )
    const other = await bin('i')
    expect(other).toBeInstanceOf(Hll)
    if (!(other instanceof Hll)) return
    const { results } = await client.operate(key, [
      hll.count('h'),
      hll.describe('h'),
      hll.unionCount('h', [other]),
      hll.intersectCount('h', [other]),
      hll.similarity('h', [other]),
      hll.mayContain('h', ['w1', 'w2']),
      hll.union('h', [other]),
      hll.setUnion('h', [other]),
      hll.refreshCount('h'),
    ])
    const [count, shape, joined, shared, alike, contains, union] = results
    expect(shape).toEqual([12, 20])
    for (const [found, wanted] of [
      [count, 1000],
      [joined, 1500],
      [shared, 500],
      [results[8], 1500],
    ])
      expect(Math.abs(Number(found) - Number(wanted))).toBeLessThan(100)
    expect(Number(alike)).toBeCloseTo(1 / 3, 1)
    expect(contains).toBe(1)
    expect(union).toBeInstanceOf(Hll)
    await client.put({ ...key, key: 'copy' }, { h: other, in: [other] })
    expect((await client.get({ ...key, key: 'copy' }))!.bins).toEqual({ h: other, in: [other] })
    await on({ x: 1 }, hll.init('f', { indexBits: 10 }), hll.fold('f', 6))
    expect((await client.operate(key, [hll.describe('f')])).results).toEqual([[6, 0]])
  })
})

describe('calls in expressions', () => {
  const bins = { l: [5, 3, 9, 3, 7], m: { x: 1, y: [4, 8], z: 'zed' }, n: 3, b: Buffer.of(0xf0, 0x0f) }
  const gives = async (type: number, step: CallStep, operand?: Expression) =>
    (await on(bins, exp.read('r', exp.call(type, step, operand))))[0]

  it('work on lists, maps, bits and HLLs, on what stands in them, and on each other', async () => {
    expect(await gives(INT, list.getByRank('l', -1))).toBe(9)
    expect(await gives(LIST, list.getByValues('l', [3, 5]))).toEqual([5, 3, 3])
    expect(await gives(LIST, list.removeByValue('l', exp.intBin('n')))).toEqual([5, 9, 7])
    expect(await gives(STRING, map.getByKey('m', 'z'))).toBe('zed')
    expect(await gives(INT, list.get('m', 1, [ctx.mapKey('y')]))).toBe(8)
    expect(await gives(MAP, map.put('m', 'x', 2))).toMatchObject({ x: 2 })
    expect(await gives(INT, bit.count('b', 0, 16))).toBe(8)
    expect(await gives(INT, list.size(''), exp.call(LIST, list.appendItems('l', [1, 2])))).toBe(7)
    expect(await gives(BOOL, list.getByValue('l', 9, ReturnType.EXISTS))).toBe(true)
    expect(await bin('l')).toEqual(bins.l)
    const added = exp.call(ExpressionType.HLL, hll.add('', ['a', 'b'], { indexBits: 8 }), exp.hllBin('h'))
    await on(bins, hll.init('h', { indexBits: 8 }))
    const { results } = await client.operate(key, [exp.read('r', exp.call(INT, hll.count(''), added))])
    expect(results).toEqual([2])
  })

  it('decide as filters', async () => {
    await client.put(key, bins, { exists: 'create-or-replace' })
    const filter = exp.gt(exp.call(INT, list.getByRank('l', -1)), exp.int(8))
    await client.put(key, { n: 4 }, { filter })
    await client.put(key, { l: [1] })
    await expect(client.put(key, { n: 5 }, { filter })).rejects.toMatchObject({ reason: 'FILTERED_OUT' })
  })

  it('of bits, numbers, geometry and metadata', async () => {
    const found = await on(
      { n: -16, g: geoJson('{"type":"Point","coordinates":[1,1]}') },
      exp.read('r', exp.arithmeticRightShift(exp.intBin('n'), exp.int(2))),
      exp.read('s', exp.bitCount(exp.int(255))),
      exp.read('t', exp.leftScan(exp.int(1), exp.bool(true))),
      exp.read('u', exp.rightScan(exp.int(1), exp.bool(true))),
      exp.read('v', exp.gt(exp.memorySize(), exp.int(0))),
      exp.read(
        'w',
        exp.geoContains(
          exp.geoBin('g'),
          exp.geo('{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,2],[0,0]]]}'),
        ),
      ),
    )
    expect(found).toEqual([-4, 8, 63, 63, true, true])
  })
})

describe('paths', () => {
  const bins = { m: { a: { p: 10, q: 1 }, b: { p: 25, q: 2 }, c: { p: 5, q: 3 } } }
  const price = exp.call(INT, map.getByKey('', 'p'), exp.loopValue(MAP))
  const dear = ctx.where(exp.gt(price, exp.int(8)))

  it('select by condition and by key', async () => {
    expect(
      await on(
        bins,
        path.select('m', [dear]),
        path.select('m', [dear], Selected.KEYS),
        path.select('m', [dear, ctx.mapKeys(['p'])], Selected.TREE),
        path.select('m', [ctx.all(), ctx.mapKey('q')]),
        path.select('m', [ctx.where(exp.eq(exp.loopKey(STRING), exp.string('c')))], Selected.KEYS),
        path.select('m', [ctx.mapKeys(['a', 'c']), ctx.andWhere(exp.lt(price, exp.int(8)))], Selected.KEYS),
      ),
    ).toEqual([
      [
        { p: 10, q: 1 },
        { p: 25, q: 2 },
      ],
      ['a', 'b'],
      { a: { p: 10 }, b: { p: 25 } },
      [1, 2, 3],
      ['c'],
      ['c'],
    ])
  })

  it('change and take out', async () => {
    await on(
      bins,
      path.modify('m', [dear, ctx.mapKeys(['p'])], exp.mul(exp.loopValue(INT), exp.int(2))),
      path.modify('m', [ctx.where(exp.eq(price, exp.int(5)))], exp.removeResult()),
    )
    expect(await bin('m')).toEqual({ a: { p: 20, q: 1 }, b: { p: 50, q: 2 } })
    expect(() => exp.call(LIST, path.select('m', [ctx.all()]))).toThrow('needs its operand')
    await on(
      { l: [4, 5, 6] },
      path.modify('l', [ctx.where(exp.eq(exp.loopIndex(), exp.int(1)))], exp.removeResult()),
    )
    expect(await bin('l')).toEqual([4, 6])
  })
})

describe('markers', () => {
  it('are no values of bins', async () => {
    await expect(client.put(key, { a: infinity })).rejects.toThrow('stand in arguments of steps')
    expect((await client.operate(key, [op.write('a', 1), op.read('a')])).results).toEqual([undefined, 1])
  })
})
