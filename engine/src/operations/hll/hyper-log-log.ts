/**
 * The bytes of a HyperLogLog: flags, index bits i, minhash bits m, a cached count, and 2^i registers of 6 + m bits
 * without gaps, the most significant bit first. A register holds the highest rank that met it and, behind it, the
 * highest minhash of that rank. Source: protocol notes, HLL 2 and 3.
 */
import { murmur3 } from '../../values/murmur3.ts'
import type { Slice } from '../../values/particle.ts'

export const MIN_INDEX_BITS = 4
export const MAX_INDEX_BITS = 16
const MIN_MINHASH_BITS = 4
const MAX_MINHASH_BITS = 51
const HASH_BITS = 64
const RANK_BITS = 6
const MAX_RANK = 2 ** RANK_BITS - 1
const COUNT_AT = 3
const HEAD_BYTES = 11

export function areBits(indexBits: number, minhashBits: number): boolean {
  if (indexBits < MIN_INDEX_BITS || indexBits > MAX_INDEX_BITS) return false
  if (minhashBits === 0) return true
  return (
    minhashBits >= MIN_MINHASH_BITS && minhashBits <= MAX_MINHASH_BITS && indexBits + minhashBits <= HASH_BITS
  )
}

/** Where a value belongs, and what it leaves there. */
export interface Mark {
  index: number
  rank: number
  minhash: number
}

const mark: Mark = { index: 0, rank: 0, minhash: 0 }

export class HyperLogLog {
  readonly bytes: Buffer
  readonly indexBits: number
  readonly minhashBits: number
  readonly #width: number

  private constructor(bytes: Buffer) {
    this.bytes = bytes
    this.indexBits = bytes[1]!
    this.minhashBits = bytes[2]!
    this.#width = RANK_BITS + this.minhashBits
  }

  static empty(indexBits: number, minhashBits: number): HyperLogLog {
    const bytes = Buffer.alloc(lengthOf(indexBits, minhashBits))
    bytes[1] = indexBits
    bytes[2] = minhashBits
    return new HyperLogLog(bytes)
  }

  /** A view of the bytes, undefined where they are no HyperLogLog. */
  static from({ buffer, start, end }: Slice): HyperLogLog | undefined {
    if (end - start < HEAD_BYTES || buffer[start] !== 0) return undefined
    const [indexBits, minhashBits] = [buffer[start + 1]!, buffer[start + 2]!]
    if (!areBits(indexBits, minhashBits) || end - start !== lengthOf(indexBits, minhashBits)) return undefined
    return new HyperLogLog(buffer.subarray(start, end))
  }

  copy(): HyperLogLog {
    return new HyperLogLog(Buffer.from(this.bytes))
  }

  get registers(): number {
    return 2 ** this.indexBits
  }

  /** 0 where none is cached. */
  get cachedCount(): number {
    return Number(this.bytes.readBigUInt64LE(COUNT_AT))
  }

  set cachedCount(count: number) {
    this.bytes.writeBigUInt64LE(BigInt(count), COUNT_AT)
  }

  rank(index: number): number {
    return this.#read(index * this.#width, RANK_BITS)
  }

  minhash(index: number): number {
    return this.minhashBits === 0 ? 0 : this.#read(index * this.#width + RANK_BITS, this.minhashBits)
  }

  /** Where a value lies, by the bytes of its item; belongs to the next call, too. */
  markOf(item: Slice): Mark {
    const { h1High, h1Low, h2High, h2Low } = murmur3(item.buffer, item.start, item.end)
    mark.index = h1Low & (this.registers - 1)
    const zeroes = h2Low !== 0 ? trailingZeroes(h2Low) : 32 + trailingZeroes(h2High)
    mark.rank = Math.min(zeroes + 1, MAX_RANK)
    mark.minhash = middleBits(h1High, h1Low, this.indexBits, this.minhashBits)
    return mark
  }

  /** Whether a register holds at least this. */
  reaches({ index, rank, minhash }: Mark): boolean {
    const here = this.rank(index)
    return here > rank || (here === rank && this.minhash(index) >= minhash)
  }

  put({ index, rank, minhash }: Mark): void {
    this.#write(index * this.#width, RANK_BITS, rank)
    if (this.minhashBits > 0) this.#write(index * this.#width + RANK_BITS, this.minhashBits, minhash)
  }

  /** Takes in the registers of another, which has no fewer. */
  unite(other: HyperLogLog): void {
    const mask = this.registers - 1
    const keepsMinhash = this.minhashBits === other.minhashBits
    for (let i = 0; i < other.registers; i++) {
      mark.rank = other.rank(i)
      if (mark.rank === 0) continue
      mark.index = i & mask
      mark.minhash = keepsMinhash ? other.minhash(i) : 0
      if (!this.reaches(mark)) this.put(mark)
    }
  }

  /** `count` bits of the registers, as a number. */
  #read(bit: number, count: number): number {
    const { bytes } = this
    let at = HEAD_BYTES + (bit >>> 3)
    let have = 8 - (bit & 7)
    let value = bytes[at]! & (0xff >> (bit & 7))
    if (have >= count) return value >> (have - count)
    for (; have + 8 <= count; have += 8) value = value * 256 + bytes[++at]!
    const rest = count - have
    return rest === 0 ? value : value * 2 ** rest + (bytes[at + 1]! >> (8 - rest))
  }

  #write(bit: number, count: number, value: number): void {
    for (let left = count; left > 0;) {
      const at = HEAD_BYTES + ((bit + count - left) >>> 3)
      const free = 8 - ((bit + count - left) & 7)
      const now = Math.min(free, left)
      const bits = Math.floor(value / 2 ** (left - now)) % 2 ** now
      const mask = ((1 << now) - 1) << (free - now)
      this.bytes[at] = (this.bytes[at]! & ~mask) | (bits << (free - now))
      left -= now
    }
  }
}

function lengthOf(indexBits: number, minhashBits: number): number {
  return HEAD_BYTES + Math.ceil((2 ** indexBits * (RANK_BITS + minhashBits)) / 8)
}

const trailingZeroes = (bits: number): number => (bits === 0 ? 32 : 31 - Math.clz32(bits & -bits))

/** `count` bits of a 64-bit number, from bit `from` (at most 16) upwards. */
function middleBits(high: number, low: number, from: number, count: number): number {
  const below = low >>> from
  const fromLow = 32 - from
  if (count <= fromLow) return below % 2 ** count
  return ((high >>> 0) % 2 ** (count - fromLow)) * 2 ** fromLow + below
}
