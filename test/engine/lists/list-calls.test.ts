import { describe, expect, it } from 'vitest'
import type { Particle } from '../../../engine/src/values/particle.ts'
import type { Call } from '../values/call.ts'
import { modify, read } from '../values/call.ts'
import type { Value } from '../values/pack.ts'
import {
  answerOf,
  double,
  INFINITY,
  listBin,
  mapBin,
  ordered,
  orderedListBin,
  pack,
  particle,
  raw,
  show,
  WILDCARD,
} from '../values/pack.ts'

const L = listBin(5, 3, 9)
const O = orderedListBin(3, 5, 9)
const integer = particle(1, Buffer.alloc(8))
const list = (...items: Value[]) => show(listBin(...items))
const sorted = (...items: Value[]) => show(orderedListBin(...items))

/** Without the bin after it, the third is a result code. */
type Row = [bin: Particle | undefined, call: Call, answer: Value, after?: string]

const writes: Row[] = [
  [L, [0, 1], null, sorted(3, 5, 9)],
  [O, [0, 0], null, list(3, 5, 9)],
  [L, [0, 0x11], null, sorted(3, 5, 9)],
  [L, [0, 2], 26],
  [L, [0, -1], 26],
  [undefined, [0, 1], null, sorted()],
  [L, [1, 4], 4, list(5, 3, 9, 4)],
  [undefined, [1, 4], 1, list(4)],
  [undefined, [1, 4, 1], 1, sorted(4)],
  [O, [1, 4], 4, sorted(3, 4, 5, 9)],
  [O, [1, 5, 1, 0], 4, sorted(3, 5, 5, 9)],
  [integer, [1, 4], 12],
  [mapBin([1, 1]), [1, 4], 12],
  [L, [1, 3, 0, 1], 24],
  [L, [1, 3, 0, 5], 3, show(L)],
  [L, [1, 3, 0, 4], 4, list(5, 3, 9, 3)],
  [L, [1, new Map([[2, 2], [1, 1]])], 4, list(5, 3, 9, new Map([[1, 1], [2, 2]]))], // prettier-ignore
  [L, [1, INFINITY], 4],
  [L, [1, WILDCARD], 4],
  [L, [1, [1, WILDCARD]], 4],
  [L, [1, raw('c1')], 4],
  [L, [1], 4],
  [L, [1, 4, 0, 0, 0], 4],
  [L, [2, [1, 2]], 5, list(5, 3, 9, 1, 2)],
  [undefined, [2, [3, 1, 2], 1], 3, sorted(1, 2, 3)],
  [undefined, [2, ordered([1, 2])], 2, list(1, 2)],
  [L, [2, 5], 4],
  [L, [2, [1, 3, 2], 0, 1], 24],
  [L, [2, [1, 1, 2], 0, 1], 26],
  [L, [2, [1, 3, 2, 1], 0, 13], 5, list(5, 3, 9, 1, 2)],
  [O, [2, [7, 5, 0], 1, 13], 5, sorted(0, 3, 5, 7, 9)],
  [L, [3, 1, 7], 4, list(5, 7, 3, 9)],
  [L, [3, 5, 7], 6, list(5, 3, 9, null, null, 7)],
  [L, [3, -1, 7], 4, list(5, 3, 7, 9)],
  [L, [3, -4, 7, 6], 26],
  [L, [3, 4, 7, 2], 26],
  [L, [3, 4, 7, 6], 3, show(L)],
  [O, [3, 0, 7, 4], 26],
  [L, [3, 2 ** 40, 7], 13],
  [L, [4, 5, [7, 8]], 7, list(5, 3, 9, null, null, 7, 8)],
  [L, [4, 1, [7, 7, 8], 13], 5, list(5, 7, 8, 3, 9)],
  [L, [9, -1, 7], null, list(5, 3, 7)],
  [L, [9, 5, 7], null, list(5, 3, 9, null, null, 7)],
  [L, [9, 0, 9, 1], 24],
  [L, [9, 0, 5, 1], null, show(L)],
  [O, [9, 0, 7], 26],
  [L, [12, 0], 6, list(6, 3, 9)],
  [L, [12, 0, double(2.7)], 7, list(7, 3, 9)],
  [listBin(double(1.5)), [12, 0, 1], double(2.5), list(double(2.5))],
  [listBin(2n ** 63n - 1n), [12, 0, 1], -(2n ** 63n), list(-(2n ** 63n))],
  [listBin('a'), [12, 0, 1], 4],
  [O, [12, 0, 5], 8, sorted(5, 8, 9)],
  [O, [12, 4, 5], 26],
  [O, [12, 0, 2, 1, 5], 5, show(O)],
  [L, [5, -1], 9, list(5, 3)],
  [L, [5, 3], 26],
  [undefined, [5, 0], null, 'nil'],
  [L, [6, -4, 2], [5], list(3, 9)],
  [L, [7, 1], 1, list(5, 9)],
  [L, [8, 1], 2, list(5)],
  [L, [10, -5, 3], 2, list(5)],
  [O, [11], null, sorted()],
  [listBin(5, 3, 9, 3), [13, 1], null, list(9, 5, 3, 3)],
  [listBin(5, 3, 9, 3), [13, 2], null, list(3, 5, 9)],
  [listBin(5, 3, 9, 3), [13, 3], 4],
  [listBin(3, 3), [13, 3], null, list(3)],
  [orderedListBin(3, 3, 5), [13, 3], null, sorted(3, 5)],
  [undefined, [13, 0], 12],
  [L, [16], 4],
  [L, [14], 4],
]

describe('calls that change a list', () => {
  it.each(writes)('%j %j', (bin, call, answer, after) => {
    expect(modify(bin, call)).toEqual(after === undefined ? answer : [answerOf(answer), after])
  })

  it('sorts a persisted ordered list and drops its duplicates', () => {
    const bin = particle(20, pack(ordered([3, 3, 5], 0x11)))
    expect(modify(bin, [13, 3])).toEqual(['nil', show(particle(20, pack(ordered([3, 5], 0x11))))])
  })
})

const reads: [Particle | undefined, Call, Value | { code: number }][] = [
  [L, [16], 3],
  [L, [16, 1], 3],
  [undefined, [16], null],
  [integer, [16], { code: 12 }],
  [L, [17, -3], 5],
  [L, [17, -4], { code: 26 }],
  [L, [17, 'x'], { code: 4 }],
  [L, [18, -4, 2], [5]],
  [L, [96], { code: 12 }],
  [L, [1, 9], { code: 4 }],
  [L, [], { code: 4 }],
  [L, ['x'], { code: 4 }],
  [L, [19, 8, 0], { code: 26 }],
  [L, [19, 0x10007, 0], { code: 26 }],
  [listBin(5, 3, 9, 3, 7), [19, 3, 3], 0],
  [listBin(5, 3, 9, 3, 7), [21, 3, 1], 1],
  [listBin(5, 3, 9, 3, 7), [21, 1, 1], 3],
]

describe('calls that read a list', () => {
  it.each(reads)('%j %j', (bin, call, expected) => {
    const code = typeof expected === 'object' && expected !== null && 'code' in expected
    expect(read(bin, call)).toBe(code ? expected.code : answerOf(expected))
  })
})
