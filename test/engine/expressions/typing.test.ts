import { describe, expect, it } from 'vitest'
import type { ExpressionRecord } from '../../../engine/src/operations/expression/expression-node.ts'
import {
  filterResult,
  isFilter,
  readExpression,
  writeExpression,
} from '../../../engine/src/operations/expression/expression.ts'
import { modifyHll } from '../../../engine/src/operations/hll/hll-operations.ts'
import { geojsonParticle } from '../../../engine/src/values/geojson.ts'
import { type Particle, ParticleType } from '../../../engine/src/values/particle.ts'
import { ResultError } from '../../../engine/src/values/result-code.ts'
import {
  double,
  INFINITY,
  mapBin,
  orderedMapBin,
  pack,
  Packed,
  particle,
  raw,
  show,
  slice,
  type Value,
  WILDCARD,
} from '../values/pack.ts'

/** A string without a type byte, as names and patterns are. */
const text = (name: string) => new Packed(Buffer.concat([Buffer.of(0xa0 | name.length), Buffer.from(name)]))
const geo = (json: string) =>
  new Packed(Buffer.concat([Buffer.of(0xd9, json.length + 1, 23), Buffer.from(json)]))
const POINT = '{"type":"Point","coordinates":[-122.0,37.5]}'
const AROUND = '{"type":"AeroCircle","coordinates":[[-122.0,37.5],1000]}'
const FAR = '{"type":"AeroCircle","coordinates":[[-100.0,37.5],1000]}'

const stored = (json: string) => geojsonParticle(particle(ParticleType.GEOJSON, Buffer.from(`\0\0\0${json}`)))
const NAN = Buffer.from('7ff8000000000001', 'hex')
const bins: Record<string, Particle> = {
  y: particle(ParticleType.BLOB, Buffer.from('0142030405', 'hex')),
  h: modifyHll(undefined, slice(pack([1, ['a', 'b', 'c'], 8, 0]))).bin!,
  p: stored(POINT),
  r: stored(AROUND),
  s: particle(ParticleType.STRING, Buffer.from('hello')),
  n: particle(ParticleType.DOUBLE, NAN),
  u: mapBin(['a', 1]),
  o: orderedMapBin(['a', 1]),
}

const record: ExpressionRecord = {
  bin: (buffer, start, end) => bins[buffer.toString('latin1', start, end)],
  key: () => undefined,
  setName: () => slice(Buffer.alloc(0)),
  digest: () => slice(Buffer.alloc(20)),
  lastUpdate: () => 0n,
  sinceUpdateMs: () => 0n,
  voidTime: () => -1n,
  ttlSeconds: () => -1n,
  recordBytes: () => 48n,
}

const BOOL = 1
const INT = 2
const bin = (type: number, name: string): Value => [81, type, text(name)]
const list = (...items: Value[]): Value => [126, items]
const UNKNOWN: Value = [0]

function read(expression: Value): string | number {
  try {
    return show(readExpression(slice(pack([expression, 0])), record))
  } catch (error) {
    if (error instanceof ResultError) return error.code
    throw error
  }
}

const TRUE = '17:01'
const FALSE = '17:00'
const integer = (value: number) => `1:${value.toString(16).padStart(16, '0')}`

describe('regular expressions', () => {
  it.each<[string, Value, string | number]>([
    ['found', [7, 0, text('l*o$'), bin(3, 's')], TRUE],
    ['with a flag', [7, 2, text('HEL'), bin(3, 's')], TRUE],
    ['not found', [7, 0, text('^elc'), bin(3, 's')], FALSE],
    ['missing bin', [7, 0, text('h'), bin(3, 'none')], 26],
    ['no pattern', [7, 1, text('('), bin(3, 's')], 4],
    ['no string', [7, 0, text('h'), 7], 4],
  ])('%s', (_name, expression, expected) => expect(read(expression)).toBe(expected))
})

describe('regions and points', () => {
  it.each<[string, Value, string | number]>([
    ['point in region', [8, bin(8, 'p'), bin(8, 'r')], TRUE],
    ['region around point', [8, bin(8, 'r'), bin(8, 'p')], TRUE],
    ['two points', [8, bin(8, 'p'), bin(8, 'p')], FALSE],
    ['two regions', [8, bin(8, 'r'), geo(AROUND)], FALSE],
    ['literal around', [8, bin(8, 'p'), geo(AROUND)], TRUE],
    ['literal far away', [8, geo(FAR), bin(8, 'p')], FALSE],
    ['bad literal', [8, bin(8, 'p'), geo('xx')], 4],
    ['string', [8, bin(8, 'p'), AROUND], 4],
    ['missing bin', [8, bin(8, 'none'), geo(AROUND)], 26],
    ['equal', [1, bin(8, 'p'), bin(8, 'p')], 4],
  ])('%s', (_name, expression, expected) => expect(read(expression)).toBe(expected))

  it('a literal is answered with its cells', () => {
    expect(read(geo(POINT))).toBe(show(stored(POINT)))
  })
})

describe('infinity and wildcard', () => {
  it.each<[string, Value, string | number]>([
    ['alone', INFINITY, 4],
    ['compared with a value', [1, 7, INFINITY], 4],
    ['compared with itself', [1, INFINITY, INFINITY], TRUE],
    ['wildcard in a list', [9, WILDCARD, list(1)], TRUE],
    ['infinity in a list', [9, INFINITY, list(1)], FALSE],
    ['as a variable that is not used', [125, text('x'), INFINITY, 5], integer(5)],
    ['as a variable', [125, text('x'), INFINITY, [124, text('x')]], 4],
    ['as first value of COND, in a sum', [20, [123, true, INFINITY, 1], 1], 26],
    ['as second value of COND', [123, true, 1, INFINITY], 4],
    ['as a whole number', [30, [123, true, INFINITY, double(1)]], integer(0)],
    ['as the value read', [123, true, INFINITY, 1], 4],
    // With these two the field's server ends.
    ['as first value of COND, compared', [1, [123, true, INFINITY, 1], 1], 4],
    ['as first value of COND, under NOT', [18, [123, true, WILDCARD, true]], 4],
  ])('%s', (_name, expression, expected) => expect(read(expression)).toBe(expected))
})

describe('unknown', () => {
  it.each<[string, Value, string | number]>([
    ['is a bool', [1, UNKNOWN, true], 26],
    ['is no integer', [1, UNKNOWN, 1], 4],
    ['is no number', [20, UNKNOWN, 1], 4],
    ['is a bit to look for', [40, 1, UNKNOWN], 26],
    ['fits a branch of any type', [123, false, UNKNOWN, 2], integer(2)],
    ['is a bool again behind COND', [20, [123, true, UNKNOWN, UNKNOWN], 1], 4],
    ['is a bool again behind LET', [20, [125, text('x'), 1, UNKNOWN], 1], 4],
    ['is no operand of a call', [127, INT, 0, [16], UNKNOWN], 4],
    ['before two trues', [19, [1, bin(INT, 'none'), 1], true, true], 26],
    ['behind two trues', [19, true, true, [1, bin(INT, 'none'), 1]], FALSE],
  ])('%s', (_name, expression, expected) => expect(read(expression)).toBe(expected))
})

describe('NaN', () => {
  const nan = double(NaN)
  it.each<[string, Value, string | number]>([
    ['computed', [23, double(0), double(0)], '2:fff8000000000000'],
    ['from a power', [24, double(-1), double(0.5)], '2:fff8000000000000'],
    ['from a logarithm', [25, double(-1), double(2)], '2:fff8000000000000'],
    ['without its sign', [27, [23, double(0), double(0)]], '2:7ff8000000000000'],
    ['in a bin', bin(7, 'n'), `2:${NAN.toString('hex')}`],
    ['in a sum', [20, double(1), nan], '2:7ff8000000000000'],
    ['equal to itself', [1, nan, nan], FALSE],
    ['unequal to itself', [2, nan, nan], TRUE],
    ['first of the least', [50, nan, double(1)], '2:7ff8000000000000'],
    ['second of the greatest', [51, double(1), nan], '2:3ff0000000000000'],
    ['as a whole number', [30, nan], '1:8000000000000000'],
    ['to the power 0', [24, nan, double(0)], '2:3ff0000000000000'],
    ['as an argument', [127, 4, 0x40, [1, nan], list()], '20:91cb7ff8000000000000'],
    ['minus zero kept', [50, double(-0), double(0)], '2:8000000000000000'],
    ['minus of zero', [21, double(0)], '2:0000000000000000'],
  ])('%s', (_name, expression, expected) => expect(read(expression)).toBe(expected))

  it('division by zero in the middle is unknown', () => {
    expect(read([23, 100, 0, 2])).toBe(26)
  })
})

describe('maps without order', () => {
  it.each<[string, Value, string | number]>([
    ['do not compare', [1, bin(5, 'u'), bin(5, 'u')], 26],
    ['with order do', [1, bin(5, 'o'), bin(5, 'o')], TRUE],
    ['empty do', [1, new Map(), new Map()], TRUE],
    ['do not compare in a list', [1, list(new Map([[1, 1]])), list(new Map([[1, 1]]))], 26],
    ['do not compare deep in a list', [1, list([[new Map([[1, 1]])]]), list([[new Map([[1, 1]])]])], 26],
  ])('%s', (_name, expression, expected) => expect(read(expression)).toBe(expected))
})

describe('names, flags and payloads', () => {
  it.each<[string, Value]>([
    ['an empty name', [125, text(''), 1, [124, text('')]]],
    ['a name with a type byte', [125, 'x', 1, [124, 'x']]],
  ])('%s is refused', (_name, expression) => expect(read(expression)).toBe(4))

  const payload = (hex: string) => slice(Buffer.from(hex, 'hex'))
  it.each(['9205c0', '92050005', '9205', '920510ff'])('%s has flags that are read', (hex) => {
    expect(show(readExpression(payload(hex), record))).toBe(integer(5))
    expect(writeExpression(payload(hex), record, false).kind).toBe('store')
  })

  it('nil from an update of a bin that is there changes nothing', () => {
    expect(writeExpression(payload('92c002'), record, true)).toEqual({ kind: 'keep' })
  })

  it('knows a filter', () => {
    expect(isFilter(payload('c3'))).toBe(true)
    expect(isFilter(payload('9100'))).toBe(true)
    expect(isFilter(payload('05'))).toBe(false)
    expect(isFilter(payload('c1'))).toBe(false)
    expect(filterResult(payload('9164'), record)).toBe(4)
  })
})

describe('calls on bits and HyperLogLogs', () => {
  it.each<[string, Value, string | number]>([
    ['bits', [127, 6, 1, [50, 0, 8], bin(6, 'y')], '4:01'],
    ['bits changed', [127, 6, 0x41, [3, 0, 8, Buffer.of(0xff), 0], bin(6, 'y')], '4:ff42030405'],
    ['bits beyond the end', [127, 6, 1, [50, 0, 100], bin(6, 'y')], 26],
    ['bits changed without saying so', [127, 6, 1, [3, 0, 8, Buffer.of(0xff), 0], bin(6, 'y')], 26],
    ['bits of another type', [127, 6, 1, [50, 0, 8], bin(3, 's')], 4],
    ['a count', [127, INT, 2, [50], bin(9, 'h')], integer(3)],
    [
      'a count after an addition',
      [127, INT, 2, [50], [127, 9, 0x42, [1, list('x'), -1, -1], bin(9, 'h')]],
      integer(4),
    ],
    ['a union with a bin', [127, INT, 2, [52, bin(9, 'h')], bin(9, 'h')], integer(3)],
    ['no such module', [127, INT, 3, [50], bin(9, 'h')], 4],
    ['the bin stays', [127, INT, 2, [50], bin(9, 'h')], integer(3)],
    // With some of these the field's server ends.
    ['GET of nil', [127, 6, 1, [50, 0, 8], null], 26],
    ['RESIZE of nil', [127, 6, 0x41, [0, 4, 0, 0], null], 26],
    ['HLL INIT of nil', [127, 9, 0x42, [0, 8, 0, 0], null], 26],
    ['COUNT of nil', [127, INT, 1, [51, 0, 8], null], 26],
    ['HLL COUNT of nil', [127, INT, 2, [50], null], 26],
  ])('%s', (_name, expression, expected) => expect(read(expression)).toBe(expected))
})

it('the removal of an element is no filter, and unknown outside a path', () => {
  expect(read([100])).toBe(26)
  expect(read([122, BOOL, 0])).toBe(26)
  expect(read(raw('c1'))).toBe(4)
})
