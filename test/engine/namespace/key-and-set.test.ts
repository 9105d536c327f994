/** The key and the set that records were stored with. Source: protocol notes, records 7. */
import { beforeEach, describe, expect, it } from 'vitest'
import { exp } from '../../../engine/src/protocol/expression-builder.ts'
import { Info3 } from '../../../engine/src/protocol/message.ts'
import { integer } from '../server/messages.ts'
import { ALL, Fixture, HEADER } from './fixture.ts'

const INTEGER = 1
const STRING = 3

let at: Fixture

beforeEach(async () => {
  at = await Fixture.open()
})

describe('the stored key', () => {
  const key = (text: string, type = STRING): Buffer => Buffer.from([type, ...Buffer.from(text)])
  const filter = (text: string): Buffer => exp.eq(exp.stringKey(), exp.string(text)).encoded

  it('must be that of every later command that names one', () => {
    at.write({ key: key('k') })
    for (const other of [key('K'), key('kk'), key('k', 4), key('')]) {
      expect(at.write({ key: other })).toBe(19)
      expect(at.remove({ key: other })).toBe(19)
      expect(at.run({ ...ALL, key: other }).code).toBe(19)
      expect(at.run({ ...HEADER, key: other }).code).toBe(19)
    }
    expect(at.generation).toBe(1)
    expect(at.write({ key: key('k') })).toBe(0)
    expect(at.run({ ...ALL, key: key('k') }).code).toBe(0)
    expect(at.remove({ key: key('k') })).toBe(0)
  })

  it('is stored by a write that has it, not by a read, and stays through writes that have none', () => {
    at.write()
    expect(at.run({ ...ALL, key: key('k') }).code).toBe(0)
    expect(at.write({ key: key('k'), filter: filter('k') })).toBe(27)
    expect(at.write({ key: key('k') })).toBe(0)
    expect(at.write({ info3: Info3.CREATE_OR_REPLACE })).toBe(0)
    expect(at.run({ ...ALL, filter: filter('k') }).code).toBe(0)
    expect(at.run({ ...ALL, filter: filter('other') }).code).toBe(27)
    expect(at.write({ key: key('other') })).toBe(19)
  })

  it('of no bytes, or an integer of another length than 8, is none', () => {
    expect(at.write({ key: Buffer.alloc(0) })).toBe(16)
    expect(at.write({ key: Buffer.from([INTEGER, 1, 2]) })).toBe(16)
    expect(at.write({ key: Buffer.concat([Buffer.from([INTEGER]), integer(5)]) })).toBe(0)
  })
})

describe('the set', () => {
  it('is that of the first write', () => {
    at.write({ set: 'A' })
    for (const [set, codes] of [
      ['A', [0, 0, 0]],
      ['B', [4, 4, 4]],
      ['', [0, 4, 0]],
    ] as const) {
      expect([at.run({ ...ALL, set }).code, at.write({ set }), at.remove({ set })], set).toEqual(codes)
      if (codes[2] === 0) at.write({ set: 'A' })
    }
    at.write({ set: '', digest: 2 })
    expect([
      at.run({ ...ALL, set: 'B', digest: 2 }).code,
      at.write({ set: 'B', digest: 2 }),
      at.remove({ set: 'B', digest: 2 }),
    ]).toEqual([4, 4, 4])
    expect([
      at.run({ ...ALL, set: '', digest: 2 }).code,
      at.write({ set: '', digest: 2 }),
      at.remove({ set: '', digest: 2 }),
    ]).toEqual([0, 0, 0])
  })

  it('has a name of at most 63 bytes', () => {
    expect(at.write({ set: 'x'.repeat(63) })).toBe(0)
    expect(at.write({ set: 'x'.repeat(64) })).toBe(4)
    expect(at.remove({ set: 'x'.repeat(64) })).toBe(4)
    expect(at.write({ set: 'x'.repeat(64), digest: 2 })).toBe(4)
    expect(at.run({ ...ALL, set: 'x'.repeat(64), digest: 2 }).code).toBe(2)
  })

  it('must be named where that is asked for', () => {
    at.settings.disallowNullSetname = true
    expect(at.write({ set: '' })).toBe(4)
    expect(at.write()).toBe(0)
  })

  it('takes no more records than its limits, but updates of those it has', () => {
    const limits = at.namespace.setSettings('s')
    limits.stopWritesCount = 2
    expect([at.write(), at.write({ digest: 2 }), at.write({ digest: 3 }), at.write()]).toEqual([0, 0, 22, 0])
    expect(at.write({ digest: 3, set: 'other' })).toBe(0)
    at.remove()
    expect(at.write({ digest: 4 })).toBe(0)
    limits.stopWritesCount = 0
    limits.stopWritesSize = 1
    expect([at.write({ digest: 5 }), at.write({ digest: 2 })]).toEqual([22, 0])
  })
})
