/** What operators on numbers give; undefined is unknown. Source: protocol notes, expressions 2, 3 and 11. */
import type { Particle } from '../../values/particle.ts'
import { COMPUTED_NAN, type ExpressionValue, isNan } from './expression-value.ts'

type Operator = (values: readonly ExpressionValue[]) => ExpressionValue

const INT64_MIN = -(2n ** 63n)
const wrap = (value: bigint) => BigInt.asIntN(64, value)

/** Folds integers or floats from the left; one operand alone meets `unit` first where there is one. */
function fold(
  integers: (a: bigint, b: bigint) => bigint | undefined,
  floats: (a: number, b: number) => number,
  unit?: bigint,
): Operator {
  return (values) => {
    const all =
      values.length === 1 && unit !== undefined
        ? [typeof values[0] === 'bigint' ? unit : Number(unit), ...values]
        : values
    return all.reduce((a, b) => {
      if (typeof a === 'bigint' && typeof b === 'bigint') return integers(a, b)
      if (typeof a === 'number' && typeof b === 'number') return computed(floats(a, b))
      return a === undefined || isNan(a) ? a : b
    })
  }
}

const computed = (value: number): ExpressionValue => (Number.isNaN(value) ? COMPUTED_NAN : value)

const integers = (apply: (a: bigint, b: bigint) => bigint | undefined) => fold(apply, () => NaN)

function unary(
  integer: (a: bigint) => ExpressionValue,
  float: (a: number) => ExpressionValue,
  nan: (a: Particle) => ExpressionValue = (a) => a,
): Operator {
  return ([a]) => {
    if (typeof a === 'bigint') return integer(a)
    if (typeof a === 'number') return float(a)
    return isNan(a) ? nan(a) : undefined
  }
}

/** Of what compares neither way the first stays, and a NaN that comes later is passed over. */
function extreme(isBetter: (a: bigint | number, b: bigint | number) => boolean): Operator {
  return (values) =>
    values.reduce((best, value) =>
      isNumber(best) && isNumber(value) && isBetter(value, best) ? value : best,
    )
}

const isNumber = (value: ExpressionValue): value is bigint | number =>
  typeof value === 'bigint' || typeof value === 'number'

function positive({ type, buffer, start, end }: Particle): Particle {
  const bytes = Buffer.from(buffer.subarray(start, end))
  bytes[0]! &= 0x7f
  return { type, buffer: bytes, start: 0, end: bytes.length }
}

/** As in C, where 1 to any power and −1 to an infinite one are 1. */
const power = (a: number, b: number): number => (a === 1 || (a === -1 && !Number.isFinite(b)) ? 1 : a ** b)

const nothing = () => undefined

function divide(a: bigint, b: bigint): bigint | undefined {
  return b === 0n || (a === INT64_MIN && b === -1n) ? undefined : a / b
}

function remainder(a: bigint, b: bigint): bigint | undefined {
  return b === 0n || (a === INT64_MIN && b === -1n) ? undefined : a % b
}

function toInteger(value: number): bigint {
  return Number.isFinite(value) && Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : INT64_MIN
}

/** Position of the first bit of that value from the most significant (`step` 1) or the least; −1 if none. */
function scan(value: bigint, wanted: boolean, fromLeft: boolean): bigint {
  const bits = BigInt.asUintN(64, value)
  for (let i = 0n; i < 64n; i++) {
    const position = fromLeft ? i : 63n - i
    if (((bits >> (63n - position)) & 1n) === (wanted ? 1n : 0n)) return position
  }
  return -1n
}

const scanning =
  (fromLeft: boolean): Operator =>
  ([value, wanted]) =>
    typeof value === 'bigint' && typeof wanted === 'boolean' ? scan(value, wanted, fromLeft) : undefined

function countBits(value: bigint): bigint {
  let count = 0n
  for (let bits = BigInt.asUintN(64, value); bits > 0n; bits &= bits - 1n) count++
  return count
}

/** A NaN to the power 0, and 1 to that of a NaN, are 1. */
const powers: Operator = ([a, b]) => {
  if (isNan(a) || isNan(b)) return a === 1 || b === 0 ? 1 : isNan(a) ? a : b
  return typeof a === 'number' && typeof b === 'number' ? computed(power(a, b)) : undefined
}

/** By opcode; operands are known values of the types that the operator takes. */
export const arithmetic: ReadonlyMap<number, Operator> = new Map<number, Operator>([
  [
    20,
    fold(
      (a, b) => wrap(a + b),
      (a, b) => a + b,
    ),
  ],
  [
    21,
    fold(
      (a, b) => wrap(a - b),
      (a, b) => a - b,
      0n,
    ),
  ],
  [
    22,
    fold(
      (a, b) => wrap(a * b),
      (a, b) => a * b,
    ),
  ],
  [23, fold(divide, (a, b) => a / b, 1n)],
  [24, powers],
  [25, fold(nothing, (a, b) => Math.log(a) / Math.log(b))],
  [26, integers(remainder)],
  [27, unary((a) => (a < 0n ? wrap(-a) : a), Math.abs, positive)],
  [28, unary(nothing, Math.floor)],
  [29, unary(nothing, Math.ceil)],
  [30, unary(nothing, toInteger, () => INT64_MIN)],
  [31, unary(Number, nothing)],
  [32, integers((a, b) => a & b)],
  [33, integers((a, b) => a | b)],
  [34, integers((a, b) => a ^ b)],
  [35, unary((a) => ~a, nothing)],
  [36, integers((a, b) => wrap(a << (b & 63n)))],
  [37, integers((a, b) => wrap(BigInt.asUintN(64, a) >> (b & 63n)))],
  [38, integers((a, b) => a >> (b & 63n))],
  [39, unary(countBits, nothing)],
  [40, scanning(true)],
  [41, scanning(false)],
  [50, extreme((a, b) => a < b)],
  [51, extreme((a, b) => a > b)],
])
