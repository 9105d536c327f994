import fc from 'fast-check'
import type { Value } from './pack.ts'
import { double, pack, raw } from './pack.ts'

/** Values of every kind, nested; maps have keys that are allowed and distinct, but not sorted. */

const integer = fc.oneof(
  fc.integer({ min: -200, max: 300 }),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
)
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
const key = fc.oneof(integer, fc.string({ maxLength: 40 }), bytes)
const geojson = fc.constant(raw('a3 17 7b 7d'))
const float = fc.double({ noNaN: true }).map(double)
const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  integer,
  fc.string({ maxLength: 40 }),
  bytes,
  float,
  geojson,
)

export const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 20 }),
    fc
      .uniqueArray(fc.tuple(key, tie('value')), {
        maxLength: 20,
        selector: ([name]) => pack(name).toString('hex'),
      })
      .map((pairs) => new Map<Value, Value>(pairs)),
  ),
})).value

export const anyKey: fc.Arbitrary<Value> = key
