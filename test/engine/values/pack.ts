import type { Particle, Slice } from '../../../engine/src/values/particle.ts'
import { ParticleType } from '../../../engine/src/values/particle.ts'

/** MessagePack as a client writes it, for tests: values in, bytes out. Sorts and checks nothing. */

export type Value =
  null | boolean | number | bigint | string | Buffer | Packed | readonly Value[] | Map<Value, Value>

/** Bytes that stand for themselves: doubles, markers, and whatever a test makes up. */
export class Packed {
  readonly bytes: Buffer
  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
}

export const raw = (hex: string) => new Packed(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
export const INFINITY = raw('d4 ff 01')
export const WILDCARD = raw('d4 ff 00')

export function double(value: number): Packed {
  const bytes = Buffer.alloc(9, 0xcb)
  bytes.writeDoubleBE(value, 1)
  return new Packed(bytes)
}

export function ordered(items: readonly Value[], flags = 1): Value {
  return [new Packed(Buffer.from([0xc7, 0, flags])), ...items]
}

export function orderedMap(pairs: readonly (readonly [Value, Value])[], flags = 1): Map<Value, Value> {
  return new Map<Value, Value>([[new Packed(Buffer.from([0xc7, 0, flags])), null], ...pairs])
}

export function pack(value: Value): Buffer {
  if (value === null) return Buffer.from([0xc0])
  if (typeof value === 'boolean') return Buffer.from([value ? 0xc3 : 0xc2])
  if (typeof value === 'number' || typeof value === 'bigint') return packInteger(BigInt(value))
  if (typeof value === 'string') return packBytes(3, Buffer.from(value))
  if (Buffer.isBuffer(value)) return packBytes(4, value)
  if (value instanceof Packed) return value.bytes
  if (value instanceof Map) {
    const items = [...value].flatMap(([key, item]) => [pack(key), pack(item)])
    return Buffer.concat([header(value.size, 0x80, 0xde), ...items])
  }
  return Buffer.concat([header(value.length, 0x90, 0xdc), ...value.map(pack)])
}

function packInteger(value: bigint): Buffer {
  if (value >= -32n && value < 128n) return Buffer.from([Number(value) & 0xff])
  const forms = value >= 0n ? [0xcc, 0xcd, 0xce, 0xcf] : [0xd0, 0xd1, 0xd2, 0xd3]
  const size = [1, 2, 4, 8].findIndex((bytes) => {
    const bits = BigInt(bytes * 8)
    return value >= 0n ? value < 1n << bits : value >= -(1n << (bits - 1n))
  })
  const bytes = Buffer.alloc(9)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value), 1)
  return Buffer.concat([Buffer.from([forms[size]!]), bytes.subarray(9 - (1 << size))])
}

function packBytes(type: number, payload: Buffer): Buffer {
  const length = payload.length + 1
  const head =
    length < 32
      ? [0xa0 | length]
      : length < 256
        ? [0xd9, length]
        : length < 65536
          ? [0xda, length >> 8, length & 255]
          : [0xdb, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255]
  return Buffer.concat([Buffer.from([...head, type]), payload])
}

function header(count: number, short: number, wide: number): Buffer {
  if (count < 16) return Buffer.from([short | count])
  if (count < 65536) return Buffer.from([wide, count >> 8, count & 255])
  return Buffer.from([wide + 1, count >>> 24, (count >> 16) & 255, (count >> 8) & 255, count & 255])
}

export function slice(bytes: Buffer): Slice {
  return { buffer: bytes, start: 0, end: bytes.length }
}

export function particle(type: number, bytes: Buffer): Particle {
  return { type, buffer: bytes, start: 0, end: bytes.length }
}

export const listBin = (...items: Value[]) => particle(ParticleType.LIST, pack(items))
export const orderedListBin = (...items: Value[]) => particle(ParticleType.LIST, pack(ordered(items)))
export const mapBin = (...pairs: [Value, Value][]) => particle(ParticleType.MAP, pack(new Map(pairs)))
export const orderedMapBin = (...pairs: [Value, Value][]) =>
  particle(ParticleType.MAP, pack(orderedMap(pairs)))

/** The bytes of a particle as `type:hex`, or nil. */
export function show(value: Particle | undefined): string {
  if (value === undefined) return 'nil'
  return `${value.type}:${value.buffer.subarray(value.start, value.end).toString('hex')}`
}

/** What a value looks like as the particle of an answer. */
export function answerOf(value: Value): string {
  if (value === null) return 'nil'
  const bytes = pack(value)
  if (typeof value === 'number' || typeof value === 'bigint') {
    const integer = Buffer.alloc(8)
    integer.writeBigInt64BE(BigInt(value))
    return `1:${integer.toString('hex')}`
  }
  if (typeof value === 'boolean') return `17:0${value ? 1 : 0}`
  if (typeof value === 'string') return `3:${Buffer.from(value).toString('hex')}`
  if (value instanceof Map) return `19:${bytes.toString('hex')}`
  if (value instanceof Packed) return `2:${bytes.subarray(1).toString('hex')}`
  return `20:${bytes.toString('hex')}`
}
