import { describe, expect, it } from 'vitest'
import type { ExpressionRecord } from '../../../engine/src/operations/expression/expression-node.ts'
import { readExpression } from '../../../engine/src/operations/expression/expression.ts'
import {
  isPathCall,
  modifyByPath,
  selectByPath,
} from '../../../engine/src/operations/expression/path-expression.ts'
import { type Particle, ParticleType } from '../../../engine/src/values/particle.ts'
import { ResultError } from '../../../engine/src/values/result-code.ts'
import {
  answerOf,
  listBin,
  mapBin,
  orderedListBin,
  pack,
  Packed,
  particle,
  show,
  slice,
  type Value,
} from '../values/pack.ts'

const record: ExpressionRecord = {
  bin: () => particle(ParticleType.INTEGER, Buffer.from('0000000000000001', 'hex')),
  key: () => undefined,
  setName: () => slice(Buffer.alloc(0)),
  digest: () => slice(Buffer.alloc(20)),
  lastUpdate: () => 0n,
  sinceUpdateMs: () => 0n,
  voidTime: () => -1n,
  ttlSeconds: () => -1n,
  recordBytes: () => 48n,
}

const PATH = 0xfe
const [CHILDREN, LIST_INDEX, MAP_KEY, KEYS, FILTER] = [0x04, 0x10, 0x22, 0x2a, 0x204]
const [TREE, VALUES, KEY_LIST, PAIRS, NO_FAIL] = [0, 1, 2, 3, 16]

const inner = (p: number, q: number) =>
  new Map<Value, Value>([
    ['p', p],
    ['q', q],
  ])
const M = mapBin(['a', inner(10, 1)], ['b', inner(25, 2)], ['c', inner(5, 3)])
const seven = particle(ParticleType.INTEGER, Buffer.from('0000000000000007', 'hex'))

const [INT, STRING, MAP] = [2, 3, 5]
const key: Value = [122, STRING, 0]
const value: Value = [122, INT, 1]
const index: Value = [122, INT, 2]
const p: Value = [127, INT, 0, [97, 7, 'p'], [122, MAP, 1]]
const more = (left: Value, right: Value): Value => [3, left, right]
const plus100: Value = [20, value, 100]
const REMOVE: Value = [100]

function codeOr(work: () => Particle | undefined): string | number {
  try {
    return show(work())
  } catch (error) {
    if (error instanceof ResultError) return error.code
    throw error
  }
}

const select = (bin: Particle | undefined, path: Value, flags: number) =>
  codeOr(() => selectByPath(bin, slice(pack([PATH, path, flags])), record))

function modify(bin: Particle | undefined, path: Value, expression: Value, flags = 4): string | number {
  const before = show(bin)
  const after = codeOr(() => modifyByPath(bin, slice(pack([PATH, path, flags, expression])), record))
  expect(show(bin)).toBe(before)
  return after
}

const map = (...pairs: [Value, Value][]): Value => new Map(pairs)

describe('select', () => {
  it.each<[string, Particle, Value, number, Value]>([
    ['all of a map', M, [CHILDREN, true], KEY_LIST, ['a', 'b', 'c']],
    ['all of all', M, [CHILDREN, true, CHILDREN, true], VALUES, [10, 1, 25, 2, 5, 3]],
    ['by value, as a tree', M, [CHILDREN, more(p, 8)], TREE, map(['a', inner(10, 1)], ['b', inner(25, 2)])],
    ['by value, as pairs', M, [CHILDREN, more(p, 20)], PAIRS, ['b', inner(25, 2)]],
    ['by key', M, [CHILDREN, [1, key, 'c']], VALUES, [inner(5, 3)]],
    ['by index', listBin(1, 2, 3), [CHILDREN, more(index, 0)], VALUES, [2, 3]],
    [
      'two levels as a tree',
      M,
      [CHILDREN, true, MAP_KEY, 'p'],
      TREE,
      map(['a', map(['p', 10])], ['b', map(['p', 25])], ['c', map(['p', 5])]),
    ],
    [
      'what is no collection stays in a tree',
      listBin(1, [2, 3]),
      [CHILDREN, true, CHILDREN, true],
      TREE,
      [1, [2, 3]],
    ],
    ['and is no value at its end', listBin(1, [2, 3]), [CHILDREN, true, CHILDREN, true], VALUES, [2, 3]],
    ['an index', listBin(1, 2, 3), [LIST_INDEX, -1], VALUES, [3]],
    ['an index that is not there', listBin(1), [LIST_INDEX, 9], VALUES, []],
    ['keys, those that are there', M, [KEYS, ['c', 'zz', 'a'], MAP_KEY, 'p'], VALUES, [10, 5]],
    ['a filter behind keys', M, [KEYS, ['a', 'c'], FILTER, more(p, 8)], KEY_LIST, ['a']],
    ['of an order that is not told', orderedListBin(1, 2), [CHILDREN, true], TREE, [1, 2]],
    ['what fits', listBin(1, 'a', 2), [CHILDREN, more(value, 0)], VALUES | NO_FAIL, [1, 2]],
    ['keys of a list, forgiven', listBin(1), [CHILDREN, true], KEY_LIST | NO_FAIL, []],
    ['nothing of an empty list', listBin(), [MAP_KEY, 'a'], KEY_LIST, []],
  ])('%s', (_name, bin, path, flags, expected) => {
    expect(select(bin, path, flags)).toBe(answerOf(expected))
  })

  it.each<[string, Particle, Value, number, number]>([
    ['a value of another type', listBin(1, 'a'), [CHILDREN, more(value, 0)], VALUES, 4],
    ['the index in a map', M, [CHILDREN, more(index, 0)], VALUES, 4],
    ['the key in a list', listBin(1), [CHILDREN, [1, key, 'a']], VALUES, 4],
    ['keys of a list', listBin(1), [CHILDREN, true], KEY_LIST, 12],
    ['an index of a map', M, [LIST_INDEX, 1], VALUES | NO_FAIL, 4],
    ['a key of a list', listBin(1), [MAP_KEY, 'a'], VALUES, 4],
    ['a constant that is false', M, [CHILDREN, false], VALUES, 4],
    ['a condition that is no bool', M, [CHILDREN, 5], VALUES, 4],
    ['a filter in front', M, [FILTER, true], VALUES, 4],
    ['a filter behind an expression', M, [CHILDREN, true, FILTER, true], VALUES, 4],
    ['keys that are no list', M, [KEYS, 'a'], VALUES, 4],
    ['no path', M, [], VALUES, 4],
    ['half a pair', M, [CHILDREN], VALUES, 4],
    ['the flag of a change', M, [CHILDREN, true], 4, 4],
    ['an unknown flag', M, [CHILDREN, true], 8, 4],
    ['no collection', seven, [], VALUES, 12],
  ])('%s gives a code', (_name, bin, path, flags, code) => {
    expect(select(bin, path, flags)).toBe(code)
  })

  it('a bin that is not there is nil', () => expect(select(undefined, [CHILDREN, true], VALUES)).toBe('nil'))
})

describe('modify', () => {
  it.each<[string, Particle, Value, Value, Particle]>([
    ['all', listBin(1, 2), [CHILDREN, true], plus100, listBin(101, 102)],
    ['some', listBin(1, 2, 3), [CHILDREN, more(value, 1)], plus100, listBin(1, 102, 103)],
    [
      'those of an ordered list, which are put in order',
      orderedListBin(1, 2, 3),
      [CHILDREN, [1, value, 1]],
      plus100,
      orderedListBin(2, 3, 101),
    ],
    [
      'two levels',
      mapBin(['a', inner(1, 2)]),
      [CHILDREN, true, MAP_KEY, 'p'],
      plus100,
      mapBin(['a', inner(101, 2)]),
    ],
    ['removed', listBin(1, 2, 3), [CHILDREN, more(value, 1)], REMOVE, listBin(1)],
    ['pairs removed', mapBin(['a', 1], ['b', 2]), [CHILDREN, [1, key, 'a']], REMOVE, mapBin(['b', 2])],
    [
      'removed or changed',
      listBin(1, 2),
      [CHILDREN, true],
      [123, more(value, 1), REMOVE, plus100],
      listBin(101),
    ],
    ['nil', listBin(1), [CHILDREN, true], null, listBin(null)],
    // With this one the field's server ends.
    ['a long string', listBin(1), [LIST_INDEX, 0], 'x'.repeat(40), listBin('x'.repeat(40))],
    ['nothing chosen', listBin(1), [LIST_INDEX, 5], plus100, listBin(1)],
    ['nothing there', listBin(), [CHILDREN, true], plus100, listBin()],
  ])('%s', (_name, bin, path, expression, expected) => {
    expect(modify(bin, path, expression)).toBe(show(expected))
  })

  it('an expression that fails is 1, or leaves the element', () => {
    const mixed = listBin(1, 'a', 2)
    expect(modify(mixed, [CHILDREN, true], plus100)).toBe(1)
    expect(modify(mixed, [CHILDREN, true], plus100, 4 | NO_FAIL)).toBe(show(listBin(101, 'a', 102)))
    expect(modify(mixed, [CHILDREN, true], [0])).toBe(1)
  })

  it('a value that cannot be stored is refused, a map without order put in order', () => {
    expect(modify(listBin(1), [CHILDREN, true], map([null, 1]))).toBe(4)
    expect(modify(listBin(1), [CHILDREN, true], map(['b', 1], ['a', 2]))).toBe(
      show(listBin(map(['a', 2], ['b', 1]))),
    )
  })

  it('needs its flag and a bin', () => {
    expect(modify(listBin(1), [CHILDREN, true], plus100, 0)).toBe(4)
    expect(modify(undefined, [CHILDREN, true], plus100)).toBe(12)
    expect(modify(seven, [CHILDREN, true], plus100)).toBe(12)
  })
})

describe('as a call inside an expression', () => {
  const read = (expression: Value) => codeOr(() => readExpression(slice(pack([expression, 0])), record))
  const quoted = (...items: Value[]): Value => [126, items]
  const LIST = 4

  it.each<[string, Value, string | number]>([
    [
      'selects',
      [127, LIST, 0, [PATH, [CHILDREN, more(value, 1)], VALUES], quoted(1, 2, 3)],
      answerOf([2, 3]),
    ],
    ['modifies', [127, LIST, 0x40, [PATH, [CHILDREN, true], 4, plus100], quoted(1, 2)], answerOf([101, 102])],
    ['is unknown with another type', [127, INT, 0, [PATH, [CHILDREN, true], VALUES], quoted(1)], 26],
    ['is unknown with a path that is none', [127, LIST, 0, [PATH, [], VALUES], quoted(1)], 26],
    [
      'knows no bins',
      [127, LIST, 0, [PATH, [CHILDREN, [1, [81, INT, raw1('x')], value]], VALUES], quoted(1)],
      26,
    ],
    [
      'counts what another chose',
      [127, INT, 0, [16], [127, LIST, 0, [PATH, [CHILDREN, more(value, 1)], VALUES], quoted(1, 2, 3)]],
      answerOf(2),
    ],
    ['is for lists and maps', [127, LIST, 1, [PATH, [CHILDREN, true], VALUES], quoted(1)], 4],
  ])('%s', (_name, expression, expected) => expect(read(expression)).toBe(expected))

  it('ends where it is nested too deep', () => {
    let deep: Value = value
    for (let i = 0; i < 200; i++) deep = [127, INT, 0, [PATH, [CHILDREN, deep], VALUES], quoted(1)]
    expect(read([127, LIST, 0, [PATH, [CHILDREN, deep], VALUES], quoted(1)])).toBe(26)
  })
})

describe('paths made to hurt', () => {
  const numbers = Array.from({ length: 2000 }, (_, i) => i)
  const inside = (condition: Value): Value => [
    1,
    [127, INT, 0, [16], [127, 4, 0, [PATH, [CHILDREN, condition], VALUES], [126, numbers]]],
    1,
  ]

  it('one inside another inside another gives up', () => {
    const started = performance.now()
    expect(select(listBin(...numbers), [CHILDREN, inside(inside(inside([1, value, 1])))], VALUES)).toBe(4)
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it('a hundred levels around much do not copy it a hundred times', () => {
    let bin: Value = Buffer.alloc(4 * 1024 * 1024)
    const path: Value[] = []
    for (let i = 0; i < 100; i++) {
      bin = [bin]
      path.push(CHILDREN, true)
    }
    expect(modify(particle(ParticleType.LIST, pack(bin)), path, null)).toBe(4)
    expect(select(particle(ParticleType.LIST, pack(bin)), path, TREE)).toBe(4)
  })

  it('many keys in a large map', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `k${String(i).padStart(6, '0')}`)
    const bin = mapBin(...names.map((name): [Value, Value] => [name, 1]))
    const started = performance.now()
    expect(select(bin, [KEYS, names], KEY_LIST)).toBe(answerOf(names))
    expect(performance.now() - started).toBeLessThan(2000)
  })
})

function raw1(letter: string): Value {
  return new Packed(Buffer.from([0xa1, letter.charCodeAt(0)]))
}

it('knows a path call by its code', () => {
  expect(isPathCall(slice(pack([PATH, [CHILDREN, true], 0])))).toBe(true)
  expect(isPathCall(slice(pack([16])))).toBe(false)
  expect(isPathCall(slice(Buffer.from('91cc', 'hex')))).toBe(false)
})

it('a hundred thousand small lists are walked without holding on to memory', () => {
  const bin = listBin(...Array.from({ length: 100_000 }, () => [1]))
  const before = process.memoryUsage().arrayBuffers
  expect(select(bin, [CHILDREN, true, CHILDREN, true], VALUES)).toBe(
    answerOf(Array.from({ length: 100_000 }, () => 1)),
  )
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
})
