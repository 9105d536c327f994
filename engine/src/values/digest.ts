import { createHash } from 'node:crypto'
import { putUint32 } from './byte-copy.ts'
import { ParticleType } from './particle.ts'
import { input, MAX_INPUT_BYTES, ripemd160 } from './ripemd160.ts'

export const DIGEST_BYTES = 20
/** Of every namespace of every node; clients know no other number. */
export const PARTITIONS = 4096
const INTEGER_BYTES = 8

/** What names a record within its set. */
export type UserKey = string | number | bigint | Buffer

/**
 * Writes the digest that finds a record: RIPEMD-160 of set name, type of the key, key. Integers count as 8 bytes,
 * big-endian. Throws RangeError for a number that is no safe integer and a bigint of more than 64 bits.
 */
export function writeDigest(target: Buffer, at: number, set: string, key: UserKey): void {
  const keyBytes =
    typeof key === 'string' ? key.length * 3 : Buffer.isBuffer(key) ? key.length : INTEGER_BYTES
  if (set.length * 3 + 1 + keyBytes > MAX_INPUT_BYTES) return writeLongDigest(target, at, set, key)
  let length = writeText(set, 0)
  if (typeof key === 'string') {
    input[length++] = ParticleType.STRING
    length = writeText(key, length)
  } else if (Buffer.isBuffer(key)) {
    input[length++] = ParticleType.BLOB
    key.copy(input, length)
    length += key.length
  } else {
    input[length++] = ParticleType.INTEGER
    writeInteger(input, length, key)
    length += INTEGER_BYTES
  }
  ripemd160(length, target, at)
}

export function digestOf(set: string, key: UserKey): Buffer {
  const digest = Buffer.allocUnsafe(DIGEST_BYTES)
  writeDigest(digest, 0, set, key)
  return digest
}

/** Twelve bits of the digest name its partition. */
export function partitionOf(digest: Buffer, at: number): number {
  return (digest[at]! | (digest[at + 1]! << 8)) & (PARTITIONS - 1)
}

const ASCII = 0x80

/** Text in UTF-8; what is ASCII, as names and keys mostly are, without a native call. */
function writeText(text: string, at: number): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= ASCII) return at + input.write(text, at, 'utf8')
    input[at + i] = code
  }
  return at + text.length
}

const TWO_TO_32 = 0x1_0000_0000

function writeInteger(target: Buffer, at: number, key: number | bigint): void {
  if (typeof key === 'bigint') target.writeBigInt64BE(key, at)
  else if (!Number.isSafeInteger(key)) throw new RangeError(`a key must be a safe integer, not ${key}`)
  else {
    putUint32(target, at, Math.floor(key / TWO_TO_32))
    putUint32(target, at + 4, key)
  }
}

function writeLongDigest(target: Buffer, at: number, set: string, key: UserKey): void {
  const hash = createHash('ripemd160').update(set)
  if (typeof key === 'string') hash.update(Buffer.of(ParticleType.STRING)).update(key)
  else if (Buffer.isBuffer(key)) hash.update(Buffer.of(ParticleType.BLOB)).update(key)
  else {
    const integer = Buffer.alloc(1 + INTEGER_BYTES)
    integer[0] = ParticleType.INTEGER
    writeInteger(integer, 1, key)
    hash.update(integer)
  }
  hash.digest().copy(target, at)
}
