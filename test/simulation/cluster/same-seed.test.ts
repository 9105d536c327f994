import { expect, it } from 'vitest'
import { runCluster } from '../../../engine/src/simulator/cluster-run.ts'

const needed = ['torn write', 'failed sync', 'power lost between two saves', 'full disk refused a write']

// Eight seeds have all three durabilities in them; those after them are there until every kind of disk fault is.
it('is the same run, byte for byte, for the same seed', async () => {
  const happened = new Set<string>()
  for (let seed = 0; seed < 8 || (seed < 48 && needed.some((name) => !happened.has(name))); seed++) {
    const kind = seed % 2 === 0 ? 'losses' : 'splits'
    const first = await runCluster({ seed, kind })
    const second = await runCluster({ seed, kind })
    expect(second.transcript).toBe(first.transcript)
    expect(second.checksum).toBe(first.checksum)
    expect(second.counts).toEqual(first.counts)
    for (const name of Object.keys(first.counts)) happened.add(name)
  }
  expect([...happened]).toEqual(expect.arrayContaining(needed))
})
