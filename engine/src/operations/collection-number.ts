import { doubleItemOf, integerItemOf } from '../values/byte-writer.ts'
import { doubleItem, integerBits, ItemKind, itemKind } from '../values/msgpack-item.ts'
import type { Particle, Slice } from '../values/particle.ts'
import { parameterError } from './collection-call.ts'
import { itemParticle } from './collection-result.ts'

export interface Sum {
  readonly item: Slice
  readonly particle: Particle | undefined
}

const SMALLEST_INTEGER = -(2n ** 63n)

/**
 * `value + sign * delta` in the type of `value`; a missing value is zero of the delta's type, a missing or nil
 * delta is 1. Integers wrap at 64 bits; a double delta loses its fraction when it meets an integer.
 */
export function incremented(value: Slice | undefined, delta: Slice | undefined, sign: 1 | -1): Sum {
  const deltaKind = delta === undefined ? ItemKind.NIL : itemKind(delta.buffer, delta.start)
  const kind = value === undefined ? deltaKind : itemKind(value.buffer, value.start)
  if (deltaKind !== ItemKind.INTEGER && deltaKind !== ItemKind.DOUBLE && deltaKind !== ItemKind.NIL) {
    parameterError('a delta is a number')
  }
  const useDouble = kind === ItemKind.DOUBLE
  if (!useDouble && kind !== ItemKind.INTEGER && value !== undefined) parameterError('not a number')
  const buffer = useDouble ? doubleSum(value, delta, sign) : integerSum(value, delta, sign)
  const item = { buffer, start: 0, end: buffer.length }
  return { item, particle: itemParticle(buffer, 0, buffer.length) }
}

function doubleSum(value: Slice | undefined, delta: Slice | undefined, sign: 1 | -1): Buffer {
  const step = sign * (delta === undefined ? 1 : numberOf(delta))
  return doubleItemOf(value === undefined ? step : doubleItem(value.buffer, value.start) + step)
}

function numberOf(delta: Slice): number {
  switch (itemKind(delta.buffer, delta.start)) {
    case ItemKind.DOUBLE:
      return doubleItem(delta.buffer, delta.start)
    case ItemKind.INTEGER:
      return Number(integerBits(delta.buffer, delta.start))
    default:
      return 1
  }
}

function integerSum(value: Slice | undefined, delta: Slice | undefined, sign: 1 | -1): Buffer {
  const step = delta === undefined ? 1n : bitsOf(delta)
  const base = value === undefined ? 0n : integerBits(value.buffer, value.start)
  return integerItemOf(BigInt.asIntN(64, sign > 0 ? base + step : base - step))
}

function bitsOf(delta: Slice): bigint {
  switch (itemKind(delta.buffer, delta.start)) {
    case ItemKind.DOUBLE: {
      const value = Math.trunc(doubleItem(delta.buffer, delta.start))
      return Math.abs(value) < 2 ** 63 ? BigInt(value) : SMALLEST_INTEGER
    }
    case ItemKind.INTEGER:
      return integerBits(delta.buffer, delta.start)
    default:
      return 1n
  }
}
