import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { modifyCollection } from '../../../engine/src/operations/collection.ts'
import { normaliseCollection } from '../../../engine/src/values/collection.ts'
import type { Particle } from '../../../engine/src/values/particle.ts'
import { ParticleType } from '../../../engine/src/values/particle.ts'
import { ResultError } from '../../../engine/src/values/result-code.ts'
import { anyKey, anyValue } from '../values/arbitrary.ts'
import { at, modify, read } from '../values/call.ts'
import type { Value } from '../values/pack.ts'
import { INFINITY, pack, particle, raw, slice, WILDCARD } from '../values/pack.ts'

/**
 * Calls of every code with arguments that mostly fit, on collections of every kind: whatever comes, the answer is
 * a value or a result code, the input stays as it was (`modify` checks that), and what is left in the bin is in
 * stored form, hence ordered where it says so.
 */
const RUNS = process.env.LARDER_LONG === '1' ? 100_000 : 4000

const small = fc.integer({ min: -7, max: 9 })
const value = fc.oneof({ weight: 3, arbitrary: small }, fc.constantFrom('a', 'b', 'c'), anyValue)
const list = fc.array(value, { maxLength: 8 })
const key = fc.oneof(small, fc.constantFrom('a', 'b', 'c'), anyKey)
const map = fc
  .uniqueArray(fc.tuple(key, value), { maxLength: 8, selector: ([name]) => pack(name).toString('hex') })
  .map((pairs) => new Map<Value, Value>(pairs))

const bin = fc.tuple(fc.oneof(list, map), fc.constantFrom(0, 1, 3)).map(([items, order]): Particle => {
  const isMap = items instanceof Map
  const plain = normaliseCollection(particle(isMap ? ParticleType.MAP : ParticleType.LIST, pack(items)))
  const setOrder = slice(pack([isMap ? 64 : 0, isMap ? order : order & 1]))
  return modifyCollection(plain, setOrder).bin!
})

const flag = fc.integer({ min: 0, max: 15 })
const returnType = fc
  .tuple(fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 16, 17), fc.boolean())
  .map(([type, inverted]) => (inverted ? type + 0x10000 : type))
const code = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 64, max: 110 }))
const argument: fc.Arbitrary<Value> = fc.oneof(
  small,
  value,
  list,
  map,
  flag,
  returnType,
  fc.constantFrom(INFINITY, WILDCARD, [1, WILDCARD], raw('c1'), raw('dd ff ff ff ff')),
)
const call = fc.oneof(
  fc.tuple(code, fc.array(argument, { maxLength: 4 })).map(([first, rest]) => [first, ...rest]),
  fc.tuple(code, returnType, fc.array(argument, { maxLength: 3 })).map(([c, r, rest]) => [c, r, ...rest]),
  fc.tuple(fc.constantFrom(1, 67, 3, 9), key, value, flag, flag).map((items) => [...items]),
  fc
    .tuple(fc.constantFrom(2, 66, 68, 70), fc.oneof(list, map), fc.constant(0), flag)
    .map((items) => [...items]),
)
const pathType = fc.constantFrom(16, 17, 19, 32, 33, 34, 35, 80, 98, 144, 162, 208, 226, 4, 42, 0x150, 0x216)
const path = fc.array(fc.tuple(pathType, fc.oneof(small, key, value)), { minLength: 1, maxLength: 3 })
const anyCall = fc.oneof(
  call,
  fc.tuple(path, call).map(([items, inner]) => at(items.flat(), ...inner)),
)

function isStored(shown: string): boolean {
  if (!shown.startsWith('20:') && !shown.startsWith('19:')) return shown === 'nil'
  const [type, hex] = shown.split(':')
  const stored = particle(Number(type), Buffer.from(hex!, 'hex'))
  return normaliseCollection(stored) === stored
}

describe('any call on any collection', () => {
  it('answers a value or a code, keeps its input, and leaves a bin in stored form', () => {
    let answered = 0
    fc.assert(
      fc.property(fc.option(bin, { nil: undefined }), anyCall, (target, request) => {
        read(target, request)
        const outcome = modify(target, request)
        if (typeof outcome === 'number') return
        answered++
        expect([outcome[1], isStored(outcome[1])]).toEqual([outcome[1], true])
      }),
      { numRuns: RUNS },
    )
    expect(answered).toBeGreaterThan(RUNS / 20)
  })

  it('survives bytes that are no call', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
    const heads = fc.constantFrom(
      '92',
      '93',
      '94',
      '93ccff9210',
      '93ccff92a2',
      '9301',
      '9444',
      '9317',
      '936b',
    )
    fc.assert(
      fc.property(bin, heads, bytes, (target, head, tail) => {
        const request = Buffer.concat([Buffer.from(head, 'hex'), tail])
        try {
          modifyCollection(target, slice(request))
        } catch (error) {
          expect(error).toBeInstanceOf(ResultError)
        }
      }),
      { numRuns: RUNS },
    )
  })
})
