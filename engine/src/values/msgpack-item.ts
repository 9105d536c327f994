/**
 * MessagePack items as they lie in collection bins and operation arguments, read in place. A string-like item
 * carries its particle type as first byte of its payload; `c7 00 flags` in front of a collection's elements
 * tells its order. Source: protocol notes, msgpack values, sections 2 and 3.
 *
 * Lengths come from a table of 256 entries, so walking over n elements costs n table look-ups, and nesting needs
 * a counter, not a stack.
 */

/** Kinds of items in the order in which the total order puts them; the last two occur in arguments alone. */
export const ItemKind = {
  INVALID: 0,
  NIL: 1,
  BOOL: 2,
  INTEGER: 3,
  STRING: 4,
  LIST: 5,
  MAP: 6,
  BYTES: 7,
  DOUBLE: 8,
  GEOJSON: 9,
  EXTENSION: 10,
  INFINITY: 11,
  WILDCARD: 12,
} as const

/** Deepest nesting of lists and maps that is accepted; keeps recursion far away from the end of the stack. */
export const MAX_DEPTH = 1024

export const MARKER_LENGTH = 3
const EXT8 = 0xc7
const FIXEXT1 = 0xd4
const ARGUMENT_EXTENSION = 0xff

/** Whole length of items whose first byte tells it; 0 for those with a length field, containers, and `c1`. */
const FIXED_LENGTH = new Uint8Array(256)
const FIRST_BYTE_KIND = new Uint8Array(256)

function describe(from: number, to: number, kind: number, length: (byte: number) => number): void {
  for (let byte = from; byte <= to; byte++) {
    FIRST_BYTE_KIND[byte] = kind
    FIXED_LENGTH[byte] = length(byte)
  }
}

describe(0x00, 0x7f, ItemKind.INTEGER, () => 1)
describe(0x80, 0x8f, ItemKind.MAP, () => 0)
describe(0x90, 0x9f, ItemKind.LIST, () => 0)
describe(0xa0, 0xbf, ItemKind.BYTES, (byte) => 1 + (byte & 0x1f))
describe(0xc0, 0xc0, ItemKind.NIL, () => 1)
describe(0xc2, 0xc3, ItemKind.BOOL, () => 1)
describe(0xc4, 0xc6, ItemKind.BYTES, () => 0)
describe(0xc7, 0xc9, ItemKind.EXTENSION, () => 0)
describe(0xca, 0xcb, ItemKind.DOUBLE, (byte) => (byte === 0xca ? 5 : 9))
describe(0xcc, 0xcf, ItemKind.INTEGER, (byte) => 1 + (1 << (byte - 0xcc)))
describe(0xd0, 0xd3, ItemKind.INTEGER, (byte) => 1 + (1 << (byte - 0xd0)))
describe(0xd4, 0xd8, ItemKind.EXTENSION, (byte) => 2 + (1 << (byte - 0xd4)))
describe(0xd9, 0xdb, ItemKind.BYTES, () => 0)
describe(0xdc, 0xdd, ItemKind.LIST, () => 0)
describe(0xde, 0xdf, ItemKind.MAP, () => 0)
describe(0xe0, 0xff, ItemKind.INTEGER, () => 1)

/** Offset behind the item at `at`, or -1 when it is cut short or not MessagePack. */
export function skipItem(buffer: Buffer, at: number, end: number): number {
  let remaining = 1
  while (remaining > 0) {
    if (at >= end) return -1
    const byte = buffer[at]!
    const fixed = FIXED_LENGTH[byte]!
    remaining--
    if (fixed !== 0) {
      at += fixed
      continue
    }
    const header = headerLength(byte)
    if (header === 0 || at + header > end) return -1
    const size = headerSize(buffer, at)
    const kind = FIRST_BYTE_KIND[byte]!
    at += header
    if (kind === ItemKind.LIST) remaining += size
    else if (kind === ItemKind.MAP) remaining += 2 * size
    else at += size
  }
  return at <= end ? at : -1
}

/** Bytes in front of the payload or the elements of a string-like item, an extension or a container; 0 for others. */
export function headerLength(byte: number): number {
  if (byte < 0xa0) return byte < 0x80 ? 0 : 1
  if (byte < 0xc0) return 1
  switch (byte) {
    case 0xc4:
    case 0xd9:
      return 2
    case 0xc5:
    case 0xda:
    case 0xdc:
    case 0xde:
    case 0xc7:
      return 3
    case 0xc8:
      return 4
    case 0xc6:
    case 0xdb:
    case 0xdd:
    case 0xdf:
      return 5
    case 0xc9:
      return 6
    default:
      return 0
  }
}

/** Payload bytes, elements or pairs that the header at `at` announces; its bytes must be there. */
export function headerSize(buffer: Buffer, at: number): number {
  const byte = buffer[at]!
  if (byte < 0xa0) return byte & 0x0f
  if (byte < 0xc0) return byte & 0x1f
  switch (byte) {
    case 0xc4:
    case 0xd9:
    case 0xc7:
      return buffer[at + 1]!
    case 0xc5:
    case 0xda:
    case 0xdc:
    case 0xde:
    case 0xc8:
      return (buffer[at + 1]! << 8) | buffer[at + 2]!
    default:
      return unsigned32(buffer, at + 1)
  }
}

/** The kind of the item at `at`; string-like items are told apart by their particle type byte. */
export function itemKind(buffer: Buffer, at: number): number {
  const byte = buffer[at]!
  const kind = FIRST_BYTE_KIND[byte]!
  if (kind === ItemKind.BYTES) return stringLikeKind(buffer, at, byte)
  if (byte === FIXEXT1 && buffer[at + 1] === ARGUMENT_EXTENSION) {
    const which = buffer[at + 2]
    if (which === 0x01) return ItemKind.INFINITY
    if (which === 0x00) return ItemKind.WILDCARD
  }
  return kind
}

function stringLikeKind(buffer: Buffer, at: number, byte: number): number {
  if (headerSize(buffer, at) === 0) return ItemKind.BYTES
  const particle = buffer[at + headerLength(byte)]
  if (particle === 3) return ItemKind.STRING
  return particle === 23 ? ItemKind.GEOJSON : ItemKind.BYTES
}

/** The order marker's flags when the item at `at` is one (`c7`, any length, flags), else -1. */
export function markerFlags(buffer: Buffer, at: number, end: number): number {
  return at + MARKER_LENGTH <= end && buffer[at] === EXT8 ? buffer[at + 2]! : -1
}

/** An integer item as a number, exact up to 53 bits; NaN when the item is none. */
export function integerItem(buffer: Buffer, at: number): number {
  const byte = buffer[at]!
  if (byte < 0x80) return byte
  if (byte >= 0xe0) return byte - 0x100
  switch (byte) {
    case 0xcc:
      return buffer[at + 1]!
    case 0xcd:
      return (buffer[at + 1]! << 8) | buffer[at + 2]!
    case 0xce:
      return unsigned32(buffer, at + 1)
    case 0xcf:
      return unsigned32(buffer, at + 1) * 0x1_0000_0000 + unsigned32(buffer, at + 5)
    case 0xd0:
      return (buffer[at + 1]! << 24) >> 24
    case 0xd1:
      return (((buffer[at + 1]! << 8) | buffer[at + 2]!) << 16) >> 16
    case 0xd2:
      return unsigned32(buffer, at + 1) | 0
    case 0xd3:
      return (unsigned32(buffer, at + 1) | 0) * 0x1_0000_0000 + unsigned32(buffer, at + 5)
    default:
      return NaN
  }
}

/** The upper 32 bits of an integer item, signed unless the item is an unsigned one of 64 bits. */
export function integerHigh(buffer: Buffer, at: number): number {
  const byte = buffer[at]!
  if (byte === 0xcf) return unsigned32(buffer, at + 1)
  if (byte === 0xd3) return unsigned32(buffer, at + 1) | 0
  return integerItem(buffer, at) < 0 ? -1 : 0
}

/** The low 32 bits of an integer item, for those that a double cannot hold. */
export function integerLow(buffer: Buffer, at: number): number {
  const byte = buffer[at]!
  return byte === 0xcf || byte === 0xd3 ? unsigned32(buffer, at + 5) : integerItem(buffer, at) >>> 0
}

/** An integer item as its 64 bits, signed. */
export function integerBits(buffer: Buffer, at: number): bigint {
  const byte = buffer[at]!
  return byte === 0xcf || byte === 0xd3 ? buffer.readBigInt64BE(at + 1) : BigInt(integerItem(buffer, at))
}

/** A double or float32 item. */
export function doubleItem(buffer: Buffer, at: number): number {
  return buffer[at] === 0xca ? buffer.readFloatBE(at + 1) : buffer.readDoubleBE(at + 1)
}

function unsigned32(buffer: Buffer, at: number): number {
  return ((buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!) >>> 0
}
