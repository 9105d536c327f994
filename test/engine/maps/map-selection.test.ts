import { describe, expect, it } from 'vitest'
import { read } from '../values/call.ts'
import type { Value } from '../values/pack.ts'
import { answerOf, INFINITY, mapBin, orderedMap, WILDCARD } from '../values/pack.ts'

type Pairs = [Value, Value][]
const A: Pairs = [['a', 3], ['b', 1], ['c', 2], ['d', 1], ['e', 5]] // prettier-ignore
const N: Pairs = [[0, 17], [4, 2], [5, 15], [9, 10]] // prettier-ignore
const INVERTED = 0x10000
const RETURN_TYPES = [1, 2, 3, 4, 5, 6, 13]

/** Per row: answers by INDEX, REVERSE_INDEX, RANK, REVERSE_RANK, COUNT, KEY, EXISTS. */
const matrix: [Pairs, number, Value[], number, (Value | undefined)[]][] = [
  [A, 103, ['b', 'd'], 0, [[1, 2], [2, 3], [0, 2], [4, 2], 2, ['b', 'c'], true]],
  [A, 103, ['b', 'd'], INVERTED, [[0, 3, 4], [4, 0, 1], [3, 1, 4], [1, 3, 0], 3, ['a', 'd', 'e'], false]],
  [A, 104, [1, 2], INVERTED, [[0, 3, 4], [4, 0, 1], [3, 1, 4], [1, 3, 0], 3, ['a', 'd', 'e'], false]],
  [A, 102, [1], 0, [[1, 3], [3, 1], [0, 1], [3, 4], 2, ['b', 'd'], true]],
  [A, 102, [1], INVERTED, [[0, 2, 4], [4, 2, 0], [2, 3, 4], [0, 1, 2], 3, ['a', 'c', 'e'], false]],
  [A, 102, [4], INVERTED, [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], 5, ['a', 'b', 'c', 'd', 'e'], true]],
  [A, 105, [1, 3], 0, [[1, 2, 3], [3, 2, 1], [0, 1, 2], [2, 3, 4], 3, ['b', 'c', 'd'], true]],
  [A, 106, [1, 3], 0, [[3, 2, 0], [1, 2, 4], [1, 2, 3], [1, 2, 3], 3, ['d', 'c', 'a'], true]],
  [A, 106, [1, 3], INVERTED, [[1, 4], [3, 0], [0, 4], [4, 0], 2, ['b', 'e'], false]],
  [A, 107, [['d', 'b', 'zz']], 0, [[3, 1], [1, 3], undefined, undefined, 2, ['b', 'd'], true]],
  [A, 107, [['d', 'b', 'zz']], INVERTED, [[0, 2, 4], [4, 2, 0], undefined, undefined, 3, ['a', 'c', 'e'], true]],
  [A, 108, [[5, 1, 9]], 0, [[1, 3, 4], [3, 1, 0], [4, 0, 1], [0, 4, 3], 3, ['b', 'd', 'e'], true]],
  [A, 108, [[5, 1, 9]], INVERTED, [[0, 2], [4, 2], [2, 3], [1, 2], 2, ['a', 'c'], true]],
  [N, 109, [5, -1, 2], 0, [[1, 2], [1, 2], [0, 2], [3, 1], 2, [4, 5], true]],
  [N, 109, [5, -1, 2], INVERTED, [[0, 3], [3, 0], [3, 1], [0, 2], 2, [0, 9], false]],
  [N, 110, [10, 0, 2], 0, [[3, 2], [0, 1], [1, 2], [1, 2], 2, [9, 5], true]],
] // prettier-ignore

describe('what calls on several pairs answer', () => {
  it.each(matrix)('%j call %i %j inverted %i', (pairs, code, args, inverted, answers) => {
    for (const [i, returnType] of RETURN_TYPES.entries()) {
      const expected = answers[i]
      expect([returnType, read(mapBin(...pairs), [code, returnType + inverted, ...args])]).toEqual([
        returnType,
        expected === undefined ? 26 : answerOf(expected),
      ])
    }
  })

  it('shows a range of ranks as a map in rank order, in any order, or by key', () => {
    const call = (returnType: number) => read(mapBin(...A), [106, returnType, 1, 3])
    const ranked: Pairs = [['d', 1], ['c', 2], ['a', 3]] // prettier-ignore
    expect(call(8)).toBe(answerOf(orderedMap(ranked, 8)))
    expect(call(16)).toBe(answerOf(new Map(ranked)))
    expect(call(17)).toBe(answerOf(orderedMap(ranked.toReversed())))
    expect(call(7)).toBe(answerOf([1, 2, 3]))
  })

  it.each<[number, Value[], Value]>([
    [103, [null, 'c'], ['a', 'b']],
    [103, ['d', 'b'], []],
    [103, [WILDCARD, 'c'], ['a', 'b']],
    [103, ['b', INFINITY], ['b', 'c', 'd', 'e']],
    [104, [-6, 2], ['a']],
    [106, [0], ['b', 'd', 'c', 'a', 'e']],
    [107, [['b', 'b']], ['b']],
    [107, [[]], []],
  ])('call %i %j gives %j', (code, args, keys) => {
    expect(read(mapBin(...A), [code, 6, ...args])).toBe(answerOf(keys))
  })

  it.each([107, 108])('call %i with an empty list, INVERTED, selects everything', (code) => {
    const call = (returnType: number) => read(mapBin(...A), [code, INVERTED + returnType, []])
    expect(call(6)).toBe(answerOf(A.map(([key]) => key)))
    expect(call(7)).toBe(answerOf(A.map(([, value]) => value)))
    expect(call(8)).toBe(answerOf(orderedMap(A, 8)))
    expect(call(16)).toBe(answerOf(new Map(A)))
    expect(call(17)).toBe(answerOf(orderedMap(A)))
  })
})
