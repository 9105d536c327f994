import { describe, expect, it } from 'vitest'
import type { Particle } from '../../../engine/src/values/particle.ts'
import type { Call } from '../values/call.ts'
import { modify, read } from '../values/call.ts'
import type { Value } from '../values/pack.ts'
import {
  answerOf,
  double,
  INFINITY,
  mapBin,
  orderedMap,
  orderedMapBin,
  pack,
  particle,
  show,
} from '../values/pack.ts'

const M = mapBin(['a', 3], ['b', 2], ['c', 1])
const O = orderedMapBin(['a', 3], ['b', 2], ['c', 1])
const V = particle(19, pack(orderedMap([['a', 3], ['b', 2], ['c', 1]], 3))) // prettier-ignore
const integer = particle(1, Buffer.alloc(8))
const map = (...pairs: [Value, Value][]) => show(mapBin(...pairs))
const items = (...pairs: [Value, Value][]) => new Map<Value, Value>(pairs)

/** Without the bin after it, the third is a result code. */
type Row = [bin: Particle | undefined, call: Call, answer: Value, after?: string]

const writes: Row[] = [
  [M, [64, 1], null, show(O)],
  [O, [64, 3], null, show(V)],
  [V, [64, 0], null, show(M)],
  [M, [64, 0x11], null, show(O)],
  [M, [64, 4], 26],
  [M, [64, 32], 26],
  [undefined, [64, 3], null, show(particle(19, pack(orderedMap([], 3))))],
  [M, [67, 'd', 4, 0], 4, map(['a', 3], ['b', 2], ['c', 1], ['d', 4])],
  [M, [67, 'b', 9, 0], 3, map(['a', 3], ['b', 9], ['c', 1])],
  [M, [67, 1, 9], 4, map([1, 9], ['a', 3], ['b', 2], ['c', 1])],
  [M, [67, Buffer.from([1]), 9], 4, map(['a', 3], ['b', 2], ['c', 1], [Buffer.from([1]), 9])],
  [M, [67, 'd', items([2, 2], [1, 1])], 4, map(['a', 3], ['b', 2], ['c', 1], ['d', items([1, 1], [2, 2])])],
  [undefined, [67, 'a', 1, 1], 1, show(orderedMapBin(['a', 1]))],
  [integer, [67, 'a', 1], 12],
  [M, [67, null, 9], 4],
  [M, [67, true, 9], 4],
  [M, [67, double(1), 9], 4],
  [M, [67, [1], 9], 4],
  [M, [67, INFINITY, 9], 4],
  [M, [67, 'd', INFINITY], 4],
  [M, [67, 'd'], 4],
  [M, [67, 'a', 9, 0, 1], 24],
  [M, [67, 'd', 9, 0, 2], 23],
  [M, [67, 'a', 9, 0, 5], 3, show(M)],
  [undefined, [67, 'a', 9, 1, 6], 0, show(particle(19, pack(orderedMap([]))))],
  [M, [68, items(['d', 4], ['a', 9]), 0], 4, map(['a', 9], ['b', 2], ['c', 1], ['d', 4])],
  [
    M,
    [68, items(['0', 1], ['bb', 2], ['z', 3])],
    6,
    map(['0', 1], ['a', 3], ['b', 2], ['bb', 2], ['c', 1], ['z', 3]),
  ],
  [M, [68, items(['d', 4], ['a', 9]), 0, 1], 24],
  [M, [68, items(['d', 4], ['a', 9]), 0, 5], 3, show(M)],
  [M, [68, items(['d', 4], ['a', 9]), 0, 13], 4, map(['a', 3], ['b', 2], ['c', 1], ['d', 4])],
  [M, [68, items(['d', 4], ['a', 9]), 0, 14], 3, map(['a', 9], ['b', 2], ['c', 1])],
  [M, [68, orderedMap([['z', 1], ['y', 2]]), 0], 4], // prettier-ignore
  [M, [68, [1], 0], 4],
  [M, [65, 'a', 4], 24],
  [M, [66, items(['d', 4], ['a', 5])], 24],
  [M, [69, 'a', 4], 3, map(['a', 4], ['b', 2], ['c', 1])],
  [M, [69, 'd', 4], 23],
  [undefined, [69, 'd', 4], 23],
  [undefined, [70, items(['a', 4])], 23],
  [M, [73, 'a', 5, 0], 8, map(['a', 8], ['b', 2], ['c', 1])],
  [M, [73, 'a', null], 4, map(['a', 4], ['b', 2], ['c', 1])],
  [M, [73, 'a', double(-1.5)], 2, map(['a', 2], ['b', 2], ['c', 1])],
  [mapBin(['a', 'x']), [73, 'a', 1], 4],
  [M, [73, 'a', 5, 0, 0], 4],
  [undefined, [74, 'a', 5, 1], -5, show(orderedMapBin(['a', -5]))],
  [O, [75], null, show(particle(19, pack(orderedMap([]))))],
  [undefined, [75], null, 'nil'],
  [M, [76, 7, 'b'], 2, map(['a', 3], ['c', 1])],
  [M, [76, 1, 'zz'], -1, show(M)],
  [M, [77, 6, -1], 'c', map(['a', 3], ['b', 2])],
  [M, [79, 6, 0], 'c', map(['a', 3], ['b', 2])],
  [M, [77, 0, 9], 26],
  [M, [78, 6, 2], 'b', map(['a', 3], ['c', 1])],
  [M, [81, 6, ['c', 'a', 'zz']], ['a', 'c'], map(['b', 2])],
  [M, [81, 0x10006, ['c', 'a']], ['b'], map(['a', 3], ['c', 1])],
  [M, [82, 6, 2], ['b'], map(['a', 3], ['c', 1])],
  [M, [84, 6, null, 'b'], ['a'], map(['b', 2], ['c', 1])],
  [M, [87, 6, 0, 2], ['c', 'b'], map(['a', 3])],
  [M, [97, 7, 'a'], 4],
  [M, [71, 1], 4],
]

describe('calls that change a map', () => {
  it.each(writes)('%j %j', (bin, call, answer, after) => {
    expect(modify(bin, call)).toEqual(after === undefined ? answer : [answerOf(answer), after])
  })

  it.each([81, 83])('%i with an empty list, INVERTED, takes everything', (code) => {
    expect(modify(M, [code, 0x10006, []])).toEqual([answerOf(['a', 'b', 'c']), map()])
  })
})

describe('calls that read one pair', () => {
  const missing: [number, Value][] = [
    [0, null],
    [1, -1],
    [4, -1],
    [5, 0],
    [6, null],
    [7, null],
    [8, orderedMap([], 8)],
    [13, false],
    [16, items()],
    [17, orderedMap([])],
  ]
  it.each(missing)('a missing key with return type %i', (returnType, value) => {
    expect(read(M, [97, returnType, 'zz'])).toBe(answerOf(value))
    const persisted = particle(19, pack(orderedMap([['a', 3]], 0x13)))
    if (returnType === 17) expect(read(persisted, [99, 17, 9])).toBe(answerOf(value))
  })

  it('INVERTED is refused, but for a missing key of an ordered map', () => {
    expect(read(M, [97, 0x10007, 'zz'])).toBe(26)
    expect(read(O, [97, 0x10007, 'a'])).toBe(26)
    expect(read(O, [97, 0x10007, 'zz'])).toBe('nil')
    expect(read(O, [98, 0x10007, 0])).toBe(26)
  })
})
