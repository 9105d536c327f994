import { copyBytes } from './byte-copy.ts'
import { ResultCode, ResultError } from './result-code.ts'

/** No collection or result grows beyond this; far above the largest record, so that only runaway calls meet it. */
export const MAX_COLLECTION_BYTES = 128 * 1024 * 1024

/** MessagePack written front to back into a buffer that grows. */
export class ByteWriter {
  buffer: Buffer
  length = 0

  constructor(capacity = 256) {
    this.buffer = Buffer.allocUnsafe(capacity)
  }

  /** Makes room for `count` more bytes; answers where they start. */
  take(count: number): number {
    const at = this.length
    const needed = at + count
    if (needed > this.buffer.length) this.#grow(needed)
    this.length = needed
    return at
  }

  byte(value: number): void {
    const at = this.take(1)
    this.buffer[at] = value
  }

  bytes(source: Buffer, start: number, end: number): void {
    const at = this.take(end - start)
    copyBytes(source, start, end, this.buffer, at)
  }

  listHeader(count: number): void {
    const at = this.take(listHeaderLength(count))
    writeListHeader(this.buffer, at, count)
  }

  mapHeader(count: number): void {
    const at = this.take(listHeaderLength(count))
    writeMapHeader(this.buffer, at, count)
  }

  integer(value: number): void {
    const at = this.take(integerLength(value))
    writeInteger(this.buffer, at, value)
  }

  #grow(needed: number): void {
    if (needed > MAX_COLLECTION_BYTES) throw new ResultError(ResultCode.RECORD_TOO_BIG, `${needed} bytes`)
    const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }
}

/** Length of the header of a list of `count` elements; that of a map of `count` pairs is the same. */
export function listHeaderLength(count: number): number {
  if (count < 16) return 1
  return count < 0x1_0000 ? 3 : 5
}

export function writeListHeader(target: Buffer, at: number, count: number): number {
  return writeHeader(target, at, count, 0x90)
}

export function writeMapHeader(target: Buffer, at: number, count: number): number {
  return writeHeader(target, at, count, 0x80)
}

function writeHeader(target: Buffer, at: number, count: number, short: number): number {
  if (count < 16) return target.writeUInt8(short | count, at)
  const wide = short === 0x90 ? 0xdc : 0xde
  if (count < 0x1_0000) {
    target[at] = wide
    return target.writeUInt16BE(count, at + 1)
  }
  target[at] = wide + 1
  return target.writeUInt32BE(count, at + 1)
}

/** Length of the shortest form of an integer of up to 32 bits. */
function integerLength(value: number): number {
  if (value >= -32 && value < 0x80) return 1
  if (value >= 0) {
    if (value < 0x100) return 2
    return value < 0x1_0000 ? 3 : 5
  }
  if (value >= -0x80) return 2
  return value >= -0x8000 ? 3 : 5
}

/** Writes an integer of up to 32 bits in its shortest form; answers the offset behind it. */
export function writeInteger(target: Buffer, at: number, value: number): number {
  switch (integerLength(value)) {
    case 1:
      target[at] = value & 0xff
      return at + 1
    case 2:
      target[at] = value >= 0 ? 0xcc : 0xd0
      target[at + 1] = value & 0xff
      return at + 2
    case 3:
      target[at] = value >= 0 ? 0xcd : 0xd1
      target[at + 1] = (value >> 8) & 0xff
      target[at + 2] = value & 0xff
      return at + 3
    default:
      target[at] = value >= 0 ? 0xce : 0xd2
      return target.writeInt32BE(value | 0, at + 1)
  }
}

/** The shortest form of a signed 64-bit integer. */
export function integerItemOf(bits: bigint): Buffer {
  if (bits >= -0x8000_0000n && bits <= 0xffff_ffffn) {
    const value = Number(bits)
    const item = Buffer.allocUnsafe(integerLength(value))
    writeInteger(item, 0, value)
    return item
  }
  const item = Buffer.allocUnsafe(9)
  item[0] = bits >= 0n ? 0xcf : 0xd3
  item.writeBigInt64BE(bits, 1)
  return item
}

export function doubleItemOf(value: number): Buffer {
  const item = Buffer.allocUnsafe(9)
  item[0] = 0xcb
  item.writeDoubleBE(value, 1)
  return item
}
