import { describe, expect, it } from 'vitest'
import { runMembership } from '../../../engine/src/simulator/membership-run.ts'
import { splitShapes } from '../../../engine/src/simulator/network.ts'
import { missing } from '../cluster/seeds.ts'

const long = process.env.LARDER_LONG === '1'
const seeds = long ? 20_000 : 120

describe('membership under faults', () => {
  it(`keeps its invariants and settles, ${seeds} seeds`, { timeout: long ? 3_600_000 : 120_000 }, () => {
    const sums: Record<string, number> = {}
    for (let seed = 0; seed < seeds; seed++) {
      const { violations, counts } = runMembership({ seed })
      expect(violations, `npm run simulate -- --seed ${seed}`).toEqual([])
      for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
    }
    // A run in which nothing happens proves nothing.
    expect(sums.views).toBeGreaterThan(20 * seeds)
    expect(sums.acknowledgements).toBeGreaterThan(20 * seeds)
    const messages = ['lost', 'repeated', 'overtaken', 'cut off'].map((fate) => `message ${fate}`)
    const shapes = splitShapes.map((shape) => `split ${shape}`)
    const faults = ['crash', 'restart', 'lost disk', 'pause', 'disk speed', 'flap', 'renew']
    expect(missing(sums, [...messages, ...shapes, ...faults])).toEqual([])
  })

  it.each(['healed', ...splitShapes] as const)('settles while the network stays %s', (ending) => {
    for (let seed = 0; seed < 6; seed++) {
      expect(runMembership({ seed, ending }).violations, `${ending}, seed ${seed}`).toEqual([])
    }
  })

  it('is the same run, byte for byte, for the same seed, and another for another', () => {
    for (const seed of [1, 2, 3]) {
      const [first, second] = [runMembership({ seed }), runMembership({ seed })]
      expect(second.transcript).toBe(first.transcript)
      expect(second.checksum).toBe(first.checksum)
      expect(runMembership({ seed: seed + 100 }).checksum).not.toBe(first.checksum)
    }
  })
})
