import { expect, it } from 'vitest'
import { runCluster } from '../../../engine/src/simulator/cluster-run.ts'
import { long } from './seeds.ts'

const seeds = long ? 50 : 1

// What holds for 16 partitions must not be lost in the bookkeeping for as many as a server has.
it.each(['losses', 'splits'] as const)(
  `holds with 4096 partitions of %s, ${seeds} seeds`,
  { timeout: 7_200_000 },
  async (kind) => {
    for (let seed = 0; seed < seeds; seed++) {
      const { violations, counts } = await runCluster({ seed, kind, partitions: 4096 })
      expect(violations, `npm run simulate -- --kind ${kind} --seed ${seed} --partitions 4096`).toEqual([])
      expect(counts.ok).toBeGreaterThan(1000)
    }
  },
)
