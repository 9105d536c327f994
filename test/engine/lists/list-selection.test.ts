import { describe, expect, it } from 'vitest'
import type { Particle } from '../../../engine/src/values/particle.ts'
import { read } from '../values/call.ts'
import type { Value } from '../values/pack.ts'
import { answerOf, INFINITY, listBin, orderedListBin, WILDCARD } from '../values/pack.ts'

const U = listBin(5, 3, 9, 3, 7)
const O = orderedListBin(3, 3, 5, 7, 9)
const R = listBin(11, 0, 9, 4, 15, 5)
const INVERTED = 0x10000
const RETURN_TYPES = [1, 2, 3, 4, 5, 7, 13]

/** Per row: answers by INDEX, REVERSE_INDEX, RANK, REVERSE_RANK, COUNT, VALUE, EXISTS. */
const matrix: [bin: Particle, code: number, args: Value[], inverted: number, answers: Value[]][] = [
  [U, 22, [3], 0, [[1, 3], [3, 1], [0, 1], [3, 4], 2, [3, 3], true]],
  [U, 22, [3], INVERTED, [[0, 2, 4], [4, 2, 0], [2, 3, 4], [0, 1, 2], 3, [5, 9, 7], false]],
  [U, 22, [4], INVERTED, [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [0, 1, 2, 3, 4], [3, 4, 0, 1, 2], 5, [5, 3, 9, 3, 7], true]],
  [O, 22, [3], 0, [[0, 1], [3, 4], [0, 1], [3, 4], 2, [3, 3], true]],
  [O, 22, [4], INVERTED, [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], 5, [3, 3, 5, 7, 9], true]],
  [U, 23, [[9, 3]], 0, [[1, 2, 3], [3, 2, 1], [4, 0, 1], [0, 4, 3], 3, [3, 9, 3], true]],
  [U, 23, [[9, 3]], INVERTED, [[0, 4], [4, 0], [2, 3], [1, 2], 2, [5, 7], true]],
  [U, 23, [[]], INVERTED, [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], 5, [5, 3, 9, 3, 7], true]],
  [O, 23, [[9, 3]], 0, [[4, 0, 1], [0, 3, 4], [4, 0, 1], [0, 3, 4], 3, [9, 3, 3], true]],
  [O, 23, [[9, 3, 9]], 0, [[4, 0, 1, 4], [0, 3, 4, 0], [4, 0, 1, 4], [0, 3, 4, 0], 3, [9, 3, 3, 9], true]],
  [U, 24, [1, 3], 0, [[1, 2, 3], [1, 2, 3], [0, 4, 0], [4, 0, 4], 3, [3, 9, 3], true]],
  [U, 24, [1, 3], INVERTED, [[0, 4], [4, 0], [2, 3], [2, 1], 2, [5, 7], true]],
  [U, 24, [0], 0, [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], 5, [5, 3, 9, 3, 7], true]],
  [U, 25, [3, 7], 0, [[0, 1, 3], [4, 3, 1], [0, 1, 2], [2, 3, 4], 3, [5, 3, 3], true]],
  [U, 25, [3, 7], INVERTED, [[2, 4], [2, 0], [3, 4], [0, 1], 2, [9, 7], false]],
  [O, 25, [3, 7], 0, [[0, 1, 2], [2, 3, 4], [0, 1, 2], [2, 3, 4], 3, [3, 3, 5], true]],
  [U, 26, [1, 3], 0, [[0, 3, 4], [4, 1, 0], [1, 2, 3], [1, 2, 3], 3, [7, 5, 3], true]],
  [U, 26, [1, 3], INVERTED, [[1, 2], [3, 2], [0, 4], [4, 0], 2, [3, 9], false]],
  [R, 27, [5, 0, 2], 0, [[2, 5], [3, 0], [2, 3], [2, 3], 2, [9, 5], true]],
  [R, 27, [5, 0, 2], INVERTED, [[0, 1, 3, 4], [5, 4, 2, 1], [0, 1, 4, 5], [4, 5, 0, 1], 4, [11, 0, 4, 15], false]],
] // prettier-ignore

describe('what calls on several elements answer', () => {
  it.each(matrix)('%j call %i %j inverted %i', (bin, code, args, inverted, answers) => {
    for (const [i, returnType] of RETURN_TYPES.entries()) {
      expect([returnType, read(bin, [code, returnType + inverted, ...args])]).toEqual([
        returnType,
        answerOf(answers[i]!),
      ])
    }
    expect(read(bin, [code, inverted, ...args])).toBe('nil')
  })

  const pairs = listBin([1, 2], [1, 3], [2, 1], [1])
  it.each<[Particle, number, Value[], Value]>([
    [U, 25, [null, 5], [3, 3]],
    [U, 25, [null, null], []],
    [U, 25, [3, INFINITY], [5, 3, 9, 3, 7]],
    [U, 25, [7, 3], []],
    [U, 25, [WILDCARD, 5], [3, 3]],
    [O, 25, [WILDCARD, 5], []],
    [U, 24, [-6, 2], [5]],
    [U, 24, [-7, 2], []],
    [U, 26, [2], [5, 7, 9]],
    [U, 26, [0], [9, 7, 5, 3, 3]],
    [R, 27, [3, -3], [15, 11, 9, 5, 4, 0]],
    [R, 27, [5, -9, 10], [5, 4, 0]],
    [pairs, 22, [[1, WILDCARD]], [[1, 2], [1, 3]]], // prettier-ignore
    [pairs, 25, [[1, null], [1, INFINITY]], [[1, 2], [1, 3]]], // prettier-ignore
    [listBin(new Map([[1, 1], [2, 2]])), 22, [new Map([[2, 2], [1, 1]])], []], // prettier-ignore
  ])('%j call %i %j gives %j', (bin, code, args, values) => {
    expect(read(bin, [code, 7, ...args])).toBe(answerOf(values))
  })

  it.each([6, 8, 14, 16])('refuses return type %i', (returnType) => {
    expect(read(U, [22, returnType, 3])).toBe(26)
  })
})
