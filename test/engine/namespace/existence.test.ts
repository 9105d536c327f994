/** Whether there must be a record, and in which generation. Source: protocol notes, records 7. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Info2, Info3 } from '../../../engine/src/protocol/message.ts'
import type { MessageParts } from '../server/messages.ts'
import { integer, op } from '../server/messages.ts'
import { ALL, bin, Fixture, none, touch } from './fixture.ts'

const INTEGER = 1
const STRING = 3

let at: Fixture

beforeEach(async () => {
  at = await Fixture.open()
})

describe('whether there must be a record', () => {
  const two = [bin('b', 2)]
  it.each<
    readonly [
      string,
      MessageParts & { more?: number },
      missing: number,
      exists: number,
      then: Record<string, number>,
    ]
  >([
    ['a plain write', {}, 0, 0, { a: 1, b: 2 }],
    ['create only', { more: Info2.CREATE_ONLY }, 0, 5, { a: 1 }],
    ['update only', { info3: Info3.UPDATE_ONLY }, 2, 0, { a: 1, b: 2 }],
    ['create or replace', { info3: Info3.CREATE_OR_REPLACE }, 0, 0, { b: 2 }],
    ['replace only', { info3: Info3.REPLACE_ONLY }, 2, 0, { b: 2 }],
    ['update and replace only', { info3: Info3.UPDATE_ONLY | Info3.REPLACE_ONLY }, 2, 0, { b: 2 }],
    ['create and update only', { more: Info2.CREATE_ONLY, info3: Info3.UPDATE_ONLY }, 2, 5, { a: 1 }],
  ])('%s', (_name, parts, missing, exists, then) => {
    expect(at.write({ ...parts, ops: two, digest: 2 })).toBe(missing)
    expect(at.run({ ...ALL, digest: 2 }).code).toBe(missing)
    expect(at.write()).toBe(0)
    expect(at.write({ ...parts, ops: two })).toBe(exists)
    expect(at.bins()).toEqual(then)
    expect(at.generation).toBe(exists === 0 ? 2 : 1)
  })

  it('replacing refuses what only makes sense on bins that are there', () => {
    at.write()
    for (const info3 of [Info3.CREATE_OR_REPLACE, Info3.REPLACE_ONLY])
      for (const ops of [
        [none('a')],
        [op(5, 'a', INTEGER, integer(1))],
        [op(9, 'a', STRING, 'x')],
        [touch],
      ]) {
        expect(at.write({ info3, ops })).toBe(4)
        expect(at.write({ info3, ops, digest: 2 })).toBe(4)
      }
    expect(at.bins()).toEqual({ a: 1 })
  })
})

describe('the generation', () => {
  it('starts at 1, grows by 1 with each write, and begins anew after a delete', () => {
    expect(at.run({ info2: 1, ops: [bin('a', 1)] }).generation).toBe(1)
    expect(at.run({ info2: 1, ops: [bin('a', 1), bin('b', 2)] }).generation).toBe(2)
    expect(at.run({ info2: 1, ops: [touch] }).generation).toBe(3)
    expect(at.remove()).toBe(0)
    expect(at.run({ info2: 1, ops: [bin('a', 1)] }).generation).toBe(1)
  })

  it('is 1 after 65,535', () => {
    for (let i = 0; i < 65_535; i++) at.write()
    expect(at.generation).toBe(65_535)
    expect(at.run({ info2: 1, ops: [bin('a', 1)] })).toMatchObject({ code: 0, generation: 1 })
    expect(at.generation).toBe(1)
  })

  it("that is asked for must be the record's, all 32 bits of it; 0 is that of no record", () => {
    const asked = (wanted: number, digest = 1): number =>
      at.write({ more: Info2.GENERATION, generation: wanted, digest })
    expect(asked(1)).toBe(3)
    expect(at.bins()).toBeUndefined()
    expect(asked(0)).toBe(0)
    expect(asked(0)).toBe(3)
    expect(asked(0x1_0001)).toBe(3)
    expect(asked(1)).toBe(0)
    expect(asked(1)).toBe(3)
    expect(at.generation).toBe(2)
  })

  it('that must be passed', () => {
    const above = (wanted: number): number => at.write({ more: Info2.GENERATION_GT, generation: wanted })
    expect(above(0)).toBe(3)
    expect(above(7)).toBe(0)
    expect(at.generation).toBe(1)
    expect(above(1)).toBe(3)
    expect(above(2)).toBe(0)
    expect(at.generation).toBe(2)
  })

  it('holds for deletes, whose answers show none', () => {
    at.write()
    at.write()
    expect(at.run({ info2: Info2.WRITE | Info2.DELETE | Info2.GENERATION, generation: 1 })).toMatchObject({
      code: 3,
      generation: 0,
    })
    expect(at.run({ info2: Info2.WRITE | Info2.DELETE | Info2.GENERATION_GT, generation: 2 })).toMatchObject({
      code: 3,
    })
    expect(at.run({ info2: Info2.WRITE | Info2.DELETE | Info2.GENERATION, generation: 2 })).toMatchObject({
      code: 0,
      generation: 0,
    })
    expect(at.remove({ more: Info2.GENERATION, generation: 2 })).toBe(2)
  })

  it('is not asked of reads', () => {
    at.write()
    expect(at.run({ ...ALL, info2: Info2.GENERATION, generation: 9 }).code).toBe(0)
  })

  it('and void time of the record stand in the answer of a write that was refused', () => {
    at.write({ ttl: 50 })
    at.write({ ttl: 50 })
    expect(at.run({ info2: Info2.WRITE | Info2.CREATE_ONLY, ops: [bin('a', 1)] })).toMatchObject({
      code: 5,
      generation: 2,
      voidTime: at.now() + 50,
      ops: [],
    })
  })
})
