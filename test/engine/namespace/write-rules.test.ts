/** What a namespace lets a write do. Source of the codes: protocol notes, records 6, 7 and further facts. */
import { beforeEach, describe, expect, it } from 'vitest'
import { exp } from '../../../engine/src/protocol/expression-builder.ts'
import type { MessageParts } from '../server/messages.ts'
import { integer, op } from '../server/messages.ts'
import type { Fixture } from './fixture.ts'
import { openFixture } from './fixture.ts'

const INTEGER = 1
const STRING = 3
const Info2 = { WRITE: 1, DELETE: 3, GENERATION: 4, GENERATION_GT: 8, DURABLE: 16, CREATE_ONLY: 32 } as const
const Info3 = { UPDATE_ONLY: 8, CREATE_OR_REPLACE: 16, REPLACE_ONLY: 32 } as const
const ALL = { info1: 3 } as const

let at: Fixture

beforeEach(async () => {
  at = await openFixture()
})

const bin = (name: string, value: number): Buffer => op(2, name, INTEGER, integer(value))
const none = (name: string): Buffer => op(2, name)
const touch = op(11, '')

/** A write of a=1, unless told otherwise. */
function write(parts: MessageParts & { more?: number } = {}): number {
  const { more = 0, ...rest } = parts
  return at.run({ ops: [bin('a', 1)], ...rest, info2: Info2.WRITE | more }).code
}

const remove = (parts: MessageParts & { more?: number } = {}): number => {
  const { more = 0, ...rest } = parts
  return at.run({ ...rest, info2: Info2.DELETE | more }).code
}

/** The bins that are there, integers only; undefined for no record. */
function bins(): Record<string, number> | undefined {
  const { code, ops } = at.run({ ...ALL, set: '', digest: 1 })
  if (code === 2) return undefined
  expect(code).toBe(0)
  return Object.fromEntries(ops.map(({ name, value }) => [name, Number(value.readBigInt64BE())]))
}

const generation = (): number => at.run({ info1: 0x21, set: '' }).generation
const voidTime = (): number => at.run({ info1: 0x21, set: '' }).voidTime

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
    expect(write({ ...parts, ops: two, digest: 2 })).toBe(missing)
    expect(at.run({ ...ALL, digest: 2 }).code).toBe(missing)
    expect(write()).toBe(0)
    expect(write({ ...parts, ops: two })).toBe(exists)
    expect(bins()).toEqual(then)
    expect(generation()).toBe(exists === 0 ? 2 : 1)
  })

  it('replacing refuses what only makes sense on bins that are there', () => {
    write()
    for (const info3 of [Info3.CREATE_OR_REPLACE, Info3.REPLACE_ONLY])
      for (const ops of [
        [none('a')],
        [op(5, 'a', INTEGER, integer(1))],
        [op(9, 'a', STRING, 'x')],
        [touch],
      ]) {
        expect(write({ info3, ops })).toBe(4)
        expect(write({ info3, ops, digest: 2 })).toBe(4)
      }
    expect(bins()).toEqual({ a: 1 })
  })
})

describe('the generation', () => {
  it('starts at 1, grows by 1 with each write, and begins anew after a delete', () => {
    expect(at.run({ info2: 1, ops: [bin('a', 1)] }).generation).toBe(1)
    expect(at.run({ info2: 1, ops: [bin('a', 1), bin('b', 2)] }).generation).toBe(2)
    expect(at.run({ info2: 1, ops: [touch] }).generation).toBe(3)
    expect(remove()).toBe(0)
    expect(at.run({ info2: 1, ops: [bin('a', 1)] }).generation).toBe(1)
  })

  it('is 1 after 65,535', () => {
    for (let i = 0; i < 65_535; i++) write()
    expect(generation()).toBe(65_535)
    expect(at.run({ info2: 1, ops: [bin('a', 1)] })).toMatchObject({ code: 0, generation: 1 })
    expect(generation()).toBe(1)
  })

  it("that is asked for must be the record's, all 32 bits of it; 0 is that of no record", () => {
    const asked = (wanted: number, digest = 1): number =>
      write({ more: Info2.GENERATION, generation: wanted, digest })
    expect(asked(1)).toBe(3)
    expect(bins()).toBeUndefined()
    expect(asked(0)).toBe(0)
    expect(asked(0)).toBe(3)
    expect(asked(0x1_0001)).toBe(3)
    expect(asked(1)).toBe(0)
    expect(asked(1)).toBe(3)
    expect(generation()).toBe(2)
  })

  it('that must be passed', () => {
    const above = (wanted: number): number => write({ more: Info2.GENERATION_GT, generation: wanted })
    expect(above(0)).toBe(3)
    expect(above(7)).toBe(0)
    expect(generation()).toBe(1)
    expect(above(1)).toBe(3)
    expect(above(2)).toBe(0)
    expect(generation()).toBe(2)
  })

  it('holds for deletes, whose answers show none', () => {
    write()
    write()
    expect(at.run({ info2: Info2.DELETE | Info2.GENERATION, generation: 1 })).toMatchObject({
      code: 3,
      generation: 0,
    })
    expect(at.run({ info2: Info2.DELETE | Info2.GENERATION_GT, generation: 2 })).toMatchObject({ code: 3 })
    expect(at.run({ info2: Info2.DELETE | Info2.GENERATION, generation: 2 })).toMatchObject({
      code: 0,
      generation: 0,
    })
    expect(remove({ more: Info2.GENERATION, generation: 2 })).toBe(2)
  })

  it('is not asked of reads', () => {
    write()
    expect(at.run({ ...ALL, info2: Info2.GENERATION, generation: 9 }).code).toBe(0)
  })

  it('and void time of the record stand in the answer of a write that was refused', () => {
    write({ ttl: 50 })
    write({ ttl: 50 })
    expect(at.run({ info2: Info2.WRITE | Info2.CREATE_ONLY, ops: [bin('a', 1)] })).toMatchObject({
      code: 5,
      generation: 2,
      voidTime: at.now() + 50,
      ops: [],
    })
  })
})

describe('the time to live', () => {
  const NEVER = 0xffffffff
  const KEEP = 0xfffffffe
  const TEN_YEARS = 315_360_000

  it('is that of the write, of the set, or of the namespace', () => {
    write({ ttl: 50 })
    expect(voidTime()).toBe(at.now() + 50)
    write()
    expect(voidTime()).toBe(0)
    at.settings.defaultTtl = 30
    write()
    expect(voidTime()).toBe(at.now() + 30)
    at.namespace.setSettings('s').defaultTtl = 20
    write()
    expect(voidTime()).toBe(at.now() + 20)
    write({ ttl: 50 })
    expect(voidTime()).toBe(at.now() + 50)
    write({ ttl: NEVER })
    expect(voidTime()).toBe(0)
  })

  it('can be kept; a new record has the default', () => {
    write({ ttl: 50 })
    at.pass(10)
    write({ ttl: KEEP })
    expect(voidTime()).toBe(at.now() + 40)
    at.settings.defaultTtl = 30
    write({ ttl: KEEP })
    expect(voidTime()).toBe(at.now() + 40)
    remove()
    write({ ttl: KEEP })
    expect(voidTime()).toBe(at.now() + 30)
  })

  it('is set anew by a touch', () => {
    write({ ttl: 50 })
    at.pass(10)
    write({ ttl: 20, ops: [touch] })
    expect(voidTime()).toBe(at.now() + 20)
    expect(write({ ops: [touch], digest: 2 })).toBe(2)
  })

  it('has a limit of ten years', () => {
    expect(write({ ttl: TEN_YEARS })).toBe(0)
    for (const ttl of [TEN_YEARS + 1, 0xfffffffd]) {
      expect(write({ ttl })).toBe(4)
      expect(write({ ttl, digest: 2 })).toBe(4)
    }
    expect(voidTime()).toBe(at.now() + TEN_YEARS)
    expect(remove({ ttl: TEN_YEARS + 1 })).toBe(0)
  })

  it('is refused where nothing sweeps, unless that is allowed', () => {
    write()
    at.settings.nsupPeriod = 0
    expect(write({ ttl: 5 })).toBe(22)
    expect(write({ ttl: 5, digest: 2 })).toBe(22)
    expect(write({ ttl: 5, ops: [touch] })).toBe(22)
    for (const ttl of [0, NEVER, KEEP]) expect(write({ ttl })).toBe(0)
    at.settings.allowTtlWithoutNsup = true
    expect(write({ ttl: 5 })).toBe(0)
  })

  it('ends at its second: from then on the record is missing for reads and writes', () => {
    write({ ttl: 10, ops: [bin('old', 1)] })
    at.pass(9)
    expect(bins()).toEqual({ old: 1 })
    at.pass(1)
    const { code, generation: last, voidTime: end } = at.run(ALL)
    expect([code, last, end]).toEqual([2, 1, at.now()])
    expect(write({ info3: Info3.UPDATE_ONLY })).toBe(2)
    expect(write({ ops: [touch] })).toBe(2)
    expect(write({ more: Info2.GENERATION, generation: 1 })).toBe(3)
    expect(write({ more: Info2.CREATE_ONLY })).toBe(0)
    expect(bins()).toEqual({ a: 1 })
    expect(generation()).toBe(1)
  })

  it('that has ended does not keep a delete from a record that has not been swept', () => {
    write({ ttl: 10 })
    at.pass(10)
    expect([remove(), remove()]).toEqual([0, 2])
  })

  it('is set back by a read that finds less than its share left', () => {
    const readTouch = (ttl: number) => at.run({ ...ALL, ttl })
    write({ ttl: 100 })
    at.pass(15)
    expect(readTouch(80).voidTime).toBe(at.now() + 85)
    expect(voidTime()).toBe(at.now() + 85)
    at.pass(10)
    expect(readTouch(0).code).toBe(0)
    expect(readTouch(0xffffffff).code).toBe(0)
    expect(voidTime()).toBe(at.now() + 75)
    // The answer comes before the touch.
    expect(readTouch(80).voidTime).toBe(at.now() + 75)
    expect(voidTime()).toBe(at.now() + 100)
    expect(generation()).toBe(1)
    expect(bins()).toEqual({ a: 1 })
    for (const ttl of [101, KEEP]) expect(readTouch(ttl).code).toBe(4)
    write({ digest: 2 })
    expect(at.run({ ...ALL, digest: 2, ttl: 101 }).code).toBe(0)
  })

  it('is set back by the share that set or namespace name', () => {
    for (const set of [false, true]) {
      at.settings.defaultReadTouchTtlPct = set ? 0 : 80
      at.namespace.setSettings('s').defaultReadTouchTtlPct = set ? 80 : 0
      write({ ttl: 100 })
      at.pass(30)
      bins()
      expect(voidTime()).toBe(at.now() + 100)
    }
    at.pass(30)
    expect(at.run({ ...ALL, ttl: 0xffffffff }).code).toBe(0)
    expect(at.run({ info1: 0x21, ttl: 0xffffffff }).voidTime).toBe(at.now() + 70)
  })
})

describe('the stored key', () => {
  const key = (text: string, type = STRING): Buffer => Buffer.from([type, ...Buffer.from(text)])
  const filter = (text: string): Buffer => exp.eq(exp.stringKey(), exp.string(text)).encoded

  it('must be that of every later command that names one', () => {
    write({ key: key('k') })
    for (const other of [key('K'), key('kk'), key('k', 4), key('')]) {
      expect(write({ key: other })).toBe(19)
      expect(remove({ key: other })).toBe(19)
      expect(at.run({ ...ALL, key: other }).code).toBe(19)
      expect(at.run({ info1: 0x21, key: other }).code).toBe(19)
    }
    expect(generation()).toBe(1)
    expect(write({ key: key('k') })).toBe(0)
    expect(at.run({ ...ALL, key: key('k') }).code).toBe(0)
    expect(remove({ key: key('k') })).toBe(0)
  })

  it('is stored by a write that has it, not by a read, and stays through writes that have none', () => {
    write()
    expect(at.run({ ...ALL, key: key('k') }).code).toBe(0)
    expect(write({ key: key('k'), filter: filter('k') })).toBe(27)
    expect(write({ key: key('k') })).toBe(0)
    expect(write({ info3: Info3.CREATE_OR_REPLACE })).toBe(0)
    expect(at.run({ ...ALL, filter: filter('k') }).code).toBe(0)
    expect(at.run({ ...ALL, filter: filter('other') }).code).toBe(27)
    expect(write({ key: key('other') })).toBe(19)
  })

  it('of no bytes, or an integer of another length than 8, is none', () => {
    expect(write({ key: Buffer.alloc(0) })).toBe(16)
    expect(write({ key: Buffer.from([INTEGER, 1, 2]) })).toBe(16)
    expect(write({ key: Buffer.concat([Buffer.from([INTEGER]), integer(5)]) })).toBe(0)
  })
})

describe('the set', () => {
  it('is that of the first write', () => {
    write({ set: 'A' })
    for (const [set, codes] of [
      ['A', [0, 0, 0]],
      ['B', [4, 4, 4]],
      ['', [0, 4, 0]],
    ] as const) {
      expect([at.run({ ...ALL, set }).code, write({ set }), remove({ set })], set).toEqual(codes)
      if (codes[2] === 0) write({ set: 'A' })
    }
    write({ set: '', digest: 2 })
    expect([
      at.run({ ...ALL, set: 'B', digest: 2 }).code,
      write({ set: 'B', digest: 2 }),
      remove({ set: 'B', digest: 2 }),
    ]).toEqual([4, 4, 4])
    expect([
      at.run({ ...ALL, set: '', digest: 2 }).code,
      write({ set: '', digest: 2 }),
      remove({ set: '', digest: 2 }),
    ]).toEqual([0, 0, 0])
  })

  it('has a name of at most 63 bytes', () => {
    expect(write({ set: 'x'.repeat(63) })).toBe(0)
    expect(write({ set: 'x'.repeat(64) })).toBe(4)
    expect(remove({ set: 'x'.repeat(64) })).toBe(4)
    expect(write({ set: 'x'.repeat(64), digest: 2 })).toBe(4)
    expect(at.run({ ...ALL, set: 'x'.repeat(64), digest: 2 }).code).toBe(2)
  })

  it('must be named where that is asked for', () => {
    at.settings.disallowNullSetname = true
    expect(write({ set: '' })).toBe(4)
    expect(write()).toBe(0)
  })

  it('takes no more records than its limits, but updates of those it has', () => {
    const limits = at.namespace.setSettings('s')
    limits.stopWritesCount = 2
    expect([write(), write({ digest: 2 }), write({ digest: 3 }), write()]).toEqual([0, 0, 22, 0])
    expect(write({ digest: 3, set: 'other' })).toBe(0)
    remove()
    expect(write({ digest: 4 })).toBe(0)
    limits.stopWritesCount = 0
    limits.stopWritesSize = 1
    expect([write({ digest: 5 }), write({ digest: 2 })]).toEqual([22, 0])
  })
})

describe('a write that is refused', () => {
  it.each([
    ['reject-non-xdr-writes', { rejectNonXdrWrites: true }, 0],
    ['reject-xdr-writes', { rejectXdrWrites: true }, 16],
  ])('by %s changes nothing', (_name, settings, info1) => {
    write({ digest: 2 })
    Object.assign(at.settings, settings)
    expect([write({ info1 }), remove({ info1, digest: 2 })]).toEqual([22, 22])
    expect([write({ info1: 16 - info1 }), remove({ info1: 16 - info1, digest: 2 })]).toEqual([0, 0])
  })

  it('because an op fails leaves the record as it was, with all its other ops', () => {
    write({ ops: [bin('a', 1), op(2, 's', STRING, 'text')] })
    const before = at.run(ALL)
    const failing = op(5, 's', INTEGER, integer(1))
    expect(write({ ops: [bin('a', 9), failing, bin('b', 3)] })).toBe(12)
    expect(write({ ops: [bin('a', 9), op(14, ''), failing, op(77, 'x')] })).toBe(4)
    const answer = at.run({ info1: 1, info2: 1, ops: [op(1, 'a'), bin('a', 9), failing] })
    expect([answer.code, answer.ops]).toEqual([12, []])
    expect(at.run(ALL)).toEqual(before)
  })

  it('because the record would be too big leaves it as it was', () => {
    at.settings.maxRecordSize = 1000
    // 46 bytes, a name of 1, and a set name of 1 and its length stand beside the value.
    const sized = (bytes: number, more: MessageParts = {}): number =>
      write({ ops: [op(2, 'a', STRING, 'x'.repeat(bytes))], ...more })
    const room = 1000 - 46 - 1 - 2
    expect([sized(room + 1), sized(room)]).toEqual([13, 0])
    expect(sized(room - 3, { ttl: 5 })).toBe(13)
    expect(sized(room - 4, { ttl: 5 })).toBe(0)
    const key = Buffer.from('\x03abc')
    expect(sized(room - 4, { key })).toBe(13)
    expect(sized(room - 5, { key })).toBe(0)
    expect(sized(room + 3, { set: '', digest: 2 })).toBe(13)
    expect(sized(room + 2, { set: '', digest: 2 })).toBe(0)
    expect(generation()).toBe(3)
  })

  it('because memory is used up leaves deletes and reads at work, and is taken up again after them', async () => {
    at = await openFixture({ memoryLimit: 4 * 2 ** 20, segmentBytes: 2 ** 18 })
    const value = 'x'.repeat(50_000)
    const digest = (i: number): Buffer =>
      Buffer.alloc(20)
        .fill(i & 255, 0, 10)
        .fill(i >> 8, 10)
    const fill = (i: number): number => write({ digest: digest(i), ops: [op(2, 'a', STRING, value)] })
    let count = 0
    while (fill(count) === 0) count++
    expect(count).toBeGreaterThan(30)
    expect(count).toBeLessThan(85)
    expect(fill(count)).toBe(8)
    expect(at.run({ ...ALL, digest: digest(0) }).ops[0]!.value.length).toBe(50_000)
    expect(at.run({ ...ALL, digest: digest(count) }).code).toBe(2)
    for (let i = 0; i < count; i += 2) expect(remove({ digest: digest(i) })).toBe(0)
    for (let i = 0; i < 10_000 && at.store.stopWrites; i++) at.store.runSlice(Date.now(), 1)
    expect(fill(count)).toBe(0)
  })
})

describe('bins', () => {
  it('written as nothing go, the last one with its record', () => {
    write({ ops: [bin('a', 1), bin('b', 2)] })
    expect(write({ ops: [none('a')] })).toBe(0)
    expect(bins()).toEqual({ b: 2 })
    expect(write({ ops: [none('missing')] })).toBe(0)
    expect(generation()).toBe(3)
    expect(at.run({ info2: 1, ops: [none('b')] })).toMatchObject({ code: 0, generation: 0, voidTime: 0 })
    expect(bins()).toBeUndefined()
    expect(at.store.objects).toBe(0)
    expect(write({ ops: [none('b')] })).toBe(2)
  })

  it('have names of at most 15 bytes without a zero, in reads and writes', () => {
    for (const name of ['x'.repeat(16), 'a\0b']) {
      expect(write({ ops: [bin(name, 1)] })).toBe(21)
      write()
      expect(at.run({ info1: 1, ops: [op(1, name)] }).code).toBe(21)
    }
    for (const name of ['x'.repeat(15), '']) expect(write({ ops: [bin(name, 1)] })).toBe(0)
  })

  it('keep the order in which they came; one that comes again is last', () => {
    write({ ops: [bin('c', 1), bin('a', 2), bin('b', 3)] })
    write({ ops: [bin('a', 5), none('c'), bin('c', 7)] })
    expect(at.run(ALL).ops.map(({ name }) => name)).toEqual(['b', 'a', 'c'])
  })

  it('are at most 32,767', () => {
    const many = (from: number, count: number): Buffer[] =>
      Array.from({ length: count }, (_, i) => bin(String(from + i), 1))
    expect(write({ ops: many(0, 32_767) })).toBe(0)
    expect(write({ ops: many(32_767, 1) })).toBe(4)
    expect(write({ ops: many(0, 32_768), digest: 2 })).toBe(4)
    expect(at.run(ALL).ops.length).toBe(32_767)
  })
})

describe('what only another edition does', () => {
  it('is refused', () => {
    write()
    expect(remove({ more: Info2.DURABLE })).toBe(25)
    expect(remove({ more: Info2.DURABLE, digest: 2 })).toBe(25)
    expect(write({ more: Info2.DURABLE, ops: [none('a')] })).toBe(25)
    expect(write({ more: Info2.DURABLE })).toBe(0)
    for (const info4 of [2, 4]) expect(write({ info4 })).toBe(25)
    expect(write({ info4: 1 })).toBe(0)
    for (const info4 of [1, 4]) expect(at.run({ ...ALL, info4 }).code).toBe(25)
    expect(at.run({ ...ALL, info3: 0x40 }).code).toBe(25)
    for (const info3 of [0x80, 0xc0]) expect(at.run({ ...ALL, info3 }).code).toBe(0)
    expect(write({ info3: 0x40 })).toBe(0)
    expect(bins()).toEqual({ a: 1 })
  })
})

describe('of several reasons to refuse', () => {
  const key = Buffer.from('\x03k')
  const wrongKey = { key: Buffer.from('\x03other') }
  const isFalse = { filter: exp.eq(exp.intBin('a'), exp.int(77)).encoded }
  const badFilter = { filter: Buffer.from([0x93, 1, 2]) }
  const wrongSet = { set: 'other' }
  const wrongGeneration = { more: Info2.GENERATION, generation: 9 }
  const badTtl = { ttl: 0xfffffffd }
  const failing = { ops: [op(5, 's', INTEGER, integer(1))] }

  beforeEach(() => {
    write({ key, ops: [bin('a', 1), op(2, 's', STRING, 'text')] })
  })

  it("a write tells the first in the server's order", () => {
    const all = { ...wrongGeneration, ...wrongSet, ...badFilter, ...wrongKey, ...badTtl }
    expect(write({ ...all, ops: [bin('x'.repeat(16), 1)], info4: 2 })).toBe(21)
    expect(write({ ...all, info4: 2 })).toBe(25)
    expect(write({ ...all, more: Info2.GENERATION | Info2.CREATE_ONLY })).toBe(5)
    expect(write(all)).toBe(3)
    expect(write({ ...wrongSet, ...isFalse, ...wrongKey, ...badTtl })).toBe(4)
    expect(write({ ...badFilter, ...wrongKey })).toBe(4)
    expect(write({ ...isFalse, ...wrongKey, ...badTtl })).toBe(27)
    expect(write({ ...wrongKey, ...badTtl })).toBe(19)
    expect(write({ ...badTtl, ...failing })).toBe(4)
    expect(write(failing)).toBe(12)
    expect(write({ ...isFalse, ...failing })).toBe(27)
  })

  it('a write of a record that is missing looks at neither filter nor key', () => {
    const { more, ...rest } = wrongGeneration
    expect(write({ digest: 2, ...isFalse, info3: Info3.UPDATE_ONLY, more, ...rest })).toBe(2)
    expect(write({ digest: 2, ...isFalse, ...badTtl, more, ...rest, set: 'x'.repeat(64) })).toBe(3)
    expect(write({ digest: 2, ...badFilter, ...badTtl })).toBe(4)
    expect(write({ digest: 2, ...badFilter, ...wrongKey })).toBe(0)
  })

  it('a read and a delete tell the first in their orders', () => {
    const { more, ...rest } = wrongGeneration
    expect(at.run({ ...ALL, info3: 0x40, digest: 2 }).code).toBe(25)
    expect(at.run({ ...ALL, ...wrongSet, ...isFalse }).code).toBe(4)
    expect(at.run({ ...ALL, ...badFilter, ...wrongKey }).code).toBe(4)
    expect(at.run({ ...ALL, ...isFalse, ...wrongKey }).code).toBe(27)
    expect(at.run({ info1: 1, ...wrongKey, ops: [op(1, 'x'.repeat(16))] }).code).toBe(19)
    expect(remove({ more: Info2.DURABLE, digest: 2 })).toBe(25)
    expect(remove({ ...wrongSet, more, ...rest })).toBe(4)
    expect(remove({ ...isFalse, ...wrongKey, more, ...rest })).toBe(3)
    expect(remove({ ...isFalse, ...wrongKey })).toBe(27)
    expect(remove(wrongKey)).toBe(19)
    expect(generation()).toBe(1)
  })
})

describe('counters', () => {
  it('tell requests by what became of them', () => {
    const isFalse = exp.eq(exp.intBin('a'), exp.int(77)).encoded
    const { counters } = at.namespace
    const steps: readonly [keyof typeof counters, () => unknown][] = [
      ['client_write_success', () => write()],
      ['client_write_error', () => write({ more: Info2.CREATE_ONLY })],
      ['client_write_filtered_out', () => write({ filter: isFalse })],
      ['client_read_success', () => at.run(ALL)],
      ['client_read_not_found', () => at.run({ ...ALL, digest: 2 })],
      ['client_read_filtered_out', () => at.run({ ...ALL, filter: isFalse })],
      ['client_read_error', () => at.run({ ...ALL, set: 'other' })],
      ['client_delete_filtered_out', () => remove({ filter: isFalse })],
      ['client_delete_error', () => remove({ set: 'other' })],
      ['client_delete_success', () => remove()],
      ['client_delete_not_found', () => remove()],
    ]
    for (const [name, step] of steps) {
      const before = { ...counters }
      step()
      expect(counters).toEqual({ ...before, [name]: before[name] + 1 })
    }
  })
})

describe('what was truncated', () => {
  it('is gone, and what comes after it stays, whatever the clock says', () => {
    write()
    at.namespace.truncate('s', (at.now() + 1_262_304_000) * 1000 + 5000)
    expect(bins()).toBeUndefined()
    // The new version is older than the mark by the clock.
    write({ ops: [bin('new', 1)] })
    expect(bins()).toEqual({ new: 1 })
  })
})
