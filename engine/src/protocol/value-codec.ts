/**
 * JavaScript values ⇄ MessagePack items and bin payloads. Safe integers and bigints are integers, other numbers
 * doubles; integers beyond 2^53 are read as bigint. Plain objects and Maps are written key-ordered, with sorted
 * keys, because a map literal that is not sorted is never found by value. Source: protocol notes, MessagePack values.
 */
import { uint32At } from '../values/byte-copy.ts'
import { type ByteWriter, integerItemOf } from '../values/byte-writer.ts'
import { ParticleType } from '../values/particle.ts'
import { invalid, shown } from './client-error.ts'

/** Forces a number that happens to be whole to be stored as a double. */
export class Double {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

export const double = (value: number) => new Double(value)

/** GeoJSON text as a value. */
export class GeoJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export const geoJson = (text: string) => new GeoJson(text)

/** The bytes of a HyperLogLog, for the steps of `hll` and to be stored as they are. */
export class Hll {
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
}

/** Stands for no value of its own: only in arguments of steps and calls. */
export class Marker {
  readonly item: Buffer

  constructor(item: Buffer) {
    this.item = item
  }
}

/** Above every value: where an end is wanted. */
export const infinity = new Marker(Buffer.of(0xd4, 0xff, 0x01))
/** Equal to every value; at the end of a list to all its further elements. */
export const wildcard = new Marker(Buffer.of(0xd4, 0xff, 0x00))

export type Value =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | Double
  | GeoJson
  | Hll
  | Marker
  | readonly Value[]
  | ReadonlyMap<Value, Value>
  | { readonly [key: string]: Value }

const MAX_DEPTH = 256
const INT64_MIN = -(2n ** 63n)
const UINT64_MAX = 2n ** 64n - 1n
const ORDERED_MAP = Buffer.from([0xc7, 0, 1, 0xc0])

export function writeValue(to: ByteWriter, value: Value, depth = 0): void {
  if (depth > MAX_DEPTH) invalid(`a value is nested at most ${MAX_DEPTH} levels deep`)
  if (value === null || value === undefined) to.byte(0xc0)
  else if (typeof value === 'boolean') to.byte(value ? 0xc3 : 0xc2)
  else if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) writeWhole(to, value)
    else writeDouble(to, value)
  } else if (typeof value === 'bigint') writeBigInt(to, value)
  else if (typeof value === 'string') writeTyped(to, ParticleType.STRING, Buffer.from(value))
  else if (Buffer.isBuffer(value)) writeTyped(to, ParticleType.BLOB, value)
  else if (value instanceof Double) writeDouble(to, value.value)
  else if (value instanceof GeoJson) writeTyped(to, ParticleType.GEOJSON, Buffer.from(value.text))
  else if (value instanceof Hll) writeTyped(to, ParticleType.HLL, value.bytes)
  else if (value instanceof Marker) to.bytes(value.item, 0, value.item.length)
  else if (isList(value)) {
    to.listHeader(value.length)
    for (const item of value) writeValue(to, item, depth + 1)
  } else writeMap(to, value, depth)
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

function writeDouble(to: ByteWriter, value: number): void {
  const at = to.take(9)
  to.buffer[at] = 0xcb
  to.buffer.writeDoubleBE(value, at + 1)
}

function writeWhole(to: ByteWriter, value: number): void {
  if (value >= -0x8000_0000 && value <= 0xffff_ffff) return to.integer(value)
  const item = integerItemOf(BigInt(value))
  to.bytes(item, 0, item.length)
}

function writeBigInt(to: ByteWriter, value: bigint): void {
  if (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER))
    return writeWhole(to, Number(value))
  if (value < INT64_MIN || value > UINT64_MAX)
    invalid(`whole numbers in lists and maps are -2^63 to 2^64 - 1; ${value} is not`)
  const at = to.take(9)
  to.buffer[at] = value < 0n ? 0xd3 : 0xcf
  to.buffer.writeBigUInt64BE(BigInt.asUintN(64, value), at + 1)
}

function writeTyped(to: ByteWriter, type: number, bytes: Buffer): void {
  writeStringHeader(to, bytes.length + 1)
  to.byte(type)
  to.bytes(bytes, 0, bytes.length)
}

function writeStringHeader(to: ByteWriter, length: number): void {
  if (length < 32) to.byte(0xa0 | length)
  else if (length < 0x100) {
    const at = to.take(2)
    to.buffer[at] = 0xd9
    to.buffer[at + 1] = length
  } else if (length < 0x1_0000) {
    const at = to.take(3)
    to.buffer[at] = 0xda
    to.buffer.writeUInt16BE(length, at + 1)
  } else {
    const at = to.take(5)
    to.buffer[at] = 0xdb
    to.buffer.writeUInt32BE(length, at + 1)
  }
}

/** Names of bins and variables and patterns stand in expressions without a type byte. */
export function writeRawString(to: ByteWriter, text: string): void {
  const bytes = Buffer.from(text)
  writeStringHeader(to, bytes.length)
  to.bytes(bytes, 0, bytes.length)
}

function writeMap(
  to: ByteWriter,
  value: ReadonlyMap<Value, Value> | { readonly [key: string]: Value },
  depth: number,
): void {
  if (!(value instanceof Map)) checkPlain(value)
  const pairs: (readonly [Value, Value])[] = value instanceof Map ? [...value] : Object.entries(value)
  to.mapHeader(pairs.length + 1)
  to.bytes(ORDERED_MAP, 0, ORDERED_MAP.length)
  for (const [key, item] of pairs.sort((a, b) => compareKeys(a[0], b[0]))) {
    writeValue(to, key, depth + 1)
    writeValue(to, item, depth + 1)
  }
}

/** An instance of another class would be stored without what makes it one, such as a Date without its time. */
function checkPlain(value: object): void {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (typeof value !== 'object' || (prototype !== null && Object.getPrototypeOf(prototype) !== null))
    invalid(
      `a value is null, a boolean, a number, text, a Buffer, a list, a Map or a plain object, not ${shown(value)}`,
    )
}

const keyClass = (key: Value) => (typeof key === 'string' ? 1 : Buffer.isBuffer(key) ? 2 : 0)

/** Integers before strings before blobs, as the server orders keys; it refuses keys of other types. */
function compareKeys(a: Value, b: Value): number {
  const difference = keyClass(a) - keyClass(b)
  if (difference !== 0) return difference
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (Buffer.isBuffer(a) && Buffer.isBuffer(b)) return Buffer.compare(a, b)
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}

/** A type that has no JavaScript form of its own is read as its bytes. */
export function decodeBin(type: number, buffer: Buffer, start: number, end: number): unknown {
  switch (type) {
    case ParticleType.NULL:
      return null
    case ParticleType.INTEGER:
      return readInt64(buffer, start)
    case ParticleType.DOUBLE:
      return buffer.readDoubleBE(start)
    case ParticleType.STRING:
      return text(buffer, start, end)
    case ParticleType.BOOL:
      return buffer[start] !== 0
    case ParticleType.GEOJSON:
      return new GeoJson(buffer.toString('utf8', start + 3 + 8 * buffer.readUInt16BE(start + 1), end))
    case ParticleType.HLL:
      return new Hll(Buffer.from(buffer.subarray(start, end)))
    case ParticleType.LIST:
    case ParticleType.MAP:
      return new ValueReader(buffer, start, end).read()
    default:
      return Buffer.from(buffer.subarray(start, end))
  }
}

function text(buffer: Buffer, start: number, end: number): string {
  return end - start < 24 && isAscii(buffer, start, end)
    ? buffer.toString('latin1', start, end)
    : buffer.toString('utf8', start, end)
}

function isAscii(buffer: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (buffer[at]! >= 0x80) return false
  return true
}

const TWO_TO_32 = 0x1_0000_0000
const SAFE_HIGH = 0x20_0000

function readInt64(buffer: Buffer, at: number): number | bigint {
  const high = uint32At(buffer, at) | 0
  if (high >= -SAFE_HIGH && high < SAFE_HIGH) {
    const value = high * TWO_TO_32 + uint32At(buffer, at + 4)
    if (Number.isSafeInteger(value)) return value
  }
  return buffer.readBigInt64BE(at)
}

/** Reads one item; throws RangeError where the bytes are no valid item. */
class ValueReader {
  readonly #buffer: Buffer
  readonly #end: number
  #at: number

  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer
    this.#at = start
    this.#end = end
  }

  read(depth = 0): unknown {
    if (depth > 4 * MAX_DEPTH) throw new RangeError('a value that is nested too deep')
    const tag = this.#buffer[this.#take(1)]!
    if (tag < 0x80) return tag
    if (tag >= 0xe0) return tag - 0x100
    if (tag < 0x90) return this.#map(tag & 15, depth)
    if (tag < 0xa0) return this.#list(tag & 15, depth)
    if (tag < 0xc0) return this.#string(tag & 31)
    return this.#tagged(tag, depth)
  }

  #tagged(tag: number, depth: number): unknown {
    const { buffer } = { buffer: this.#buffer }
    switch (tag) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xca:
        return buffer.readFloatBE(this.#take(4))
      case 0xcb:
        return buffer.readDoubleBE(this.#take(8))
      case 0xcc:
        return buffer[this.#take(1)]
      case 0xcd:
        return buffer.readUInt16BE(this.#take(2))
      case 0xce:
        return buffer.readUInt32BE(this.#take(4))
      case 0xcf:
        return this.#unsigned64()
      case 0xd0:
        return buffer.readInt8(this.#take(1))
      case 0xd1:
        return buffer.readInt16BE(this.#take(2))
      case 0xd2:
        return buffer.readInt32BE(this.#take(4))
      case 0xd3:
        return readInt64(buffer, this.#take(8))
      case 0xc4:
      case 0xd9:
        return this.#string(buffer[this.#take(1)]!)
      case 0xc5:
      case 0xda:
        return this.#string(buffer.readUInt16BE(this.#take(2)))
      case 0xc6:
      case 0xdb:
        return this.#string(buffer.readUInt32BE(this.#take(4)))
      case 0xdc:
        return this.#list(buffer.readUInt16BE(this.#take(2)), depth)
      case 0xdd:
        return this.#list(buffer.readUInt32BE(this.#take(4)), depth)
      case 0xde:
        return this.#map(buffer.readUInt16BE(this.#take(2)), depth)
      case 0xdf:
        return this.#map(buffer.readUInt32BE(this.#take(4)), depth)
      default:
        return this.#extension(tag)
    }
  }

  #take(count: number): number {
    const at = this.#at
    if (at + count > this.#end) throw new RangeError('a value that ends too early')
    this.#at = at + count
    return at
  }

  #unsigned64(): number | bigint {
    const value = this.#buffer.readBigUInt64BE(this.#take(8))
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
  }

  #string(length: number): unknown {
    if (length === 0) return ''
    const start = this.#take(length)
    const end = start + length
    switch (this.#buffer[start]) {
      case ParticleType.STRING:
        return text(this.#buffer, start + 1, end)
      case ParticleType.GEOJSON:
        return new GeoJson(this.#buffer.toString('utf8', start + 1, end))
      case ParticleType.HLL:
        return new Hll(Buffer.from(this.#buffer.subarray(start + 1, end)))
      default:
        return Buffer.from(this.#buffer.subarray(start + 1, end))
    }
  }

  /** An extension without data marks the order of a collection; others have no JavaScript form and read as null. */
  #extension(tag: number): null {
    if (tag >= 0xd4 && tag <= 0xd8) this.#take(1 + (1 << (tag - 0xd4)))
    else if (tag === 0xc7) this.#take(this.#buffer[this.#take(1)]! + 1)
    else if (tag === 0xc8) this.#take(this.#buffer.readUInt16BE(this.#take(2)) + 1)
    else if (tag === 0xc9) this.#take(this.#buffer.readUInt32BE(this.#take(4)) + 1)
    else throw new RangeError(`no value starts with ${tag}`)
    return null
  }

  #isMarker(): boolean {
    return this.#buffer[this.#at] === 0xc7 && this.#at + 2 < this.#end && this.#buffer[this.#at + 1] === 0
  }

  #list(count: number, depth: number): unknown[] {
    let rest = count
    if (rest > 0 && this.#isMarker()) {
      this.#take(3)
      rest--
    }
    const list: unknown[] = []
    for (; rest > 0; rest--) list.push(this.read(depth + 1))
    return list
  }

  #map(count: number, depth: number): unknown {
    let rest = count
    if (rest > 0 && this.#isMarker()) {
      this.#take(3)
      this.read(depth + 1)
      rest--
    }
    const pairs: [unknown, unknown][] = []
    for (; rest > 0; rest--) pairs.push([this.read(depth + 1), this.read(depth + 1)])
    return pairs.every(([key]) => typeof key === 'string')
      ? Object.fromEntries(pairs as [string, unknown][])
      : new Map(pairs)
  }
}
