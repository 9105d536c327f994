import { describe, expect, it } from 'vitest'
import { commonEvents, long, missing, runSeeds } from './seeds.ts'

const seeds = long ? 3000 : 245

describe('an AP cluster of whole nodes of which fewer than RF are away', { timeout: 7_200_000 }, () => {
  it(`loses nothing acknowledged and serves soon, ${seeds} seeds`, async () => {
    const sums = await runSeeds('losses', seeds)
    // A run in which nothing happens proves nothing.
    expect(sums.ok).toBeGreaterThan(500 * seeds)
    expect(sums.faults).toBeGreaterThanOrEqual(6 * seeds)
    expect(sums.proxied).toBeGreaterThan(100 * seeds)
    expect(sums.quietReads).toBeGreaterThan(10 * seeds)
    expect(sums.inDoubt).toBeLessThan(sums.ok! / 20)
    const own = ['kill', 'power', 'node added', 'node removed', 'service checked', 'moves']
    expect(missing(sums, [...commonEvents, ...own])).toEqual([])
  })
})
