import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HyperLogLog } from '../../../engine/src/operations/hll/hyper-log-log.ts'
import { modifyHll, readHll } from '../../../engine/src/operations/hll/hll-operations.ts'
import { murmur3 } from '../../../engine/src/values/murmur3.ts'
import { type Particle, ParticleType } from '../../../engine/src/values/particle.ts'
import { ResultError } from '../../../engine/src/values/result-code.ts'
import { answerOf, double, pack, Packed, particle, show, slice, type Value } from '../values/pack.ts'

type Call = readonly Value[]

function codeOr<Result>(work: () => Result): Result | number {
  try {
    return work()
  } catch (error) {
    if (error instanceof ResultError) return error.code
    throw error
  }
}

/** The bin after a call; fails for a result code, and when the call changed the bytes it was given. */
function made(bin: Particle | undefined, call: Call): Particle {
  const before = show(bin)
  const change = modifyHll(bin, slice(pack([...call])))
  expect(show(bin)).toBe(before)
  return change.bin!
}

const modify = (bin: Particle | undefined, call: Call) =>
  codeOr(() => {
    const change = modifyHll(bin, slice(pack([...call])))
    return [show(change.result), change.bin && describeBin(change.bin)]
  })

const read = (bin: Particle | undefined, call: Call) =>
  codeOr(() => show(readHll(bin, slice(pack([...call])))))

const number = (shown: string | number) =>
  typeof shown === 'number' ? shown : Buffer.from(shown.slice(2), 'hex').readDoubleBE(0)

/** `HLL(i,m) count`, as the notes write it. */
function describeBin(bin: Particle): string {
  const { indexBits, minhashBits } = HyperLogLog.from(bin)!
  return `HLL(${indexBits},${minhashBits}) ${BigInt(`0x${String(read(bin, [50])).slice(2)}`)}`
}

const ADD = 1
const SET_UNION = 2
const some = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `e${from + i}`)
const hll = (indexBits: number, minhashBits: number, values: string[]) =>
  made(undefined, [ADD, values, indexBits, minhashBits])

/** As an item of a list of arguments. */
const item = ({ buffer, start, end }: Particle, type = 0x12) => {
  const length = end - start + 1
  const head = Buffer.from([0xda, length >> 8, length & 255, type])
  return new Packed(Buffer.concat([head, buffer.subarray(start, end)]))
}

const three = hll(8, 0, ['a', 'b', 'c'])
const threeWithMinhash = hll(8, 10, ['a', 'b', 'c'])
const other = (indexBits: number, minhashBits: number) => item(hll(indexBits, minhashBits, ['a', 'x', 'y']))

describe('the hash', () => {
  it('gives the halves that the notes show', () => {
    const { h1High, h1Low, h2High, h2Low } = murmur3(Buffer.from('a20361', 'hex'), 0, 3)
    expect([h1High, h1Low, h2High, h2Low].map((half) => (half >>> 0).toString(16).padStart(8, '0'))).toEqual([
      '8d15ae18',
      '0c40a275',
      '0e22c7dd',
      '0fe0da88',
    ])
  })

  it('agrees with the algorithm in 64-bit numbers, whatever the length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(5), (array, from) => {
        const bytes = Buffer.from([...new Uint8Array(from), ...array])
        const { h1High, h1Low, h2High, h2Low } = murmur3(bytes, from, bytes.length)
        const joined = [h1High, h1Low, h2High, h2Low].map((half) =>
          (half >>> 0).toString(16).padStart(8, '0'),
        )
        expect(joined.join('')).toBe(murmurOf(bytes.subarray(from)))
      }),
    )
  })
})

describe('bytes', () => {
  it('ADD ["a"] with 4 index and 4 minhash bits', () => {
    const { buffer } = hll(4, 4, ['a'])
    expect(buffer.toString('hex')).toBe(`00040400000000000000000000000000000470${'00'.repeat(12)}`)
  })

  it('a register keeps what was put there, and leaves the others', () => {
    const bits = fc
      .tuple(fc.integer({ min: 4, max: 8 }), fc.constantFrom(0, 4, 7, 26, 50, 51))
      .map(([index, minhash]) => ({ index, minhash }))
    const marks = fc.array(fc.tuple(fc.nat(255), fc.nat(63), fc.bigInt({ min: 0n, max: 2n ** 51n - 1n })), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(bits, marks, ({ index, minhash }, all) => {
        const made = HyperLogLog.empty(index, minhash)
        const expected = new Map<number, [number, number]>()
        for (const [place, rank, low] of all) {
          const mark = { index: place % made.registers, rank, minhash: Number(BigInt.asUintN(minhash, low)) }
          made.put(mark)
          expected.set(mark.index, [mark.rank, mark.minhash])
        }
        for (let i = 0; i < made.registers; i++)
          expect([made.rank(i), made.minhash(i)]).toEqual(expected.get(i) ?? [0, 0])
      }),
    )
  })

  it.each([
    ['too short', '0008'],
    ['another flag', `01${'04'}00${'00'.repeat(20)}`],
    ['index bits 3', `000300${'00'.repeat(14)}`],
    ['a byte too many', `000400${'00'.repeat(21)}`],
  ])('%s is no HyperLogLog', (_name, bytes) => {
    expect(HyperLogLog.from(slice(Buffer.from(bytes, 'hex')))).toBeUndefined()
  })
})

const nil = 'nil'

describe('calls that change', () => {
  it.each<[string, Particle | undefined, Call, unknown]>([
    ['INIT', undefined, [0, 4, -1, 0], [nil, 'HLL(4,0) 0']],
    ['INIT with 3 index bits', undefined, [0, 3, -1, 0], 4],
    ['INIT with 65 bits', undefined, [0, 14, 51, 0], 4],
    ['INIT without index bits', undefined, [0], 26],
    ['INIT update-only', undefined, [0, 8, 0, 2], 17],
    ['INIT that keeps index bits', three, [0, -1, 4, 0], [nil, 'HLL(8,4) 0']],
    ['INIT create-only', three, [0, 8, 0, 1], 6],
    ['INIT create-only, not failing', three, [0, 8, 0, 5], [nil, 'HLL(8,0) 3']],
    ['INIT with folding', three, [0, 8, 0, 8], 4],
    ['ADD', undefined, [ADD, ['a', 'a'], 8, -1, 0], [answerOf(1), 'HLL(8,0) 1']],
    ['ADD without bits', undefined, [ADD, ['a']], 26],
    ['ADD of nothing', undefined, [ADD, [], 8], 4],
    ['ADD update-only', undefined, [ADD, ['a'], 8, -1, 2], 4],
    ['ADD of what is there', three, [ADD, ['a']], [answerOf(0), 'HLL(8,0) 3']],
    ['ADD ignores bits', three, [ADD, ['z'], 10, 4], [answerOf(1), 'HLL(8,0) 4']],
    ['ADD of a list', three, [ADD, [[1]]], 4],
    [
      'ADD of one value in two forms',
      undefined,
      [ADD, [1, new Packed(Buffer.of(0xcd, 0, 1))], 8],
      [answerOf(1), 'HLL(8,0) 1'],
    ],
    ['ADD of 1 and 1.0', undefined, [ADD, [1, double(1)], 8], [answerOf(2), 'HLL(8,0) 2']],
    ['REFRESH_COUNT', three, [3], [answerOf(3), 'HLL(8,0) 3']],
    ['REFRESH_COUNT of nothing', undefined, [3], 17],
    ['FOLD', three, [4, 6], [nil, 'HLL(6,0) 3']],
    ['FOLD up', three, [4, 9], 26],
    ['FOLD with minhash', threeWithMinhash, [4, 6], 26],
    ['FOLD to 3', three, [4, 3], 4],
    ['SET_UNION', three, [SET_UNION, [other(8, 0)]], [nil, 'HLL(8,0) 5']],
    ['SET_UNION of more registers', three, [SET_UNION, [other(10, 0)]], [nil, 'HLL(8,0) 5']],
    ['SET_UNION of fewer', three, [SET_UNION, [other(6, 0)]], 26],
    ['SET_UNION of fewer, folding', three, [SET_UNION, [other(6, 0)], 8], [nil, 'HLL(6,0) 5']],
    ['SET_UNION of another minhash', threeWithMinhash, [SET_UNION, [other(8, 4)]], 26],
    [
      'SET_UNION of another minhash, folding',
      threeWithMinhash,
      [SET_UNION, [other(8, 4)], 8],
      [nil, 'HLL(8,0) 5'],
    ],
    ['SET_UNION of a new bin', undefined, [SET_UNION, [other(8, 0), other(6, 0)]], [nil, 'HLL(6,0) 3']],
    ['SET_UNION of nothing', three, [SET_UNION, []], 4],
    ['SET_UNION of a string', three, [SET_UNION, ['x']], 4],
    ['another type', particle(ParticleType.BLOB, Buffer.of(0)), [ADD, ['a'], 8], 12],
    ['a call that reads', three, [50], 4],
    ['a path', three, [0xff, [16, 0], [3]], 4],
  ])('%s', (_name, bin, call, expected) => {
    expect(modify(bin, call)).toEqual(expected)
  })
})

describe('calls that read', () => {
  it.each<[string, Particle | undefined, Call, string | number]>([
    ['COUNT', three, [50], answerOf(3)],
    ['COUNT with an argument', three, [50, 1], 4],
    ['DESCRIBE', threeWithMinhash, [55], answerOf([8, 10])],
    ['MAY_CONTAIN', three, [56, ['a']], answerOf(1)],
    ['MAY_CONTAIN one of two', three, [56, ['a', 'zz']], answerOf(0)],
    ['MAY_CONTAIN nothing', three, [56, []], 4],
    ['UNION_COUNT', three, [52, [other(8, 0)]], answerOf(5)],
    ['UNION_COUNT of one alone', three, [52, other(6, 0)], answerOf(5)],
    ['UNION_COUNT of a blob', three, [52, [item(hll(8, 0, ['a', 'x', 'y']), 4)]], answerOf(5)],
    ['INTERSECT_COUNT', three, [53, [other(8, 0)]], answerOf(1)],
    ['SIMILARITY', three, [54, [other(8, 0)]], answerOf(double(0.2))],
    [
      'SIMILARITY with minhash',
      threeWithMinhash,
      [54, [other(8, 10)]],
      answerOf(double(0.19999773407672775)),
    ],
    ['SIMILARITY of four without minhash', three, [54, [other(8, 0), other(8, 0), other(8, 0)]], 4],
    ['SIMILARITY of four with minhash in three', three, [54, [other(4, 8), other(4, 8), other(4, 8)]], 26],
    ['a bin that is not there', undefined, [50], nil],
    ['an unknown call on a bin that is not there (hand-hll 2533)', undefined, [57], nil],
    ['another type', particle(ParticleType.BLOB, Buffer.of(0)), [50], 12],
    ['a call that writes', three, [3], 4],
  ])('%s', (_name, bin, call, expected) => {
    expect(read(bin, call)).toBe(expected)
  })

  it('a written count is believed, until a register changes', () => {
    const bytes = Buffer.from(three.buffer)
    bytes.writeBigUInt64LE(99n, 3)
    const bin = particle(ParticleType.HLL, bytes)
    expect(read(bin, [50])).toBe(answerOf(99))
    expect(read(made(bin, [ADD, ['a']]), [50])).toBe(answerOf(99))
    expect(read(made(bin, [ADD, ['z']]), [50])).toBe(answerOf(4))
  })

  it('sets of a hundred, as the notes have them', () => {
    const [a, b] = [some(0, 100), some(50, 150)]
    expect(read(hll(8, 0, a), [52, [item(hll(8, 0, b))]])).toBe(answerOf(158))
    expect(read(hll(8, 0, a), [53, [item(hll(8, 0, b))]])).toBe(answerOf(58))
    expect(number(read(hll(8, 0, a), [54, [item(hll(8, 0, b))]]))).toBeCloseTo(0.36708860759, 10)
    expect(number(read(hll(8, 10, a), [54, [item(hll(8, 10, b))]]))).toBeCloseTo(0.36433233152, 10)
    expect(read(hll(8, 10, a), [53, [item(hll(8, 10, b))]])).toBe(answerOf(58))
    const same = some(0, 300)
    expect(number(read(hll(8, 10, same), [54, [item(hll(8, 10, same))]]))).toBeCloseTo(0.99983231, 8)
  })

  it('nothing is like nothing: NaN, and 0 in common', () => {
    const empty = made(undefined, [0, 8, 10])
    expect(number(read(empty, [54, [item(empty)]]))).toBeNaN()
    expect(read(empty, [53, [item(empty)]])).toBe(answerOf(0))
  })
})

/** The hash as its author describes it, in BigInt. */
function murmurOf(bytes: Buffer): string {
  const cut = (x: bigint) => BigInt.asUintN(64, x)
  const rotate = (x: bigint, by: bigint) => cut(x << by) | (x >> (64n - by))
  const [c1, c2] = [0x87c37b91114253d5n, 0x4cf5ad432745937fn]
  const first = (k: bigint) => cut(rotate(cut(k * c1), 31n) * c2)
  const second = (k: bigint) => cut(rotate(cut(k * c2), 33n) * c1)
  let [h1, h2] = [0n, 0n]
  const whole = bytes.length - (bytes.length % 16)
  for (let at = 0; at < whole; at += 16) {
    h1 ^= first(bytes.readBigUInt64LE(at))
    h1 = cut((rotate(h1, 27n) + h2) * 5n + 0x52dce729n)
    h2 ^= second(bytes.readBigUInt64LE(at + 8))
    h2 = cut((rotate(h2, 31n) + h1) * 5n + 0x38495ab5n)
  }
  const rest = Buffer.alloc(16)
  bytes.copy(rest, 0, whole)
  h2 ^= second(rest.readBigUInt64LE(8))
  h1 ^= first(rest.readBigUInt64LE(0))
  h1 ^= BigInt(bytes.length)
  h2 ^= BigInt(bytes.length)
  const mix = (k: bigint) => {
    k = cut((k ^ (k >> 33n)) * 0xff51afd7ed558ccdn)
    k = cut((k ^ (k >> 33n)) * 0xc4ceb9fe1a85ec53n)
    return k ^ (k >> 33n)
  }
  h1 = cut(h1 + h2)
  h2 = cut(h2 + h1)
  h1 = mix(h1)
  h2 = mix(h2)
  h1 = cut(h1 + h2)
  h2 = cut(h2 + h1)
  return h1.toString(16).padStart(16, '0') + h2.toString(16).padStart(16, '0')
}
