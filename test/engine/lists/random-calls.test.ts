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

function stored(items: Value[] | Map<Value, Value>, order: number): Particle {
  const isMap = items instanceof Map
  const plain = normaliseCollection(particle(isMap ? ParticleType.MAP : ParticleType.LIST, pack(items)))
  const setOrder = slice(pack([isMap ? 64 : 0, isMap ? order : order & 1]))
  return modifyCollection(plain, setOrder).bin!
}

const order = fc.constantFrom(0, 1, 3)
const bin = fc.tuple(fc.oneof(list, map), order).map(([items, flags]) => stored(items, flags))

const flag = fc.integer({ min: 0, max: 15 })
const argument: fc.Arbitrary<Value> = fc.oneof(
  small,
  value,
  list,
  map,
  flag,
  fc.constantFrom(INFINITY, WILDCARD, [1, WILDCARD], raw('c1'), raw('dd ff ff ff ff')),
)

/** Calls whose arguments have the right shape: codes for lists, codes for maps, what follows the code. */
function shaped(isMap: boolean): fc.Arbitrary<Value[]> {
  const returnTypes = isMap ? [0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 16, 17] : [0, 1, 2, 3, 4, 5, 7, 13]
  const one = fc.constantFrom(...returnTypes)
  const many = fc.constantFrom(...returnTypes, ...returnTypes.map((type) => type + 0x10000))
  const calls = (listCodes: number[], mapCodes: number[], ...rest: fc.Arbitrary<Value>[]) =>
    fc.tuple(fc.constantFrom(...(isMap ? mapCodes : listCodes)), ...rest).map((items): Value[] => items)
  const shapes = [
    calls([19, 21, 32, 34], [98, 100, 77, 79], one, small),
    calls([20, 33], [97, 99, 76, 78], one, value),
    calls([22, 35], [102, 82], many, argument),
    calls([23, 36], [107, 108, 81, 83], many, list),
    calls([24, 26, 37, 39], [104, 106, 85, 87], many, small, small),
    calls([25, 38], [103, 105, 84, 86], many, value, argument),
    calls([27, 40], [109, 110, 88, 89], many, value, small, small),
    calls([13], [64], order),
    isMap ? calls([], [67], key, value, order, flag) : calls([1], [], value, order, flag),
    isMap ? calls([], [68], map, order, flag) : calls([2], [], list, order, flag),
    isMap ? calls([], [73, 74], key, small) : calls([12], [], small, small, order, flag),
    isMap ? calls([], [65, 69], key, value) : calls([3, 9], [], small, value, flag),
    isMap ? calls([], [75]) : calls([4], [], small, list, flag),
    isMap ? calls([], [66, 70], map) : calls([5, 6, 7, 8, 10], [], small),
  ]
  return fc.oneof(...shapes)
}

const code = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 64, max: 110 }))
const anything = fc.tuple(code, fc.array(argument, { maxLength: 4 })).map(([first, rest]) => [first, ...rest])
const pathType = fc.constantFrom(16, 17, 19, 32, 33, 34, 35, 80, 98, 144, 162, 208, 226, 4, 42, 0x150, 0x216)
const path = fc.array(fc.tuple(pathType, fc.oneof(small, key, value)), { minLength: 1, maxLength: 3 })

/** A collection with a call for its kind; further ones with any call, with a path, or on a bin that is missing. */
const fitting = fc.oneof(
  fc.tuple(fc.tuple(list, order), shaped(false)),
  fc.tuple(fc.tuple(map, order), shaped(true)),
)
const situation: fc.Arbitrary<[Particle | undefined, Value[]]> = fc.oneof(
  fitting.map(([[items, flags], call]): [Particle, Value[]] => [stored(items, flags), call]),
  fc.tuple(fc.option(bin, { nil: undefined }), fc.oneof(anything, shaped(true), shaped(false))),
  fitting.map(([[items, flags], call]): [Particle, Value[]] => {
    const inner = stored(items, flags)
    const outer = stored([raw(inner.buffer.subarray(inner.start, inner.end).toString('hex')), 7], flags)
    return [outer, [...at([19, WILDCARD], ...call)]]
  }),
  fc
    .tuple(fc.option(bin, { nil: undefined }), path, fc.oneof(shaped(true), shaped(false)))
    .map(([target, items, call]): [Particle | undefined, Value[]] => [
      target,
      [...at(items.flat(), ...call)],
    ]),
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
      fc.property(situation, ([target, request]) => {
        read(target, request)
        const outcome = modify(target, request)
        if (typeof outcome === 'number') return
        answered++
        expect([outcome[1], isStored(outcome[1])]).toEqual([outcome[1], true])
      }),
      { numRuns: RUNS },
    )
    expect(answered).toBeGreaterThan(RUNS / 8)
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
