import { ByteWriter } from './byte-writer.ts'
import { compareItems } from './item-order.ts'
import {
  headerLength,
  headerSize,
  integerItem,
  itemKind,
  ItemKind,
  markerFlags,
  MAX_DEPTH,
  skipItem,
} from './msgpack-item.ts'
import { ParticleType, type Slice } from './particle.ts'
import { ResultCode, ResultError } from './result-code.ts'

/**
 * The one form in which values are stored: shortest headers, maps sorted by key without duplicates, order markers
 * with known flags only, no infinity, no wildcard. Most values arrive in that form, so `isNormal` looks first and
 * nothing is copied; only the others are rewritten, by code that is the sole judge of what is an error.
 * Source: protocol notes, msgpack values, section 4.
 */

export const ORDERED = 0x01
const MAP_ORDER_FLAGS = 0x03
export const PERSIST_INDEX = 0x10

let source: Buffer = Buffer.alloc(0)
let limit = 0
let failure: ResultCode = ResultCode.PARAMETER
let scratch = new ByteWriter(4096)
const MAX_SCRATCH = 1024 * 1024

/**
 * The item at `start` in stored form: the very bytes when they are so already, else fresh ones. Throws
 * ResultError(code) when it is not a value that can be stored, or when bytes follow it.
 */
export function normaliseItem(item: Slice, code: ResultCode): Slice {
  source = item.buffer
  limit = item.end
  failure = code
  const end = normalEnd(item.start, 0)
  if (end === item.end) return item
  scratch.length = 0
  const behind = rewriteItem(item.start, 0)
  if (behind !== item.end) fail()
  const buffer = Buffer.from(scratch.buffer.subarray(0, scratch.length))
  if (scratch.buffer.length > MAX_SCRATCH) scratch = new ByteWriter(4096)
  return { buffer, start: 0, end: buffer.length }
}

function fail(): never {
  throw new ResultError(failure, 'not a value that can be stored')
}

/** Offset behind an item that is in stored form already, else -1. */
function normalEnd(at: number, depth: number): number {
  if (at >= limit) return -1
  const byte = source[at]!
  if (byte < 0x80 || byte >= 0xe0) return at + 1
  switch (itemKind(source, at)) {
    case ItemKind.INTEGER: {
      const end = skipItem(source, at, limit)
      return end >= 0 && isShortestInteger(at, byte) ? end : -1
    }
    case ItemKind.NIL:
    case ItemKind.BOOL:
    case ItemKind.DOUBLE:
      return skipItem(source, at, limit)
    case ItemKind.STRING:
    case ItemKind.BYTES:
    case ItemKind.GEOJSON:
      return isShortestString(at, byte) ? skipItem(source, at, limit) : -1
    case ItemKind.LIST:
      return normalListEnd(at, depth + 1)
    case ItemKind.MAP:
      return normalMapEnd(at, depth + 1)
    default:
      return -1
  }
}

function isShortestInteger(at: number, byte: number): boolean {
  const value = integerItem(source, at)
  switch (byte) {
    case 0xcc:
      return value >= 0x80
    case 0xcd:
      return value >= 0x100
    case 0xce:
      return value >= 0x1_0000
    case 0xcf:
      return value >= 0x1_0000_0000
    case 0xd0:
      return value < -0x20
    case 0xd1:
      return value < -0x80
    case 0xd2:
      return value < -0x8000
    default:
      return value < -0x8000_0000
  }
}

function isShortestString(at: number, byte: number): boolean {
  if (byte < 0xc0) return true
  if (byte === 0xd9) return at + 2 <= limit && source[at + 1]! >= 32
  if (byte === 0xda) return at + 3 <= limit && source[at + 1]! > 0
  return byte === 0xdb && at + 5 <= limit && headerSize(source, at) >= 0x1_0000
}

function isShortestHeader(at: number, byte: number, count: number): boolean {
  const length = headerLength(byte)
  return at + length <= limit && (length === 1 || (length === 3 ? count >= 16 : count >= 0x1_0000))
}

function normalListEnd(start: number, depth: number): number {
  if (depth > MAX_DEPTH) return -1
  const byte = source[start]!
  const length = headerLength(byte)
  if (start + length > limit) return -1
  let count = headerSize(source, start)
  if (!isShortestHeader(start, byte, count)) return -1
  let at = start + length
  let ordered = false
  if (count > 0 && markerFlags(source, at, limit) >= 0) {
    if (source[at + 1] !== 0 || source[at + 2] !== ORDERED) return -1
    ordered = true
    at += 3
    count--
  }
  let previous = -1
  for (let i = 0; i < count; i++) {
    const end = normalEnd(at, depth)
    if (end < 0 || end > limit) return -1
    if (ordered && previous >= 0 && compareItems(source, previous, source, at) > 0) return -1
    previous = at
    at = end
  }
  return at
}

function normalMapEnd(start: number, depth: number): number {
  if (depth > MAX_DEPTH) return -1
  const byte = source[start]!
  const length = headerLength(byte)
  if (start + length > limit) return -1
  let count = headerSize(source, start)
  if (!isShortestHeader(start, byte, count)) return -1
  let at = start + length
  if (count > 0 && markerFlags(source, at, limit) >= 0) {
    const flags = source[at + 2]!
    if (source[at + 1] !== 0 || flags === 0 || flags > MAP_ORDER_FLAGS || source[at + 3] !== 0xc0) return -1
    at += 4
    count--
  }
  let previous = -1
  for (let i = 0; i < count; i++) {
    const value = normalEnd(at, depth)
    if (value < 0 || value > limit || !isKey(source, at)) return -1
    if (previous >= 0 && compareItems(source, previous, source, at) >= 0) return -1
    previous = at
    at = normalEnd(value, depth)
    if (at < 0 || at > limit) return -1
  }
  return at
}

/** Integers, strings and bytes can be keys of a map; bytes of no known type cannot. */
export function isKey(buffer: Buffer, at: number): boolean {
  const kind = itemKind(buffer, at)
  if (kind !== ItemKind.BYTES) return kind === ItemKind.INTEGER || kind === ItemKind.STRING
  if (headerSize(buffer, at) === 0) return false
  const particle = buffer[at + headerLength(buffer[at]!)]!
  return particle === ParticleType.BLOB || isLanguageBlob(particle)
}

const isLanguageBlob = (particle: number): boolean =>
  particle >= ParticleType.JAVA_BLOB && particle <= ParticleType.ERLANG_BLOB

function rewriteItem(at: number, depth: number): number {
  if (at >= limit) fail()
  const byte = source[at]!
  const kind = itemKind(source, at)
  if (kind === ItemKind.LIST) return rewriteList(at, depth + 1)
  if (kind === ItemKind.MAP) return rewriteMap(at, depth + 1)
  const end = skipItem(source, at, limit)
  if (end < 0) fail()
  switch (kind) {
    case ItemKind.INTEGER:
      rewriteInteger(at, end)
      break
    case ItemKind.STRING:
    case ItemKind.BYTES:
    case ItemKind.GEOJSON:
      rewriteString(at, byte, end)
      break
    case ItemKind.EXTENSION:
      if (extensionType(at) === 0xff) fail()
      scratch.bytes(source, at, end)
      break
    case ItemKind.NIL:
    case ItemKind.BOOL:
    case ItemKind.DOUBLE:
      scratch.bytes(source, at, end)
      break
    default:
      fail()
  }
  return end
}

/** The type byte of an extension item: behind the length, or at once where the first byte tells the length. */
function extensionType(at: number): number {
  const byte = source[at]!
  return source[at + (byte >= 0xd4 ? 1 : headerLength(byte) - 1)]!
}

/** Flags of an order marker as a client may send it: an extension of 2 to 16 bytes is one, too, its type the flags. */
function claimedFlags(at: number): number {
  const byte = at < limit ? source[at]! : 0
  if (byte > 0xd4 && byte <= 0xd8 && at + 1 < limit) return source[at + 1]!
  return markerFlags(source, at, limit)
}

function rewriteInteger(at: number, end: number): void {
  const value = integerItem(source, at)
  if (value >= -0x8000_0000 && value <= 0xffff_ffff) {
    scratch.integer(value)
    return
  }
  scratch.byte(value >= 0 ? 0xcf : 0xd3)
  scratch.bytes(source, at + 1, end)
}

function rewriteString(at: number, byte: number, end: number): void {
  const length = headerSize(source, at)
  const target = scratch.take(length < 32 ? 1 : length < 0x100 ? 2 : length < 0x1_0000 ? 3 : 5)
  if (length < 32) {
    scratch.buffer[target] = 0xa0 | length
  } else if (length < 0x100) {
    scratch.buffer[target] = 0xd9
    scratch.buffer[target + 1] = length
  } else if (length < 0x1_0000) {
    scratch.buffer[target] = 0xda
    scratch.buffer.writeUInt16BE(length, target + 1)
  } else {
    scratch.buffer[target] = 0xdb
    scratch.buffer.writeUInt32BE(length, target + 1)
  }
  scratch.bytes(source, at + headerLength(byte), end)
}

/** The announced size of a container that is not too deep. */
function openContainer(at: number, depth: number): number {
  if (depth > MAX_DEPTH || at + headerLength(source[at]!) > limit) fail()
  return headerSize(source, at)
}

function rewriteList(start: number, depth: number): number {
  let count = openContainer(start, depth)
  let at = start + headerLength(source[start]!)
  let ordered = false
  if (count > 0) {
    const flags = claimedFlags(at)
    if (flags >= 0) {
      if ((flags & (PERSIST_INDEX | ORDERED)) === PERSIST_INDEX) throw new ResultError(ResultCode.PARAMETER)
      at = skipItem(source, at, limit)
      if (at < 0) fail()
      ordered = (flags & ORDERED) !== 0
      if (!ordered) count--
    }
  }
  scratch.listHeader(count)
  if (ordered) {
    writeMarker(ORDERED)
    count--
  }
  let previous = -1
  for (let i = 0; i < count; i++) {
    const written = scratch.length
    at = rewriteItem(at, depth)
    if (ordered && previous >= 0 && compareItems(scratch.buffer, previous, scratch.buffer, written) > 0)
      fail()
    previous = written
  }
  return at
}

function rewriteMap(start: number, depth: number): number {
  let count = openContainer(start, depth)
  let at = start + headerLength(source[start]!)
  let flags = 0
  if (count > 0) {
    const marker = claimedFlags(at)
    if (marker >= 0) {
      flags = marker & MAP_ORDER_FLAGS
      at = skipItem(source, at, limit)
      if (at >= 0) at = skipItem(source, at, limit)
      if (at < 0) fail()
      if (flags === 0) count--
    }
  }
  scratch.mapHeader(count)
  if (flags !== 0) {
    writeMarker(flags)
    scratch.byte(0xc0)
    count--
  }
  return rewritePairs(at, count, depth, flags !== 0)
}

/** Writes the pairs in the order given and, where that is not key order, sorts them at their new place. */
function rewritePairs(at: number, count: number, depth: number, claimsOrder: boolean): number {
  const first = scratch.length
  const starts: number[] = []
  let sorted = true
  for (let i = 0; i < count; i++) {
    const key = scratch.length
    if (at >= limit || !isKey(source, at)) fail()
    at = rewriteItem(rewriteItem(at, depth), depth)
    if (sorted && i > 0) {
      const order = compareItems(scratch.buffer, starts[i - 1]!, scratch.buffer, key)
      if (order === 0 || (order > 0 && claimsOrder)) fail()
      sorted = order < 0
    }
    starts.push(key)
  }
  if (!sorted) sortPairs(first, starts)
  return at
}

function sortPairs(first: number, starts: number[]): void {
  const end = scratch.length
  const pairs = Buffer.from(scratch.buffer.subarray(first, end))
  const order = starts.map((_, i) => i)
  order.sort((a, b) => compareItems(pairs, starts[a]! - first, pairs, starts[b]! - first))
  scratch.length = first
  for (const [i, pair] of order.entries()) {
    const start = starts[pair]! - first
    if (i > 0 && compareItems(pairs, starts[order[i - 1]!]! - first, pairs, start) === 0) fail()
    scratch.bytes(pairs, start, (starts[pair + 1] ?? end) - first)
  }
}

function writeMarker(flags: number): void {
  const at = scratch.take(3)
  scratch.buffer[at] = 0xc7
  scratch.buffer[at + 1] = 0
  scratch.buffer[at + 2] = flags
}
