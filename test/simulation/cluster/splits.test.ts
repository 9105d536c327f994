import { describe, expect, it } from 'vitest'
import { splitShapes } from '../../../engine/src/simulator/network.ts'
import { commonEvents, long, missing, runSeeds } from './seeds.ts'

const seeds = long ? 3000 : 245

describe('an AP cluster of whole nodes to which anything happens', { timeout: 7_200_000 }, () => {
  it(`becomes the same everywhere, each record one version whole, ${seeds} seeds`, async () => {
    const sums = await runSeeds('splits', seeds)
    expect(sums.ok).toBeGreaterThan(200 * seeds)
    expect(sums.faults).toBeGreaterThan(15 * seeds)
    expect(sums.quietReads).toBeGreaterThan(10 * seeds)
    const own = ['crash', 'restart', 'quiesce', 'message lost', 'message cut off', 'disk speed']
    const splits = splitShapes.map((shape) => `split ${shape}`)
    expect(missing(sums, [...commonEvents, ...own, ...splits])).toEqual([])
  })
})
