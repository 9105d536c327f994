/**
 * Runs of bits in a buffer, wherever they begin; bit 0 is the most significant of byte 0. They are worked on eight at
 * a time, each group at the upper end of a number of eight bits, so cost grows with the bytes touched.
 */

export interface BitField {
  readonly offset: number
  readonly size: number
}

const GROUP = 8

/** The upper `count` of eight bits. */
const upper = (count: number): number => (0xff00 >> count) & 0xff

/** `count` (1 to 8) bits from `offset` on. */
export function bitsAt(buffer: Buffer, offset: number, count: number): number {
  const at = offset >>> 3
  const two = (buffer[at]! << 8) | (buffer[at + 1] ?? 0)
  return ((two << (offset & 7)) >> 8) & upper(count)
}

function putBits(buffer: Buffer, offset: number, count: number, bits: number): void {
  const at = offset >>> 3
  const mask = (upper(count) << 8) >> (offset & 7)
  const wide = ((bits & upper(count)) << 8) >> (offset & 7)
  buffer[at] = (buffer[at]! & ~(mask >> 8)) | (wide >> 8)
  if (mask & 0xff) buffer[at + 1] = (buffer[at + 1]! & ~mask) | (wide & 0xff)
}

/** Replaces each group by what `change` makes of it; `at` counts from the start of the field. */
export function changeBits(
  buffer: Buffer,
  { offset, size }: BitField,
  change: (bits: number, at: number, count: number) => number,
): void {
  for (let at = 0; at < size; at += GROUP) {
    const count = Math.min(GROUP, size - at)
    putBits(buffer, offset + at, count, change(bitsAt(buffer, offset + at, count), at, count))
  }
}

/** Moves the bits of a field by `distance` to the left, or to the right where it is negative; zeroes follow. */
export function shiftBits(source: Buffer, target: Buffer, field: BitField, distance: number): void {
  const { offset, size } = field
  changeBits(target, field, (_, at, count) => {
    const from = at + distance
    const first = Math.max(0, from)
    const left = Math.min(from + count, size) - first
    return left > 0 ? bitsAt(source, offset + first, left) >> (first - from) : 0
  })
}

export function copyBits(buffer: Buffer, { offset, size }: BitField): Buffer {
  const copy = Buffer.alloc(Math.ceil(size / GROUP))
  for (let i = 0; i < copy.length; i++)
    copy[i] = bitsAt(buffer, offset + i * GROUP, Math.min(GROUP, size - i * GROUP))
  return copy
}

export function countOnes(buffer: Buffer, { offset, size }: BitField): number {
  let ones = 0
  for (let at = 0; at < size; at += GROUP)
    for (let bits = bitsAt(buffer, offset + at, Math.min(GROUP, size - at)); bits > 0; bits &= bits - 1)
      ones++
  return ones
}

/** Place of the first (or last) bit of that value within the field, or −1. */
export function findBit(buffer: Buffer, field: BitField, wanted: boolean, last: boolean): number {
  const groups = Math.ceil(field.size / GROUP)
  for (let i = 0; i < groups; i++) {
    const at = (last ? groups - 1 - i : i) * GROUP
    const count = Math.min(GROUP, field.size - at)
    const bits = bitsAt(buffer, field.offset + at, count)
    const matches = wanted ? bits : ~bits & upper(count)
    if (matches === 0) continue
    const highest = last ? 31 - Math.clz32(matches & -matches) : 31 - Math.clz32(matches)
    return at + (GROUP - 1 - highest)
  }
  return -1
}

/** A field of up to 64 bits as an unsigned number. */
export function unsignedAt(buffer: Buffer, { offset, size }: BitField): bigint {
  let value = 0n
  for (let at = 0; at < size; at += GROUP) {
    const count = Math.min(GROUP, size - at)
    value = (value << BigInt(count)) | BigInt(bitsAt(buffer, offset + at, count) >> (GROUP - count))
  }
  return value
}

/** Writes the low bits of `value`. */
export function putUnsigned(buffer: Buffer, field: BitField, value: bigint): void {
  changeBits(buffer, field, (_, at, count) => {
    const behind = BigInt(field.size - at - count)
    return (Number((value >> behind) & 0xffn) << (GROUP - count)) & 0xff
  })
}
