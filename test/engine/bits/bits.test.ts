import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { modifyBits, readBits } from '../../../engine/src/operations/bit/bit-operations.ts'
import { type Particle, ParticleType } from '../../../engine/src/values/particle.ts'
import { ResultError } from '../../../engine/src/values/result-code.ts'
import { answerOf, pack, particle, show, slice, type Value } from '../values/pack.ts'

const blob = (hex: string) => particle(ParticleType.BLOB, Buffer.from(hex, 'hex'))
const hex = (text: string) => Buffer.from(text, 'hex')

function codeOr<Result>(work: () => Result): Result | number {
  try {
    return work()
  } catch (error) {
    if (error instanceof ResultError) return error.code
    throw error
  }
}

/** The bin after a call as hex, `nil` where there is none, or the result code. The bytes given must not change. */
function modify(bin: Particle | undefined, call: readonly Value[]): string | number {
  const before = show(bin)
  const after = codeOr(() => show(modifyBits(bin, slice(pack([...call])))).replace('4:', ''))
  expect(show(bin)).toBe(before)
  return after
}

const read = (bin: Particle | undefined, call: readonly Value[]) =>
  codeOr(() => show(readBits(bin, slice(pack([...call])))))

/** Calls on x'0142030405' and what they leave, or their result code. */
const changes: [string, Value[], string | number][] = [
  ['RESIZE grows', [0, 7, 0, 0], '01420304050000'],
  ['RESIZE shrinks', [0, 3], '014203'],
  ['RESIZE grows in front', [0, 7, 0, 1], '00000142030405'],
  ['RESIZE shrinks in front', [0, 3, 0, 1], '030405'],
  ['RESIZE may not shrink', [0, 3, 0, 2], 4],
  ['RESIZE may not grow', [0, 7, 0, 4], 4],
  ['RESIZE may neither', [0, 7, 0, 6], 4],
  ['RESIZE may not grow and not fail', [0, 7, 4, 4], '0142030405'],
  ['RESIZE of a bin that must be new', [0, 7, 1, 0], 6],
  ['RESIZE of a bin that must be new, not failing', [0, 7, 5, 0], '0142030405'],
  ['RESIZE to more than a record', [0, 20_000_000, 0, 0], 13],
  ['RESIZE to more than a machine', [0, 2 ** 52], 13],
  ['RESIZE to less than nothing', [0, -1], 4],
  ['RESIZE to nothing', [0, 0], ''],
  ['RESIZE with an unknown flag', [0, 7, 0, 8], 4],
  ['RESIZE with PARTIAL', [0, 7, 8], 4],
  ['RESIZE with an argument too many', [0, 7, 0, 0, 0], 4],
  ['INSERT', [1, 1, hex('ffc7'), 0], '01ffc742030405'],
  ['INSERT behind the end', [1, 7, hex('ff')], '01420304050000ff'],
  ['INSERT from the end', [1, -1, hex('ff')], '01420304ff05'],
  ['INSERT before the start', [1, -6, hex('ff'), 4], 4],
  ['INSERT far behind the end', [1, 2 ** 50, hex('ff')], 13],
  ['INSERT of nothing', [1, 1, hex('')], 4],
  ['INSERT of a string', [1, 1, 'str'], '0173747242030405'],
  ['INSERT of a number', [1, 1, 5], 4],
  ['REMOVE', [2, 2, 3], '0142'],
  ['REMOVE of nothing', [2, 0, 0], 4],
  ['REMOVE beyond the end', [2, 4, 3], 4],
  ['REMOVE beyond the end, not failing', [2, 4, 3, 4], '0142030405'],
  ['REMOVE beyond the end, cut', [2, 4, 3, 8], '01420304'],
  ['REMOVE behind the end, cut', [2, 5, 1, 8], 4],
  ['REMOVE of less than nothing', [2, 0, -1, 4], 4],
  ['SET', [3, 13, 3, hex('e0')], '0147030405'],
  ['SET across bytes', [3, 1, 16, hex('aaaa')], '5555030405'],
  ['SET from the end', [3, -8, 8, hex('ff')], '01420304ff'],
  ['SET beyond the end', [3, 36, 8, hex('ff')], 26],
  ['SET beyond the end, not failing', [3, 36, 8, hex('ff'), 4], '0142030405'],
  ['SET beyond the end, cut', [3, 36, 8, hex('ff'), 8], '014203040f'],
  ['SET behind the end, cut', [3, 40, 8, hex('ff'), 8], 26],
  ['SET before the start', [3, -41, 8, hex('ff')], 4],
  ['SET with too few bytes', [3, 0, 16, hex('ff')], 4],
  ['SET of a new bin only', [3, 0, 8, hex('ff'), 1], 4],
  ['OR', [4, 17, 6, hex('a8')], '0142570405'],
  ['XOR', [5, 17, 6, hex('ac')], '0142550405'],
  ['AND', [6, 23, 9, hex('3c80')], '0142020005'],
  ['NOT', [7, 25, 6], '0142037a05'],
  ['NOT of no bits', [7, 0, 0], 4],
  ['LSHIFT', [8, 3, 20, 5], '0840410405'],
  ['RSHIFT', [9, 3, 20, 5], '000a110405'],
  ['LSHIFT by all', [8, 0, 40, 41], '0000000000'],
  ['RSHIFT by nothing', [9, 0, 8, 0], '0142030405'],
  ['LSHIFT backwards', [8, 0, 8, -1], 4],
  // The field's server ends with these two.
  ['LSHIFT of a cut range by all of it', [8, 36, 8, 8, 8], '0142030400'],
  ['RSHIFT of a cut range by more than it', [9, -9, 40, 32, 8], '0142030400'],
  ['ADD', [10, 24, 16, 128], '0142030485'],
  ['ADD across bytes', [10, 3, 13, 5], '0147030405'],
  ['ADD too much', [10, 0, 8, 255], 26],
  ['ADD too much, not failing', [10, 0, 8, 255, 4, 0], '0142030405'],
  ['ADD that saturates', [10, 0, 8, 255, 0, 2], 'ff42030405'],
  ['ADD that wraps', [10, 0, 8, 255, 0, 4], '0042030405'],
  ['ADD signed too much', [10, 0, 8, 127, 0, 1], 26],
  ['ADD signed that saturates', [10, 0, 8, 127, 0, 3], '7f42030405'],
  ['ADD signed that wraps', [10, 0, 8, 127, 0, 5], '8042030405'],
  ['ADD with saturation and wrapping', [10, 0, 8, 1, 0, 6], 4],
  ['ADD of 65 bits', [10, 0, 65, 1], 4],
  ['ADD cut', [10, 36, 8, 1, 8], 4],
  ['SUBTRACT', [11, 3, 13, 5], '013d030405'],
  ['SUBTRACT too much', [11, 0, 8, 2], 26],
  ['SUBTRACT that saturates', [11, 0, 8, 3, 0, 2], '0042030405'],
  ['SUBTRACT of the smallest', [11, 0, 8, -128, 0, 3], '8142030405'],
  ['SET_INT', [12, 5, 17, 131071], '07ffff0405'],
  ['SET_INT of a negative number', [12, 0, 4, -1], 'f142030405'],
  ['SET_INT with number flags', [12, 0, 8, 1, 0, 1], 4],
  ['unknown', [13, 0, 1], 4],
  ['a call that reads', [50, 0, 8], 4],
  ['a path', [0xff, [16, 0], [3, 0, 8, hex('ff')]], 4],
  ['no call', [], 4],
]

const reading: [string, Value[], Value | { code: number }][] = [
  ['GET', [50, 3, 10], hex('0a00')],
  ['GET beyond the end', [50, 32, 9], { code: 26 }],
  ['GET from the end', [50, -1, 1], hex('80')],
  ['COUNT', [51, 3, 20], 4],
  ['COUNT of no bits', [51, 0, 0], { code: 4 }],
  ['LSCAN', [52, -16, 16, true], 5],
  ['RSCAN', [53, 0, 40, true], 39],
  ['LSCAN for what is not there', [52, 24, 4, true], -1],
  ['RSCAN for zero', [53, 0, 8, false], 6],
  ['LSCAN for a number', [52, 24, 8, 1], { code: 4 }],
  ['GET_INT', [54, 0, 40], 5402461189],
  ['GET_INT signed', [54, 7, 1, 1], -1],
  ['GET_INT of 65 bits', [54, 0, 65], { code: 4 }],
  ['GET_INT with a flag', [54, 8, 16, 2], { code: 4 }],
  ['a call that writes', [3, 0, 8, hex('ff')], { code: 4 }],
]

const shown = (value: Value | { code: number }): unknown => {
  if (value === null || typeof value !== 'object') return answerOf(value)
  if (Buffer.isBuffer(value)) return `4:${value.toString('hex')}`
  return 'code' in value ? value.code : undefined
}

describe('calls on the bits of a blob', () => {
  it.each(changes)('%s', (_name, call, expected) => {
    expect(modify(blob('0142030405'), call)).toBe(expected)
  })

  it.each(reading)('%s', (_name, call, expected) => {
    expect(read(blob('0142030405'), call)).toBe(shown(expected))
  })

  it('a bin that is not there is made by RESIZE and INSERT alone', () => {
    expect(modify(undefined, [0, 4, 0, 0])).toBe('00000000')
    expect(modify(undefined, [1, 2, hex('ff')])).toBe('0000ff')
    expect(modify(undefined, [0, 0])).toBe('nil')
    expect(modify(undefined, [0, 4, 2])).toBe(17)
    expect(modify(undefined, [0, 4, 6])).toBe('nil')
    expect(modify(undefined, [3, 0, 8, hex('ff')])).toBe(17)
    expect(read(undefined, [50, 0, 8])).toBe('nil')
    expect(read(undefined, [50, 0, 0])).toBe(4)
  })

  it('a bin of another type', () => {
    expect(modify(particle(ParticleType.STRING, hex('61')), [7, 0, 8])).toBe(12)
    expect(read(particle(ParticleType.HLL, hex('61')), [50, 0, 8])).toBe(12)
  })
})

/** The same calls on a string of zeroes and ones. */
function modelled(bits: string, [code, offset, size, third]: [number, number, number, number]): string {
  const field = bits.slice(offset, offset + size)
  const value = third.toString(2).padStart(24, '0')
  const changed = (): string => {
    switch (code) {
      case 3:
        return value.slice(0, size)
      case 4:
        return [...field].map((bit, i) => (bit === '1' || value[i] === '1' ? '1' : '0')).join('')
      case 5:
        return [...field].map((bit, i) => (bit === value[i] ? '0' : '1')).join('')
      case 6:
        return [...field].map((bit, i) => (bit === '1' && value[i] === '1' ? '1' : '0')).join('')
      case 7:
        return [...field].map((bit) => (bit === '1' ? '0' : '1')).join('')
      case 8:
        return field
          .slice(third % 32)
          .padEnd(size, '0')
          .slice(0, size)
      case 9:
        return field.padStart(size + (third % 32), '0').slice(0, size)
      case 10:
        return BigInt.asUintN(size, BigInt(`0b${field}`) + BigInt(third))
          .toString(2)
          .padStart(size, '0')
      case 11:
        return BigInt.asUintN(size, BigInt(`0b${field}`) - BigInt(third))
          .toString(2)
          .padStart(size, '0')
      default:
        return BigInt.asUintN(size, BigInt(third)).toString(2).padStart(size, '0')
    }
  }
  return bits.slice(0, offset) + changed() + bits.slice(offset + size)
}

const bitsOf = (bytes: Buffer) => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')

describe('against strings of zeroes and ones', () => {
  const field = fc
    .tuple(fc.uint8Array({ minLength: 3, maxLength: 12 }), fc.nat(), fc.nat())
    .map(([array, a, b]) => {
      const bytes = Buffer.from(array)
      const offset = a % (bytes.length * 8)
      return { bytes, offset, size: 1 + (b % Math.min(24, bytes.length * 8 - offset)) }
    })

  it('changes', () => {
    const code = fc.integer({ min: 3, max: 12 })
    fc.assert(
      fc.property(field, code, fc.nat(0xff_ffff), ({ bytes, offset, size }, op, third) => {
        const argument =
          op < 7 ? Buffer.from(third.toString(16).padStart(6, '0'), 'hex') : op < 10 ? third % 32 : third
        const tail = op === 10 || op === 11 ? [argument, 0, 4] : op === 7 ? [] : [argument]
        const after = modify(blob(bytes.toString('hex')), [op, offset, size, ...tail])
        expect(typeof after === 'string' ? bitsOf(hex(after)) : after).toBe(
          modelled(bitsOf(bytes), [op, offset, size, third]),
        )
      }),
      { numRuns: 2000 },
    )
  })

  it('reads', () => {
    fc.assert(
      fc.property(field, fc.boolean(), ({ bytes, offset, size }, wanted) => {
        const bits = bitsOf(bytes).slice(offset, offset + size)
        const bin = blob(bytes.toString('hex'))
        expect(read(bin, [51, offset, size])).toBe(answerOf([...bits].filter((bit) => bit === '1').length))
        expect(read(bin, [52, offset, size, wanted])).toBe(answerOf(bits.indexOf(wanted ? '1' : '0')))
        expect(read(bin, [53, offset, size, wanted])).toBe(answerOf(bits.lastIndexOf(wanted ? '1' : '0')))
        expect(read(bin, [54, offset, size])).toBe(answerOf(BigInt(`0b${bits}`)))
        expect(read(bin, [54, offset, size, 1])).toBe(answerOf(BigInt.asIntN(size, BigInt(`0b${bits}`))))
        const bytesWanted = bits.padEnd(Math.ceil(size / 8) * 8, '0')
        const got = read(bin, [50, offset, size])
        expect(typeof got === 'string' ? bitsOf(hex(got.slice(2))) : got).toBe(bytesWanted)
      }),
      { numRuns: 500 },
    )
  })
})
