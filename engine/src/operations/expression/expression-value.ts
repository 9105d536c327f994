/** Values while an expression is worked out. */
import { ByteWriter } from '../../values/byte-writer.ts'
import { integerItemOf } from '../../values/byte-writer.ts'
import { compareItems } from '../../values/item-order.ts'
import { collectionAt } from '../../values/collection.ts'
import { type Particle, ParticleType } from '../../values/particle.ts'

/** Types as expressions name them; ANY is that of UNKNOWN, which fits every type. */
export const Type = {
  ANY: -1,
  NIL: 0,
  BOOL: 1,
  INT: 2,
  STRING: 3,
  LIST: 4,
  MAP: 5,
  BLOB: 6,
  FLOAT: 7,
  GEO: 8,
  HLL: 9,
} as const

/** undefined is unknown; integers are bigint, floats number; the rest lies in its particle. */
export type ExpressionValue = undefined | null | boolean | bigint | number | Particle

const particleTypes = new Map<number, number>([
  [Type.NIL, ParticleType.NULL],
  [Type.BOOL, ParticleType.BOOL],
  [Type.INT, ParticleType.INTEGER],
  [Type.STRING, ParticleType.STRING],
  [Type.LIST, ParticleType.LIST],
  [Type.MAP, ParticleType.MAP],
  [Type.BLOB, ParticleType.BLOB],
  [Type.FLOAT, ParticleType.DOUBLE],
  [Type.GEO, ParticleType.GEOJSON],
  [Type.HLL, ParticleType.HLL],
])

export const isType = (type: number): boolean => particleTypes.has(type)

/** The value of a particle, unknown when it is not of the wanted type. */
export function valueOfParticle(particle: Particle | undefined, type: number): ExpressionValue {
  if (!particle) return type === Type.NIL ? null : undefined
  const { buffer, start } = particle
  if (particle.type !== particleTypes.get(type)) return undefined
  switch (type) {
    case Type.NIL:
      return null
    case Type.BOOL:
      return buffer[start] !== 0
    case Type.INT:
      return buffer.readBigInt64BE(start)
    case Type.FLOAT:
      return buffer.readDoubleBE(start)
    default:
      return particle
  }
}

/** The particle of a value, as a bin stores it; undefined for nil. */
export function particleOf(value: Exclude<ExpressionValue, undefined>): Particle | undefined {
  if (value === null) return undefined
  if (typeof value === 'object') return value
  if (typeof value === 'boolean') return whole(ParticleType.BOOL, Buffer.of(value ? 1 : 0))
  const bytes = Buffer.allocUnsafe(8)
  if (typeof value === 'bigint') {
    bytes.writeBigInt64BE(value)
    return whole(ParticleType.INTEGER, bytes)
  }
  bytes.writeDoubleBE(value)
  return whole(ParticleType.DOUBLE, bytes)
}

const whole = (type: number, buffer: Buffer): Particle => ({ type, buffer, start: 0, end: buffer.length })

/** Writes a value as an item, the form in which it is an argument or an element. */
export function writeItem(to: ByteWriter, value: Exclude<ExpressionValue, undefined>): void {
  if (value === null) to.byte(0xc0)
  else if (typeof value === 'boolean') to.byte(value ? 0xc3 : 0xc2)
  else if (typeof value === 'bigint') {
    const item = integerItemOf(value)
    to.bytes(item, 0, item.length)
  } else if (typeof value === 'number') {
    const at = to.take(9)
    to.buffer[at] = 0xcb
    to.buffer.writeDoubleBE(value, at + 1)
  } else if (value.type === ParticleType.LIST || value.type === ParticleType.MAP)
    to.bytes(value.buffer, value.start, value.end)
  else writeBytesItem(to, value)
}

function writeBytesItem(to: ByteWriter, { type, buffer, start, end }: Particle): void {
  const from = type === ParticleType.GEOJSON ? start + 3 + 8 * buffer.readUInt16BE(start + 1) : start
  const length = end - from + 1
  if (length < 32) to.byte(0xa0 | length)
  else {
    to.byte(0xdb)
    const at = to.take(4)
    to.buffer.writeUInt32BE(length, at)
  }
  to.byte(type)
  to.bytes(buffer, from, end)
}

export function itemOf(value: Exclude<ExpressionValue, undefined>): Buffer {
  const to = new ByteWriter(64)
  writeItem(to, value)
  return to.buffer.subarray(0, to.length)
}

const KEY_ORDERED = 1

/** A map without order has no place in the order of values, unless it is empty. */
function isComparable(value: Particle): boolean {
  if (value.type !== ParticleType.MAP) return true
  const map = collectionAt(value.buffer, value.start, value.end)
  return map !== undefined && (map.count === 0 || (map.flags & KEY_ORDERED) !== 0)
}

/** Negative, zero or positive; NaN where the values do not compare; undefined is unknown. */
export function compareValues(a: ExpressionValue, b: ExpressionValue): number | undefined {
  if (a === undefined || b === undefined) return undefined
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : a === b ? 0 : NaN
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a === null || b === null) return a === b ? 0 : undefined
  if (typeof a !== 'object' || typeof b !== 'object') return undefined
  if (!isComparable(a) || !isComparable(b)) return undefined
  return compareItems(itemOf(a), 0, itemOf(b), 0)
}
