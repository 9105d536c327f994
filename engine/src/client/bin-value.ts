import { ParticleType } from '../values/particle.ts'

/** What a bin, a list or a map can hold. */
export type Value =
  null | boolean | number | bigint | string | Buffer | Value[] | Map<Value, Value> | { [key: string]: Value }

/** A value as one op carries it. */
export interface EncodedValue {
  readonly type: number
  readonly bytes: Buffer
}

/** Safe integers are stored as integers, other numbers as doubles. */
export function encodeValue(value: Value): EncodedValue {
  if (value === null) return { type: ParticleType.NULL, bytes: Buffer.alloc(0) }
  if (typeof value === 'boolean') return { type: ParticleType.BOOL, bytes: Buffer.of(value ? 1 : 0) }
  if (typeof value === 'string') return { type: ParticleType.STRING, bytes: Buffer.from(value) }
  if (Buffer.isBuffer(value)) return { type: ParticleType.BLOB, bytes: value }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleBE(value)
    return { type: ParticleType.DOUBLE, bytes }
  }
  if (typeof value === 'number' || typeof value === 'bigint') {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(BigInt(value))
    return { type: ParticleType.INTEGER, bytes }
  }
  const parts: Buffer[] = []
  pack(value, parts)
  return { type: Array.isArray(value) ? ParticleType.LIST : ParticleType.MAP, bytes: Buffer.concat(parts) }
}

/** Integers beyond 2^53 come as bigint; maps whose keys are all strings as objects, others as Map. */
export function decodeValue(type: number, bytes: Buffer): Value {
  switch (type) {
    case ParticleType.NULL:
      return null
    case ParticleType.INTEGER:
      return smallest(bytes.readBigInt64BE())
    case ParticleType.DOUBLE:
      return bytes.readDoubleBE()
    case ParticleType.STRING:
      return bytes.toString()
    case ParticleType.BOOL:
      return bytes[0] === 1
    case ParticleType.LIST:
    case ParticleType.MAP:
      return new Unpacker(bytes).next()
    case ParticleType.GEOJSON:
      return bytes.toString('utf8', 3 + 8 * bytes.readUInt16BE(1))
    default:
      return Buffer.from(bytes)
  }
}

function smallest(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

const head = (byte: number, size: number): Buffer => {
  const bytes = Buffer.alloc(5)
  bytes[0] = byte
  bytes.writeUInt32BE(size, 1)
  return bytes
}

/** MessagePack as the protocol has it: strings and blobs are text items whose first byte is their particle type. */
function pack(value: Value, parts: Buffer[]): void {
  if (value === null) parts.push(Buffer.of(0xc0))
  else if (typeof value === 'boolean') parts.push(Buffer.of(value ? 0xc3 : 0xc2))
  else if (typeof value === 'string') packText(ParticleType.STRING, Buffer.from(value), parts)
  else if (Buffer.isBuffer(value)) packText(ParticleType.BLOB, value, parts)
  else if (typeof value === 'number' || typeof value === 'bigint') packNumber(value, parts)
  else if (Array.isArray(value)) {
    parts.push(head(0xdd, value.length))
    for (const item of value) pack(item, parts)
  } else {
    const entries = value instanceof Map ? [...value] : Object.entries(value)
    parts.push(head(0xdf, entries.length))
    for (const [key, item] of entries) {
      pack(key, parts)
      pack(item, parts)
    }
  }
}

function packText(type: number, bytes: Buffer, parts: Buffer[]): void {
  parts.push(head(0xdb, bytes.length + 1), Buffer.of(type), bytes)
}

function packNumber(value: number | bigint, parts: Buffer[]): void {
  const bytes = Buffer.alloc(9)
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    bytes[0] = 0xcb
    bytes.writeDoubleBE(value, 1)
  } else if (value < 0) {
    bytes[0] = 0xd3
    bytes.writeBigInt64BE(BigInt(value), 1)
  } else {
    bytes[0] = 0xcf
    bytes.writeBigUInt64BE(BigInt(value), 1)
  }
  parts.push(bytes)
}

class Unpacker {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  next(): Value {
    const bytes = this.#bytes
    const byte = bytes[this.#at++]!
    if (byte < 0x80) return byte
    if (byte >= 0xe0) return byte - 256
    if (byte < 0x90) return this.#map(byte & 15)
    if (byte < 0xa0) return this.#list(byte & 15)
    if (byte < 0xc0) return this.#text(byte & 31)
    switch (byte) {
      case 0xc0:
        return null
      case 0xc2:
      case 0xc3:
        return byte === 0xc3
      case 0xca:
        return bytes.readFloatBE(this.#skip(4))
      case 0xcb:
        return bytes.readDoubleBE(this.#skip(8))
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#size(1 << (byte - 0xcc))
      case 0xcf:
        return smallest(bytes.readBigUInt64BE(this.#skip(8)))
      case 0xd0:
      case 0xd1:
      case 0xd2: {
        const size = 1 << (byte - 0xd0)
        return bytes.readIntBE(this.#skip(size), size)
      }
      case 0xd3:
        return smallest(bytes.readBigInt64BE(this.#skip(8)))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#size(1 << (byte - 0xd9)))
      case 0xdc:
      case 0xdd:
        return this.#list(this.#size(2 << (byte - 0xdc)))
      case 0xde:
      case 0xdf:
        return this.#map(this.#size(2 << (byte - 0xde)))
      default:
        throw new RangeError(`no value begins with byte ${byte}`)
    }
  }

  #skip(count: number): number {
    const at = this.#at
    this.#at += count
    return at
  }

  #size(bytes: number): number {
    return this.#bytes.readUIntBE(this.#skip(bytes), bytes)
  }

  #text(size: number): Value {
    const start = this.#skip(size)
    const text = this.#bytes.subarray(start + 1, start + size)
    return this.#bytes[start] === ParticleType.BLOB ? Buffer.from(text) : text.toString()
  }

  #list(count: number): Value[] {
    const items: Value[] = []
    for (let i = this.#marker() ? 1 : 0; i < count; i++) items.push(this.next())
    return items
  }

  #map(count: number): Value {
    const map = new Map<Value, Value>()
    let first = 0
    if (this.#marker()) {
      this.next()
      first = 1
    }
    for (let i = first; i < count; i++) map.set(this.next(), this.next())
    const isObject = [...map.keys()].every((key) => typeof key === 'string')
    return isObject ? Object.fromEntries(map as Map<string, Value>) : map
  }

  /** The order of an ordered collection stands before its first element: an empty extension. */
  #marker(): boolean {
    if (this.#bytes[this.#at] !== 0xc7 || this.#bytes[this.#at + 1] !== 0) return false
    this.#at += 3
    return true
  }
}
