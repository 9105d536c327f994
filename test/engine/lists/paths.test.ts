import { describe, expect, it } from 'vitest'
import type { Particle } from '../../../engine/src/values/particle.ts'
import type { Call } from '../values/call.ts'
import { at, modify, read } from '../values/call.ts'
import type { Value } from '../values/pack.ts'
import {
  answerOf,
  listBin,
  mapBin,
  ordered,
  orderedListBin,
  orderedMap,
  pack,
  particle,
  show,
} from '../values/pack.ts'

const L = listBin([5, 3, 9], [1, 2, 3], 7)
const M = mapBin(['a', [1, 2]], ['b', new Map([['x', 1]])], ['c', 5])
const map = (...pairs: [Value, Value][]) => show(mapBin(...pairs))
const list = (...items: Value[]) => show(listBin(...items))

describe('paths to what is there', () => {
  it.each<[Particle | undefined, Call, Value | undefined, number?]>([
    [L, at([16, 0], 17, 1), 3],
    [L, at([16, -2], 17, 1), 2],
    [L, at([17, 0], 17, 0), undefined, 12],
    [L, at([19, [1, 2, 3]], 16), 3],
    [L, at([16, 9], 17, 1), undefined, 26],
    [M, at([34, 'a'], 17, 1), 2],
    [M, at([33, 2], 97, 7, 'x'), 1],
    [M, at([35, [1, 2]], 17, 1), 2],
    [M, at([34, 'b', 34, 'x'], 17, 0), undefined, 12],
    [M, at([34, 'c', 34, 'x'], 17, 0), undefined, 26],
    [M, at([16, 0], 17, 0), undefined, 26],
    [L, at([], 17, 0), undefined, 4],
    [L, at([16], 17, 0), undefined, 4],
    [L, at([48, 0], 17, 0), undefined, 26],
    [L, at(['x', 0], 17, 0), undefined, 4],
    [L, at([16, 'x'], 17, 0), undefined, 26],
    [L, at([4, true], 16), undefined, 26],
    [particle(1, Buffer.alloc(8)), at([16, 0], 16), undefined, 4],
    [undefined, at([16, 0], 16), null],
  ])('%j %j reads %j', (bin, call, value, code) => {
    expect(read(bin, call)).toBe(code ?? answerOf(value!))
  })

  it('changes the place and keeps all else', () => {
    expect(modify(M, at([34, 'a'], 1, 9))).toEqual([
      answerOf(3),
      map(['a', [1, 2, 9]], ['b', new Map([['x', 1]])], ['c', 5]),
    ])
    expect(modify(L, at([16, 3], 1, 4))).toBe(26)
    expect(modify(undefined, at([16, 0], 1, 4))).toBe(26)
  })

  it('puts every ordered list on the way in order again', () => {
    expect(modify(orderedListBin([1], [3]), at([16, 0], 9, 0, 7))).toEqual([
      'nil',
      show(orderedListBin([3], [7])),
    ])
    const deep = orderedListBin([0, ordered([[1], [3]])], [1])
    expect(modify(deep, at([16, 0, 16, 1, 16, 0], 9, 0, 7))).toEqual([
      'nil',
      show(orderedListBin([0, ordered([[3], [7]])], [1])),
    ])
  })
})

describe('paths that create', () => {
  it.each<[Particle | undefined, Value[], string | number]>([
    [undefined, [80, 0], list([4])],
    [undefined, [80, 2], 26],
    [undefined, [144, 2], list(null, null, [4])],
    [undefined, [208, 2], show(orderedListBin([4]))],
    [listBin(5, 3, 9), [80, 3], list(5, 3, 9, [4])],
    [listBin(5, 3, 9), [80, 5], 26],
    [listBin(5, 3, 9), [144, 5], list(5, 3, 9, null, null, [4])],
    [listBin(5, 3, 9), [80, 0], 12],
    [listBin([1]), [80, -1], list([1, 4])],
    [orderedListBin(7, 8), [80, 5], show(orderedListBin(7, 8, [4]))],
    [undefined, [98, 'k'], map(['k', [4]])],
    [undefined, [162, 'k'], show(particle(19, pack(orderedMap([['k', [4]]]))))],
    [mapBin(['a', 1]), [226, 'k'], map(['a', 1], ['k', [4]])],
    [mapBin(['a', 1]), [98, 'a'], 12],
    [undefined, [98, 'k', 34, 'l'], map(['k', new Map([['l', [4]]])])],
    [undefined, [98, 'k', 0x150, 0], 26],
    [undefined, [98, 1.5], 4],
    [listBin([5]), [81, 9], 26],
    // Inputs that ended the field's server: padding, or an ordered list, before the start.
    [listBin([1]), [144, -2], 4],
    [undefined, [144, -1], 4],
    [orderedListBin(7, 8), [80, -3], 26],
    [orderedListBin(7, 8), [208, -3], 26],
    [listBin(1), [144, 2 ** 40], 13],
  ])('APPEND 4 into %j at %j', (bin, path, outcome) => {
    const packed = path.map((item) => (item === 1.5 ? null : item))
    expect(modify(bin, at(packed, 1, 4))).toEqual(
      typeof outcome === 'string' ? [expect.any(String), outcome] : outcome,
    )
  })

  it.each<[Particle | undefined, Value[], [string, string] | number]>([
    [mapBin(['a', 1]), [5, 0], ['nil', map(['a', 1])]],
    [mapBin(['a', 1]), [13, 0], ['nil', map(['a', 1])]],
    [mapBin(['a', 1]), [69, 'x', 1], 23],
    [undefined, [5, 0], ['nil', 'nil']],
    [undefined, [13, 0], 12],
    [undefined, [67, 'x', 1, 0, 2], 23],
  ])('a call that creates nothing: %j %j', (bin, call, outcome) => {
    expect(modify(bin, at([98, 'k'], ...call))).toEqual(outcome)
  })

  it('reads create nothing', () => {
    expect(read(mapBin(['a', 1]), at([98, 'k'], 16))).toBe(26)
  })
})
