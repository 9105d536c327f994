import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normaliseCollection } from '../../../engine/src/values/collection.ts'
import { normaliseItem } from '../../../engine/src/values/item-normal.ts'
import { MAX_DEPTH } from '../../../engine/src/values/msgpack-item.ts'
import { ParticleType } from '../../../engine/src/values/particle.ts'
import { ResultError } from '../../../engine/src/values/result-code.ts'
import { anyValue } from './arbitrary.ts'
import { pack, particle, slice } from './pack.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

function written(type: number, bytes: Buffer): string | number {
  try {
    const { buffer, start, end } = normaliseCollection(particle(type, bytes))
    return buffer.subarray(start, end).toString('hex')
  } catch (error) {
    if (error instanceof ResultError) return error.code
    throw error
  }
}

/** Bytes sent, and what is stored of them or the result code. */
const lists: [string, string | number][] = [
  ['93 01 02 03', '93 01 02 03'],
  ['93 ce 00 00 00 01 cd 00 02 d0 ff', '93 01 02 ff'],
  ['91 ca 3f c0 00 00', '91 ca 3f c0 00 00'],
  ['dc 00 02 01 02', '92 01 02'],
  ['92 c7 00 01 01', '92 c7 00 01 01'],
  ['93 c7 00 01 02 01', 1],
  ['91 c7 00 01', '91 c7 00 01'],
  ['93 c7 00 00 02 01', '92 02 01'],
  ['93 c7 00 11 01 02', '93 c7 00 01 01 02'],
  ['93 c7 00 02 02 01', '92 02 01'],
  ['93 c7 00 41 01 02', '93 c7 00 01 01 02'],
  ['93 c7 00 0f 01 02', '93 c7 00 01 01 02'],
  ['93 c7 00 ff 01 02', '93 c7 00 01 01 02'],
  ['93 01 c7 00 01 02', '93 01 c7 00 01 02'],
  ['92 c7 02 01 aa bb 05', '92 c7 00 01 05'],
  ['93 d4 01 00 01 02', '93 d4 01 00 01 02'],
  // hand-record 1719: an extension of 16 bytes in front is an order marker, too.
  ['91 d8 01' + '00'.repeat(16), '91 c7 00 01'],
  ['92 01 d8 01' + '00'.repeat(16), '92 01 d8 01' + '00'.repeat(16)],
  ['90', '90'],
  ['', 1],
  ['80', 1],
  ['93 01 02', 1],
  ['92 01 02 03', 1],
  ['91 c1', 1],
  ['91 d4 ff 01', 1],
  ['91 d4 ff 00', 1],
  ['91 d4 ff 02', 1],
  ['91 93 c7 00 01 02 01', 1],
  ['91 92 c7 00 11 01', '91 92 c7 00 01 01'],
  ['91 c4 02 03 61', '91 a2 03 61'],
  ['91 a0', '91 a0'],
  ['91 d9 02 03 61', '91 a2 03 61'],
  ['91 cf ff ff ff ff ff ff ff ff', '91 cf ff ff ff ff ff ff ff ff'],
  ['91 d3 7f ff ff ff ff ff ff ff', '91 cf 7f ff ff ff ff ff ff ff'],
  ['91 d3 00 00 00 00 00 00 00 01', '91 01'],
  // With this marker the field's server ended.
  ['93 c7 00 10 02 01', 4],
  ['91 93 c7 00 12 02 01', 4],
  ['dd ff ff ff ff', 1],
]

const maps: [string, string | number][] = [
  ['90', 1],
  ['82 01 0a 02 0b', '82 01 0a 02 0b'],
  ['82 02 0b 01 0a', '82 01 0a 02 0b'],
  ['82 01 0a 01 0b', 1],
  ['83 02 0b 01 0a 02 0c', 1],
  ['83 c7 00 01 c0 01 0a 02 0b', '83 c7 00 01 c0 01 0a 02 0b'],
  ['83 c7 00 01 c0 02 0b 01 0a', 1],
  ['83 c7 00 03 c0 01 0a 02 0b', '83 c7 00 03 c0 01 0a 02 0b'],
  ['83 c7 00 00 c0 02 0b 01 0a', '82 01 0a 02 0b'],
  ['83 c7 00 02 c0 01 0a 02 0b', '83 c7 00 02 c0 01 0a 02 0b'],
  ['83 c7 00 08 c0 02 0b 01 0a', '82 01 0a 02 0b'],
  ['83 c7 00 13 c0 01 0a 02 0b', '83 c7 00 03 c0 01 0a 02 0b'],
  ['83 c7 00 10 c0 01 0a 02 0b', '82 01 0a 02 0b'],
  ['83 c7 00 01 c0 01 0a 01 0b', 1],
  // hand-record 1643: bytes of no known type are no key.
  ['81 a1 78 01', 1],
  ['81 a0 01', 1],
  ['81 c0 01', 1],
  ['81 c3 01', 1],
  ['81 cb 3f f0 00 00 00 00 00 00 01', 1],
  ['81 91 01 01', 1],
  ['81 a2 04 7f 01', '81 a2 04 7f 01'],
  ['81 a2 17 61 01', 1],
  ['81 01 d4 ff 01', 1],
  ['82 a2 03 61 02 01 01', '82 01 01 a2 03 61 02'],
  ['81 01', 1],
  ['81 01 02 03', 1],
  ['81 01 83 c7 00 01 c0 02 0b 01 0a', 1],
  ['81 01 82 02 0b 01 0a', '81 01 82 01 0a 02 0b'],
  ['83 c7 00 01 c1 01 0a 02 0b', 1],
  ['83 c7 00 01 00 01 0a 02 0b', '83 c7 00 01 c0 01 0a 02 0b'],
  ['df ff ff ff ff 01', 1],
]

const expected = (stored: string | number) =>
  typeof stored === 'number' ? stored : stored.replaceAll(' ', '')

describe('a collection written as a bin', () => {
  it.each(lists)('list %s becomes %s', (sent, stored) => {
    expect(written(ParticleType.LIST, hex(sent))).toBe(expected(stored))
  })

  it.each(maps)('map %s becomes %s', (sent, stored) => {
    expect(written(ParticleType.MAP, hex(sent))).toBe(expected(stored))
  })

  it('leaves other particles alone', () => {
    const text = particle(ParticleType.STRING, hex('ff'))
    expect(normaliseCollection(text)).toBe(text)
  })

  it('nests down to the bound and answers 1 below it, however deep', () => {
    const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x91), hex('01')])
    expect(written(ParticleType.LIST, nested(MAX_DEPTH))).toBe(nested(MAX_DEPTH).toString('hex'))
    expect(written(ParticleType.LIST, nested(MAX_DEPTH + 1))).toBe(1)
    expect(written(ParticleType.LIST, nested(5_000_000))).toBe(1)
    const maps = Buffer.concat([Buffer.alloc(3_000_000, Buffer.from([0x81, 0x01])), hex('01')])
    expect(written(ParticleType.MAP, maps)).toBe(1)
  })

  it('stores every value in one form, which stays as it is and is not copied again', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const sent = pack(value)
        const before = Buffer.from(sent)
        const once = normaliseItem(slice(sent), 4)
        expect(sent.equals(before)).toBe(true)
        expect(normaliseItem(once, 4)).toBe(once)
      }),
      { numRuns: 500 },
    )
  })

  it('answers a result code to any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array))
    fc.assert(
      fc.property(bytes, fc.constantFrom(0x91, 0x93, 0x9f, 0x82, 0xdc, 0xdd, 0xdf), (tail, first) => {
        const sent = Buffer.concat([Buffer.from([first]), tail])
        written(ParticleType.LIST, sent)
        written(ParticleType.MAP, sent)
      }),
      { numRuns: 3000 },
    )
  })
})
