import { describe, expect, it } from 'vitest'
import { runStrong } from '../../../engine/src/simulator/strong-run.ts'
import { runScene, sceneCount } from '../../../engine/src/simulator/strong-scenes.ts'

const long = process.env.LARDER_LONG === '1' || process.env.REQUIRE_ALL === '1'
const seeds = long ? 100_000 : 5_000

describe('one strongly consistent partition under faults', () => {
  it(`keeps its rules, ${seeds} schedules`, { timeout: long ? 900_000 : 120_000 }, () => {
    const sums: Record<string, number> = {}
    for (let seed = 0; seed < seeds; seed++) {
      const { violations, counts } = runStrong({ seed })
      expect(violations, `npm run simulate -- --kind strong --seed ${seed}`).toEqual([])
      for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
    }
    console.log(`${seeds} schedules: ${JSON.stringify(sums)}`)
    // Schedules in which nothing happens prove nothing.
    expect(sums.regimes).toBeGreaterThan(3 * seeds)
    expect(sums.acknowledged).toBeGreaterThan(4 * seeds)
    expect(sums.dead).toBeLessThan(0.2 * seeds)
    expect(sums.gaveUp).toBeLessThan(0.001 * seeds)
  })

  it('keeps its rules in schedules that aim at one of them', () => {
    for (let seed = 0; seed < 50 * sceneCount; seed++) {
      const { violations } = runScene(seed)
      expect(violations, `npm run simulate -- --kind scenes --seed ${seed}`).toEqual([])
    }
  })

  it('is the same schedule, byte for byte, for the same seed, and another for another', () => {
    for (const seed of [1, 2, 3]) {
      const first = runStrong({ seed, transcript: true })
      const second = runStrong({ seed, transcript: true })
      expect(second.transcript).toBe(first.transcript)
      expect(second.checksum).toBe(first.checksum)
      // Writing it down changes nothing of what happens.
      expect(runStrong({ seed }).counts).toEqual(first.counts)
      expect(runStrong({ seed }).transcript).toBe(first.transcript)
      expect(runStrong({ seed: seed + 100, transcript: true }).checksum).not.toBe(first.checksum)
    }
  })
})
