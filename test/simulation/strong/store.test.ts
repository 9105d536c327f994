import { describe, expect, it } from 'vitest'
import type { NewDisk } from '../../../engine/src/simulator/strong-disk.ts'
import { runStrong } from '../../../engine/src/simulator/strong-run.ts'
import { runScene, sceneCount } from '../../../engine/src/simulator/strong-scenes.ts'
import { StoreDisk } from './store-disk.ts'

const long = process.env.LARDER_LONG === '1'
const seeds = long ? 20_000 : process.env.REQUIRE_ALL === '1' ? 4000 : 300

/** Real stores, each with a chance of its own. */
function storesOf(seed: number): NewDisk {
  let count = 0
  return (process, meta, lineage) => new StoreDisk(process, meta, lineage, seed * 1000 + count++)
}

/** Outside of microtasks, which the stores need run to their end within an event. */
function outside<T>(run: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(run())
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
  })
}

describe('one strongly consistent partition on real stores', () => {
  it(`keeps its rules, ${seeds} schedules`, { timeout: long ? 3_600_000 : 120_000 }, async () => {
    const sums: Record<string, number> = {}
    for (let seed = 0; seed < seeds; seed++) {
      const { violations, counts } = await outside(() => runStrong({ seed, newDisk: storesOf(seed) }))
      expect(violations, `seed ${seed}`).toEqual([])
      for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
    }
    console.log(`${seeds} schedules on real stores: ${JSON.stringify(sums)}`)
    expect(sums.regimes).toBeGreaterThan(3 * seeds)
    expect(sums.acknowledged).toBeGreaterThan(4 * seeds)
  })

  it('keeps its rules in schedules that aim at one of them', async () => {
    for (let seed = 0; seed < (long ? 50 : 4) * sceneCount; seed++) {
      const { violations } = await outside(() => runScene(seed, storesOf(seed)))
      expect(violations, `scene ${seed}`).toEqual([])
    }
  })
})
