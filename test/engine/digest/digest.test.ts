import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { UserKey } from '../../../engine/src/values/digest.ts'
import { digestOf, partitionOf } from '../../../engine/src/values/digest.ts'

/** Produced by the official Node client. */
const vectors: [string, UserKey, string, number][] = [
  ['demo', 'k1', 'b747f5854d0b33259928d0cfab7fad81d6abfbf6', 1975],
  ['', 'k1', '50149955959c2fef0a83613ae80c78bb9c96b269', 1104],
  ['demo', 'héllo ☃', 'dd0850ae129accaba60746ef729c945468498472', 2269],
  ['demo', 0, 'ceded27492b392e0232514bb54a8ec2076acef37', 3790],
  ['demo', 1, 'b7f4b83889e2da67de683e1df6919a1eacc446c8', 1207],
  ['demo', -1, 'e9d49a24c3debdc5a6d551d3e7087999a263bb97', 1257],
  ['demo', 9007199254740991, '0205dfce795169ce13abc993593fff7f7de26a90', 1282],
  ['demo', 9223372036854775807n, '6964c1df0d52acf332aef2bfdd54ba366285d051', 1129],
  ['demo', -9223372036854775808n, 'ed1e7c46ae5e7ece2d07934101b63291bf9a3606', 3821],
  ['demo', Buffer.of(1, 2, 3), 'ff31c926fbef445648ce63ca72a698a5473425c1', 511],
  ['users', 'user:1000', 'c81427c6c84c2902eb133e8e1967d61650da76fd', 1224],
  ['users', 123456789, 'dd5d8a1b47e5e7ad05a9299f796f1fa182d2a7bb', 3549],
]

function byCrypto(set: string, key: UserKey): Buffer {
  const integer = Buffer.alloc(8)
  if (typeof key === 'number' || typeof key === 'bigint') integer.writeBigInt64BE(BigInt(key))
  const [type, bytes] =
    typeof key === 'string' ? [3, Buffer.from(key)] : Buffer.isBuffer(key) ? [4, key] : [1, integer]
  return createHash('ripemd160')
    .update(Buffer.concat([Buffer.from(set), Buffer.of(type), bytes]))
    .digest()
}

describe('a digest', () => {
  it.each(vectors)(
    'of set %j and key %s is as the official client makes it',
    (set, key, digest, partition) => {
      const bytes = digestOf(set, key)
      expect(bytes.toString('hex')).toBe(digest)
      expect(partitionOf(bytes, 0)).toBe(partition)
    },
  )

  it('is the same as by node:crypto for any set and key, also around the size of a block and far beyond', () => {
    const key = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes)),
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 63 }), key, (set, userKey) => {
        expect(digestOf(set, userKey).equals(byCrypto(set, userKey))).toBe(true)
      }),
      { numRuns: 2000 },
    )
    for (let length = 0; length < 200; length++)
      expect(digestOf('s', 'x'.repeat(length)).equals(byCrypto('s', 'x'.repeat(length)))).toBe(true)
  })

  it.each([1.5, NaN, 2 ** 53])('of the number %s is refused', (key) => {
    expect(() => digestOf('s', key)).toThrow(RangeError)
  })
})
