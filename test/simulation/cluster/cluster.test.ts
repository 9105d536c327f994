import { describe, expect, it } from 'vitest'
import { runCluster, type ClusterRunOptions } from '../../../engine/src/simulator/cluster-run.ts'

const long = process.env.LARDER_LONG === '1'
const seeds = long ? 2000 : 25

async function runAll(kind: ClusterRunOptions['kind']): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (let seed = 0; seed < seeds; seed++) {
    const { violations, counts } = await runCluster({ seed, kind })
    expect(violations, `npm run simulate -- --kind ${kind} --seed ${seed}`).toEqual([])
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
  }
  return sums
}

describe('an AP cluster of whole nodes', { timeout: long ? 7_200_000 : 240_000 }, () => {
  it(`loses nothing acknowledged while fewer than RF nodes are away, ${seeds} seeds`, async () => {
    const { ok, inDoubt, faults, proxied } = await runAll('losses')
    // A run in which nothing happens proves nothing.
    expect(ok).toBeGreaterThan(500 * seeds)
    expect(faults).toBeGreaterThanOrEqual(8 * seeds)
    expect(proxied).toBeGreaterThan(100 * seeds)
    expect(inDoubt).toBeLessThan(ok! / 20)
  })

  it(`becomes the same everywhere after any faults, each record one version whole, ${seeds} seeds`, async () => {
    const { ok, faults } = await runAll('splits')
    expect(ok).toBeGreaterThan(200 * seeds)
    expect(faults).toBeGreaterThan(15 * seeds)
  })

  // Seeds 0 to 3 have all three durabilities.
  it('is the same run, byte for byte, for the same seed', async () => {
    for (const seed of [0, 1, 2, 3]) {
      const kind = seed % 2 === 0 ? 'losses' : 'splits'
      const first = await runCluster({ seed, kind })
      const second = await runCluster({ seed, kind })
      expect(second.transcript).toBe(first.transcript)
      expect(second.checksum).toBe(first.checksum)
    }
  })
})
