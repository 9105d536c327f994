/** Which of two versions stays that were written on two sides of a split (C5 of cluster/README.md). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noAncestors, type Past } from '../../../engine/src/cluster/past.ts'
import {
  type Age,
  compareVersions,
  type HeldVersion,
  wins,
} from '../../../engine/src/cluster/stored-version.ts'
import { conflictPolicies, type ConflictPolicy } from '../../../engine/src/namespace/namespace-config.ts'

/** Few values of each, so that ties are common. */
const age: fc.Arbitrary<Age> = fc.record({
  generation: fc.constantFrom(1, 2, 65_535, 65_536),
  lastUpdate: fc.constantFrom(1, 2, 2 ** 40),
  regime: fc.constantFrom(1, 2 ** 20, 2 ** 45 + 1),
  sequence: fc.constantFrom(1, 2, 3),
})
const policy = fc.constantFrom(...conflictPolicies)
/** Of the times above one is beyond it. */
const latest = 2 ** 30

const later = (by: ConflictPolicy, a: Age, b: Age): Age =>
  compareVersions({ policy: by, latest }, a, b) < 0 ? b : a
const sign = (by: ConflictPolicy, a: Age, b: Age): number =>
  Math.sign(compareVersions({ policy: by, latest }, a, b))

describe.each(conflictPolicies)('versions by %s', (by) => {
  it('stand in one order', () => {
    fc.assert(
      fc.property(age, age, age, (a, b, c) => {
        expect(sign(by, a, b)).toBe(-sign(by, b, a) || 0)
        if (sign(by, a, b) >= 0 && sign(by, b, c) >= 0) expect(sign(by, a, c)).toBeGreaterThanOrEqual(0)
        // Nothing but the same version ties.
        if (sign(by, a, b) === 0) expect([a.regime, a.sequence]).toEqual([b.regime, b.sequence])
      }),
      { numRuns: 2000 },
    )
  })
})

describe('copies that meet', () => {
  it('come to the same, in whatever order and however often', () => {
    const copies = fc.array(age, { minLength: 1, maxLength: 6 })
    const orders = copies.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length }),
        fc.integer({ min: 0, max: 2 * all.length - 1 }),
      ),
    )
    fc.assert(
      fc.property(policy, orders, (by, [all, shuffled, cut]) => {
        const merged = (list: readonly Age[]) => list.reduce((a, b) => later(by, a, b))
        const parts = [shuffled.slice(0, cut), shuffled.slice(cut)].filter((part) => part.length > 0)
        expect(sign(by, merged(parts.map(merged)), merged(all))).toBe(0)
      }),
    )
  })

  const past: Past = { regimes: [5], ends: [7] }
  const held = (own: Past, generation: number, lastUpdate: number, regime: number): HeldVersion => ({
    version: {
      ...{
        digest: Buffer.alloc(20),
        sequence: 1,
        deleted: false,
        generation,
        voidTime: 0,
        lastUpdate,
        regime,
      },
      ...{ set: '', key: Buffer.alloc(0), bins: Buffer.alloc(0), binCount: 0 },
    },
    past: own,
    ancestors: noAncestors,
  })

  it('keep the higher generation or the later one, as the namespace says', () => {
    const often = held({ regimes: [5, 6], ends: [7, 1] }, 9, 1000, 6)
    const late = held({ regimes: [5, 8], ends: [7, 1] }, 3, 2000, 8)
    expect(wins({ policy: 'generation', latest: Infinity }, often, late)).toBe(true)
    expect(wins({ policy: 'last-update-time', latest: Infinity }, often, late)).toBe(false)
  })

  it('do not believe a time beyond the bound, unless all are', () => {
    const rule = { policy: 'last-update-time', latest: 1500 } as const
    const [soon, far, farther] = [1000, 2000, 3000].map((time, i) =>
      held({ regimes: [5, 6 + i], ends: [7, 1] }, 1, time, 6 + i),
    )
    expect(wins(rule, soon!, far!)).toBe(true)
    expect(wins(rule, farther!, far!)).toBe(true)
    expect(wins({ ...rule, latest: Infinity }, soon!, far!)).toBe(false)
  })

  it('let go of what the other one has had, whatever its numbers say', () => {
    const old = held(past, 65_000, 9e12, 5)
    const next = held({ regimes: [5, 6], ends: [7, 1] }, 1, 1, 6)
    for (const by of conflictPolicies) expect(wins({ policy: by, latest: Infinity }, next, old)).toBe(true)
  })
})
