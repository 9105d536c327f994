import { expect, it } from 'vitest'
import { runStrongCluster } from '../../../engine/src/simulator/strong-cluster-run.ts'
import { long } from '../cluster/seeds.ts'

const seeds = long ? 200 : 12

it(
  `a strong namespace of a whole cluster keeps its promise, ${seeds} seeds`,
  { timeout: 3_600_000 },
  async () => {
    const sums: Record<string, number> = {}
    for (let seed = 0; seed < seeds; seed++) {
      const { violations, counts } = await runStrongCluster({ seed })
      expect(violations, `npm run simulate -- --kind strong-cluster --seed ${seed}`).toEqual([])
      for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
    }
    console.log(`${seeds} clusters: ${JSON.stringify(sums)}`)
    // Runs in which nothing happens prove nothing.
    expect(sums.acknowledged).toBeGreaterThan(300 * seeds)
    expect(sums.reads).toBeGreaterThan(100 * seeds)
    expect(sums.rosters).toBeGreaterThan(seeds)
    expect(sums.truncated).toBeGreaterThan(3 * seeds)
    expect(sums.gaveUp).toBeLessThan(seeds / 4)
  },
)

it('is the same run, byte for byte, for the same seed', { timeout: 600_000 }, async () => {
  const first = await runStrongCluster({ seed: 3 })
  const second = await runStrongCluster({ seed: 3 })
  expect(second.checksum).toBe(first.checksum)
  expect((await runStrongCluster({ seed: 4 })).checksum).not.toBe(first.checksum)
})
