/** How long records live. Source: protocol notes, records 6. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Info2, Info3 } from '../../../engine/src/protocol/message.ts'
import { ALL, bin, Fixture, HEADER, touch } from './fixture.ts'

let at: Fixture

beforeEach(async () => {
  at = await Fixture.open()
})

describe('the time to live', () => {
  const NEVER = 0xffffffff
  const KEEP = 0xfffffffe
  const TEN_YEARS = 315_360_000

  it('is that of the write, of the set, or of the namespace', () => {
    at.write({ ttl: 50 })
    expect(at.voidTime).toBe(at.now() + 50)
    at.write()
    expect(at.voidTime).toBe(0)
    at.settings.defaultTtl = 30
    at.write()
    expect(at.voidTime).toBe(at.now() + 30)
    at.namespace.setSettings('s').defaultTtl = 20
    at.write()
    expect(at.voidTime).toBe(at.now() + 20)
    at.write({ ttl: 50 })
    expect(at.voidTime).toBe(at.now() + 50)
    at.write({ ttl: NEVER })
    expect(at.voidTime).toBe(0)
  })

  it('can be kept; a new record has the default', () => {
    at.write({ ttl: 50 })
    at.pass(10)
    at.write({ ttl: KEEP })
    expect(at.voidTime).toBe(at.now() + 40)
    at.settings.defaultTtl = 30
    at.write({ ttl: KEEP })
    expect(at.voidTime).toBe(at.now() + 40)
    for (const [ttl, end] of [
      [KEEP, at.now() + 30],
      [NEVER, 0],
    ] as const) {
      at.remove()
      at.write({ ttl })
      expect(at.voidTime).toBe(end)
    }
  })

  it('is set anew by a touch', () => {
    at.write({ ttl: 50 })
    at.pass(10)
    at.write({ ttl: 20, ops: [touch] })
    expect(at.voidTime).toBe(at.now() + 20)
    expect(at.write({ ops: [touch], digest: 2 })).toBe(2)
  })

  it('has a limit of ten years', () => {
    expect(at.write({ ttl: TEN_YEARS })).toBe(0)
    for (const ttl of [TEN_YEARS + 1, 0xfffffffd]) {
      expect(at.write({ ttl })).toBe(4)
      expect(at.write({ ttl, digest: 2 })).toBe(4)
    }
    expect(at.voidTime).toBe(at.now() + TEN_YEARS)
    expect(at.remove({ ttl: TEN_YEARS + 1 })).toBe(0)
  })

  it('is refused where nothing sweeps, unless that is allowed', () => {
    at.write()
    at.settings.nsupPeriod = 0
    expect(at.write({ ttl: 5 })).toBe(22)
    expect(at.write({ ttl: 5, digest: 2 })).toBe(22)
    expect(at.write({ ttl: 5, ops: [touch] })).toBe(22)
    for (const ttl of [0, NEVER, KEEP]) expect(at.write({ ttl })).toBe(0)
    at.settings.allowTtlWithoutNsup = true
    expect(at.write({ ttl: 5 })).toBe(0)
  })

  it('ends at its second: from then on the record is missing for reads and writes', () => {
    at.write({ ttl: 10, ops: [bin('old', 1)] })
    at.pass(9)
    expect(at.bins()).toEqual({ old: 1 })
    at.pass(1)
    const { code, generation: last, voidTime: end } = at.run(ALL)
    expect([code, last, end]).toEqual([2, 1, at.now()])
    expect(at.write({ info3: Info3.UPDATE_ONLY })).toBe(2)
    expect(at.write({ ops: [touch] })).toBe(2)
    expect(at.write({ more: Info2.GENERATION, generation: 1 })).toBe(3)
    expect(at.write({ more: Info2.CREATE_ONLY })).toBe(0)
    expect(at.bins()).toEqual({ a: 1 })
    expect(at.generation).toBe(1)
  })

  it('that has ended does not keep a delete from a record that has not been swept', () => {
    at.write({ ttl: 10 })
    at.pass(10)
    expect([at.remove(), at.remove()]).toEqual([0, 2])
  })

  it('is set back by a read that finds less than its share left', () => {
    const readTouch = (ttl: number) => at.run({ ...ALL, ttl })
    at.write({ ttl: 100 })
    at.pass(20)
    expect(readTouch(80).voidTime).toBe(at.now() + 80)
    expect(at.voidTime).toBe(at.now() + 80)
    at.pass(5)
    expect(readTouch(0).code).toBe(0)
    expect(readTouch(0xffffffff).code).toBe(0)
    expect(at.voidTime).toBe(at.now() + 75)
    // The answer comes before the touch.
    expect(readTouch(80).voidTime).toBe(at.now() + 75)
    expect(at.voidTime).toBe(at.now() + 100)
    expect(at.generation).toBe(1)
    expect(at.bins()).toEqual({ a: 1 })
    for (const ttl of [101, KEEP]) expect(readTouch(ttl).code).toBe(4)
    at.write({ digest: 2 })
    expect(at.run({ ...ALL, digest: 2, ttl: 101 }).code).toBe(0)
  })

  it('is set back by the share that set or namespace name', () => {
    for (const set of [false, true]) {
      at.settings.defaultReadTouchTtlPct = set ? 0 : 80
      at.namespace.setSettings('s').defaultReadTouchTtlPct = set ? 80 : 0
      at.write({ ttl: 100 })
      at.pass(30)
      at.bins()
      expect(at.voidTime).toBe(at.now() + 100)
    }
    at.pass(30)
    expect(at.run({ ...ALL, ttl: 0xffffffff }).code).toBe(0)
    expect(at.run({ ...HEADER, ttl: 0xffffffff }).voidTime).toBe(at.now() + 70)
  })
})

describe('what was truncated', () => {
  const later = (): number => (at.now() + 1_262_304_000) * 1000 + 5000

  it('is gone, and what comes after it stays, whatever the clock says', () => {
    at.write()
    at.namespace.truncate('s', later())
    expect(at.bins()).toBeUndefined()
    at.namespace.truncate('s', later() - 3000)
    // The new version is older than the mark by the clock.
    at.write({ ops: [bin('new', 1)] })
    expect(at.bins()).toEqual({ new: 1 })
  })

  it('stays apart from what comes after the next start', () => {
    at.namespace.truncate(undefined, later())
    at = at.again()
    at.write({ ops: [bin('new', 1)] })
    expect(at.bins()).toEqual({ new: 1 })
  })

  it('comes back where the mark is taken back before the sweep', () => {
    at.write()
    at.namespace.truncate('s', later())
    at.namespace.untruncate('s')
    expect(at.bins()).toEqual({ a: 1 })
  })
})
