/** Values while an expression is worked out. */
import { ExpressionType } from '../../protocol/expression-type.ts'
import { ByteWriter, integerItemOf } from '../../values/byte-writer.ts'
import { compareItems } from '../../values/item-order.ts'
import { collectionAt } from '../../values/collection.ts'
import { doubleItem, ItemKind, itemKind, skipItem } from '../../values/msgpack-item.ts'
import { type Particle, ParticleType } from '../../values/particle.ts'
import { ResultCode, ResultError } from '../../values/result-code.ts'

/**
 * Types as expressions name them, and some that only values have. ANY is that of UNKNOWN: a bool, but as a branch of COND it fits every type. OUTSIDE
 * is that of infinity and wildcard, which are in no type; REMOVAL that of REMOVE_RESULT, which fits every type as a
 * branch, too.
 */
export const Type = {
  REMOVAL: -3,
  OUTSIDE: -2,
  ANY: -1,
  ...ExpressionType,
} as const

export const boolIfAny = (type: number): number => (type === Type.ANY ? Type.BOOL : type)

/** Particle type of the items that stand for infinity and wildcard. */
export const OUTSIDE = 0xff

const REMOVAL = 0xfe
/** What REMOVE_RESULT gives: no value, but the wish that an element goes. */
export const REMOVED: Particle = { type: REMOVAL, buffer: Buffer.of(0xc0), start: 0, end: 1 }

/**
 * undefined is unknown; integers are bigint, floats number, but NaN, whose sign a number does not show, is the particle
 * of a double; the rest lies in its particle.
 */
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

export const isOutside = (value: ExpressionValue): boolean =>
  typeof value === 'object' && value !== null && value.type >= REMOVAL

export const isRemoval = (value: ExpressionValue): boolean =>
  typeof value === 'object' && value?.type === REMOVAL

export const isBool = (type: number): boolean => type === Type.BOOL || type === Type.ANY

/** What arithmetic gives where there is no result, as processors have it: negative. */
export const COMPUTED_NAN = nanParticle(true)

function nanParticle(isNegative: boolean): Particle {
  const buffer = Buffer.from(isNegative ? 'fff8000000000000' : '7ff8000000000000', 'hex')
  return { type: ParticleType.DOUBLE, buffer, start: 0, end: buffer.length }
}

/** A double or float32 item as a value. */
export function doubleValue(buffer: Buffer, at: number): ExpressionValue {
  const value = doubleItem(buffer, at)
  return Number.isNaN(value) ? nanParticle((buffer[at + 1]! & 0x80) !== 0) : value
}

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
    case Type.FLOAT: {
      const value = buffer.readDoubleBE(start)
      return Number.isNaN(value) ? particle : value
    }
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
  } else if (isItem(value.type)) to.bytes(value.buffer, value.start, value.end)
  else if (value.type === ParticleType.DOUBLE) {
    to.byte(0xcb)
    to.bytes(value.buffer, value.start, value.end)
  } else writeBytesItem(to, value)
}

/** Lists and maps are the same bytes as particle and as item, and so is what is in no type. */
const isItem = (type: number): boolean =>
  type === ParticleType.LIST || type === ParticleType.MAP || type === OUTSIDE

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

/** A map without order has no place in the order of values, unless it is empty; nor has a list that holds one. */
function isComparable({ type, buffer, start, end }: Particle): boolean {
  if (type !== ParticleType.MAP && type !== ParticleType.LIST) return true
  for (let at = start; at < end;) {
    const kind = itemKind(buffer, at)
    if (kind !== ItemKind.LIST && kind !== ItemKind.MAP) {
      at = skipItem(buffer, at, end)
      if (at < 0) return false
      continue
    }
    const { isMap, count, flags, first } = collectionAt(buffer, at, end)!
    if (isMap && count > 0 && (flags & KEY_ORDERED) === 0) return false
    at = first
  }
  return true
}

/**
 * Negative, zero or positive; NaN where the values do not compare; undefined is unknown. Throws ResultError 4 for
 * infinity or wildcard against a value, where the field's server ends.
 */
export function compareValues(a: ExpressionValue, b: ExpressionValue): number | undefined {
  if (a === undefined || b === undefined) return undefined
  if (isOutside(a) !== isOutside(b))
    throw new ResultError(ResultCode.PARAMETER, 'infinity or wildcard compared')
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0
  if (isNan(a) || isNan(b)) return NaN
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a === null || b === null) return a === b ? 0 : undefined
  if (typeof a !== 'object' || typeof b !== 'object') return undefined
  if (!isComparable(a) || !isComparable(b)) return undefined
  return compareItems(itemOf(a), 0, itemOf(b), 0)
}

export const isNan = (value: ExpressionValue): value is Particle =>
  typeof value === 'object' && value?.type === ParticleType.DOUBLE
