import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareItems } from '../../../engine/src/values/item-order.ts'
import { normaliseItem } from '../../../engine/src/values/item-normal.ts'
import { anyValue } from './arbitrary.ts'
import type { Value } from './pack.ts'
import { double, INFINITY, ordered, orderedMap, pack, raw, slice, WILDCARD } from './pack.ts'

const compare = (a: Value, b: Value) => Math.sign(compareItems(pack(a), 0, pack(b), 0))
const stored = (value: Value) => {
  const { buffer, start, end } = normaliseItem(slice(pack(value)), 4)
  return buffer.subarray(start, end)
}

const m = (...pairs: [Value, Value][]) => new Map<Value, Value>(pairs)

describe('the order of values', () => {
  it('puts the examples of the notes in their order', () => {
    const ascending: Value[] = [
      null,
      false,
      true,
      -(2n ** 63n),
      -(2n ** 53n) - 1n,
      -(2n ** 53n),
      -1,
      0,
      1,
      255,
      65536,
      2n ** 53n,
      2n ** 53n + 1n,
      2n ** 63n - 1n,
      2n ** 64n - 1n,
      '',
      'Z',
      'a',
      'ab',
      'b',
      '￿',
      '😀',
      [],
      [null],
      [true],
      [1],
      [1, 2],
      [1, 'a'],
      [1, [1]],
      [2],
      ['a'],
      [[1]],
      m(),
      m([1, 1]),
      m([1, 2]),
      m([9, 9]),
      m(['a', 1]),
      m([1, 1], [2, 2]),
      m([1, 1], [3, 0]),
      m([1, 5], [2, 0]),
      Buffer.from(''),
      Buffer.from('01', 'hex'),
      Buffer.from('0100', 'hex'),
      Buffer.from('02', 'hex'),
      raw('a2 07 01'),
      double(-1.5),
      double(1),
      raw('a2 17 7b'),
      INFINITY,
    ]
    for (const [i, a] of ascending.entries()) {
      for (const [j, b] of ascending.entries()) {
        expect([a, b, compare(a, b)]).toEqual([a, b, Math.sign(i - j)])
      }
    }
  })

  it.each<[string, Value, Value]>([
    ['an order marker takes no part', [1, 2], ordered([1, 2])],
    ['nor does one of a map', m([1, 1]), orderedMap([[1, 1]])],
    ['zeros are equal', double(0), double(-0)],
    ['the width of an integer takes no part', 1, raw('d3 00 00 00 00 00 00 00 01')],
    ['the width of a double takes no part', double(1.5), raw('ca 3f c0 00 00')],
    ['NaN equals every double', double(NaN), double(7)],
    ['a wildcard equals everything', WILDCARD, 'x'],
    ['a wildcard equals the rest of a list', [1, WILDCARD], [1, 2, 3]],
    ['also in a nested list, what follows still counts', [[1, WILDCARD], 5], [[1, 9, 9], 5]],
    ['and the value of a pair', m(['a', WILDCARD]), m(['a', 1])],
  ])('%s', (_rule, a, b) => {
    expect([compare(a, b), compare(b, a)]).toEqual([0, 0])
  })

  it('a wildcard in a list needs something to match', () => {
    expect(compare([1], [1, WILDCARD])).toBe(-1)
    expect(compare([[1, WILDCARD], 5], [[1, 9, 9], 6])).toBe(-1)
  })

  it('is a total order on stored values, and equal values are the same bytes but for their doubles', () => {
    const values = fc.array(anyValue.map(stored), { minLength: 3, maxLength: 3 })
    const sign = (a: Buffer, b: Buffer) => Math.sign(compareItems(a, 0, b, 0))
    fc.assert(
      fc.property(values, ([a, b, c]) => {
        expect(sign(a!, a!)).toBe(0)
        expect(sign(a!, b!)).toBe(-sign(b!, a!) + 0)
        if (sign(a!, b!) <= 0 && sign(b!, c!) <= 0) expect(sign(a!, c!)).toBeLessThanOrEqual(0)
      }),
      { numRuns: 500 },
    )
  })
})
