/** What a namespace refuses, and in which order it looks. Source: protocol notes, records 7, 8 and further facts. */
import { beforeEach, describe, expect, it } from 'vitest'
import { exp } from '../../../engine/src/protocol/expression-builder.ts'
import { Info2, Info3 } from '../../../engine/src/protocol/message.ts'
import type { MessageParts } from '../server/messages.ts'
import { integer, op } from '../server/messages.ts'
import { ALL, bin, Fixture, none } from './fixture.ts'

const INTEGER = 1
const STRING = 3

let at: Fixture

beforeEach(async () => {
  at = await Fixture.open()
})

describe('a write that is refused', () => {
  it.each([
    ['reject-non-xdr-writes', { rejectNonXdrWrites: true }, 0],
    ['reject-xdr-writes', { rejectXdrWrites: true }, 16],
  ])('by %s changes nothing', (_name, settings, info1) => {
    at.write({ digest: 2 })
    Object.assign(at.settings, settings)
    expect([at.write({ info1 }), at.remove({ info1, digest: 2 })]).toEqual([22, 22])
    expect([at.write({ info1: 16 - info1 }), at.remove({ info1: 16 - info1, digest: 2 })]).toEqual([0, 0])
  })

  it('because an op fails leaves the record as it was, with all its other ops', () => {
    at.write({ ops: [bin('a', 1), op(2, 's', STRING, 'text')] })
    const before = at.run(ALL)
    const failing = op(5, 's', INTEGER, integer(1))
    expect(at.write({ ops: [bin('a', 9), failing, bin('b', 3)] })).toBe(12)
    expect(at.write({ ops: [bin('a', 9), op(14, ''), failing, op(77, 'x')] })).toBe(4)
    const answer = at.run({ info1: 1, info2: 1, ops: [op(1, 'a'), bin('a', 9), failing] })
    expect([answer.code, answer.ops]).toEqual([12, []])
    expect(at.run(ALL)).toEqual(before)
  })

  it('because the record would be too big leaves it as it was', () => {
    at.settings.maxRecordSize = 1000
    // 46 bytes, a name of 1, and a set name of 1 and its length stand beside the value.
    const sized = (bytes: number, more: MessageParts = {}): number =>
      at.write({ ops: [op(2, 'a', STRING, 'x'.repeat(bytes))], ...more })
    const room = 1000 - 46 - 1 - 2
    expect([sized(room + 1), sized(room)]).toEqual([13, 0])
    expect(sized(room - 3, { ttl: 5 })).toBe(13)
    expect(sized(room - 4, { ttl: 5 })).toBe(0)
    const key = Buffer.from('\x03abc')
    expect(sized(room - 4, { key })).toBe(13)
    expect(sized(room - 5, { key })).toBe(0)
    expect(sized(room + 3, { set: '', digest: 2 })).toBe(13)
    expect(sized(room + 2, { set: '', digest: 2 })).toBe(0)
    expect(at.generation).toBe(3)
  })

  it('as it would only touch what is read leaves the read as it is', async () => {
    at = await Fixture.open({ memoryLimit: 4 * 2 ** 20, segmentBytes: 2 ** 18 })
    at.write({ ttl: 100 })
    for (let i = 2; at.write({ digest: i, ops: [op(2, 'a', STRING, 'x'.repeat(40_000))] }) === 0; i++)
      continue
    at.pass(90)
    expect(at.run({ ...ALL, ttl: 80 })).toMatchObject({ code: 0, voidTime: at.now() + 10 })
    expect(at.voidTime).toBe(at.now() + 10)
  })

  it('because memory is used up leaves deletes and reads at work, and is taken up again after them', async () => {
    at = await Fixture.open({ memoryLimit: 4 * 2 ** 20, segmentBytes: 2 ** 18 })
    const value = 'x'.repeat(50_000)
    const digest = (i: number): Buffer =>
      Buffer.alloc(20)
        .fill(i & 255, 0, 10)
        .fill(i >> 8, 10)
    const fill = (i: number): number => at.write({ digest: digest(i), ops: [op(2, 'a', STRING, value)] })
    let count = 0
    while (fill(count) === 0) count++
    expect(count).toBeGreaterThan(30)
    expect(count).toBeLessThan(85)
    expect(fill(count)).toBe(8)
    expect(at.write({ digest: digest(count), ops: [bin('a', 1)] })).toBe(8)
    expect(at.run({ ...ALL, digest: digest(0) }).ops[0]!.value.length).toBe(50_000)
    expect(at.run({ ...ALL, digest: digest(count) }).code).toBe(2)
    for (let i = 0; i < count; i += 2) expect(at.remove({ digest: digest(i) })).toBe(0)
    for (let i = 0; i < 10_000 && at.store.stopWrites; i++) at.store.runSlice(Date.now(), 1)
    expect(fill(count)).toBe(0)
  })
})

describe('bins', () => {
  it('written as nothing go, the last one with its record', () => {
    at.write({ ops: [bin('a', 1), bin('b', 2)] })
    expect(at.write({ ops: [none('a')] })).toBe(0)
    expect(at.bins()).toEqual({ b: 2 })
    expect(at.write({ ops: [none('missing')] })).toBe(0)
    expect(at.generation).toBe(3)
    expect(at.run({ info2: 1, ops: [none('b')] })).toMatchObject({ code: 0, generation: 0, voidTime: 0 })
    expect(at.bins()).toBeUndefined()
    expect(at.store.objects).toBe(0)
    expect(at.write({ ops: [none('b')] })).toBe(2)
  })

  it('have names of at most 15 bytes without a zero, in reads and writes', () => {
    for (const name of ['x'.repeat(16), 'a\0b']) {
      expect(at.write({ ops: [bin(name, 1)] })).toBe(21)
      at.write()
      expect(at.run({ info1: 1, ops: [op(1, name)] }).code).toBe(21)
    }
    for (const name of ['x'.repeat(15), '']) expect(at.write({ ops: [bin(name, 1)] })).toBe(0)
  })

  it('keep the order in which they came; one that comes again is last', () => {
    at.write({ ops: [bin('c', 1), bin('a', 2), bin('b', 3)] })
    at.write({ ops: [bin('a', 5), none('c'), bin('c', 7)] })
    expect(at.run(ALL).ops.map(({ name }) => name)).toEqual(['b', 'a', 'c'])
  })

  it('are at most 32,767', () => {
    const many = (from: number, count: number): Buffer[] =>
      Array.from({ length: count }, (_, i) => bin(String(from + i), 1))
    expect(at.write({ ops: many(0, 32_767) })).toBe(0)
    expect(at.write({ ops: many(32_767, 1) })).toBe(4)
    expect(at.write({ ops: many(0, 32_768), digest: 2 })).toBe(4)
    expect(at.run(ALL).ops.length).toBe(32_767)
  })

  it('are not told where the header alone is asked for', () => {
    at.write()
    const both = { info1: 1, info2: 0x81, ops: [bin('a', 2), op(1, 'a')] }
    expect(at.run(both).ops.length).toBe(2)
    expect(at.run({ ...both, info1: 0x21 })).toMatchObject({ code: 0, generation: 3, ops: [] })
  })
})

describe('what only another edition does', () => {
  it('is refused', () => {
    at.write()
    expect(at.remove({ more: Info2.DURABLE_DELETE })).toBe(25)
    expect(at.remove({ more: Info2.DURABLE_DELETE, digest: 2 })).toBe(25)
    expect(at.write({ more: Info2.DURABLE_DELETE, ops: [none('a')] })).toBe(25)
    expect(at.write({ more: Info2.DURABLE_DELETE })).toBe(0)
    for (const info4 of [2, 4]) expect(at.write({ info4 })).toBe(25)
    expect(at.write({ info4: 1 })).toBe(0)
    for (const info4 of [1, 4]) expect(at.run({ ...ALL, info4 }).code).toBe(25)
    expect(at.run({ ...ALL, info3: 0x40 }).code).toBe(25)
    for (const info3 of [0x80, 0xc0]) expect(at.run({ ...ALL, info3 }).code).toBe(0)
    expect(at.write({ info3: 0x40 })).toBe(0)
    expect(at.bins()).toEqual({ a: 1 })
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
    at.write({ key, ops: [bin('a', 1), op(2, 's', STRING, 'text')] })
  })

  it("a write tells the first in the server's order", () => {
    const all = { ...wrongGeneration, ...wrongSet, ...badFilter, ...wrongKey, ...badTtl }
    expect(at.write({ ...all, ops: [bin('x'.repeat(16), 1)], info4: 2 })).toBe(21)
    expect(at.write({ ...all, info4: 2 })).toBe(25)
    expect(at.write({ ...all, more: Info2.GENERATION | Info2.CREATE_ONLY })).toBe(5)
    expect(at.write(all)).toBe(3)
    expect(at.write({ ...wrongSet, ...isFalse, ...wrongKey, ...badTtl })).toBe(4)
    expect(at.write({ ...badFilter, ...wrongKey })).toBe(4)
    expect(at.write({ ...isFalse, ...wrongKey, ...badTtl })).toBe(27)
    expect(at.write({ ...wrongKey, ...badTtl })).toBe(19)
    expect(at.write({ ...badTtl, ...failing })).toBe(4)
    expect(at.write(failing)).toBe(12)
    expect(at.write({ ...isFalse, ...failing })).toBe(27)
  })

  it('a write of a record that is missing looks at neither filter nor key', () => {
    const { more, ...rest } = wrongGeneration
    expect(at.write({ digest: 2, ...isFalse, info3: Info3.UPDATE_ONLY, more, ...rest })).toBe(2)
    expect(at.write({ digest: 2, ...isFalse, ...badTtl, more, ...rest, set: 'x'.repeat(64) })).toBe(3)
    expect(at.write({ digest: 2, ...badFilter, ...badTtl })).toBe(4)
    expect(at.write({ digest: 2, ...badFilter, ...wrongKey })).toBe(0)
  })

  it('a read and a delete tell the first in their orders', () => {
    const { more, ...rest } = wrongGeneration
    expect(at.run({ ...ALL, info3: 0x40, digest: 2 }).code).toBe(25)
    expect(at.run({ ...ALL, ...wrongSet, ...isFalse }).code).toBe(4)
    expect(at.run({ ...ALL, ...badFilter, ...wrongKey }).code).toBe(4)
    expect(at.run({ ...ALL, ...isFalse, ...wrongKey }).code).toBe(27)
    expect(at.run({ info1: 1, ...wrongKey, ops: [op(1, 'x'.repeat(16))] }).code).toBe(19)
    expect(at.remove({ more: Info2.DURABLE_DELETE, digest: 2 })).toBe(25)
    expect(at.remove({ ...wrongSet, more, ...rest })).toBe(4)
    expect(at.remove({ ...isFalse, ...wrongKey, more, ...rest })).toBe(3)
    expect(at.remove({ ...isFalse, ...wrongKey })).toBe(27)
    expect(at.remove(wrongKey)).toBe(19)
    expect(at.generation).toBe(1)
  })
})

describe('counters', () => {
  it('tell requests by what became of them', () => {
    const isFalse = exp.eq(exp.intBin('a'), exp.int(77)).encoded
    const { counters } = at.namespace
    const steps: readonly [keyof typeof counters, () => unknown][] = [
      ['client_write_success', () => at.write()],
      ['client_write_error', () => at.write({ more: Info2.CREATE_ONLY })],
      ['client_write_filtered_out', () => at.write({ filter: isFalse })],
      ['client_read_success', () => at.run(ALL)],
      ['client_read_not_found', () => at.run({ ...ALL, digest: 2 })],
      ['client_read_filtered_out', () => at.run({ ...ALL, filter: isFalse })],
      ['client_read_error', () => at.run({ ...ALL, set: 'other' })],
      ['client_delete_filtered_out', () => at.remove({ filter: isFalse })],
      ['client_delete_error', () => at.remove({ set: 'other' })],
      ['client_delete_success', () => at.remove()],
      ['client_delete_not_found', () => at.remove()],
    ]
    for (const [name, step] of steps) {
      const before = { ...counters }
      step()
      expect(counters).toEqual({ ...before, [name]: before[name] + 1 })
    }
  })
})
