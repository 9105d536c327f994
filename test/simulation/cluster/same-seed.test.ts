import { expect, it } from 'vitest'
import { runCluster } from '../../../engine/src/simulator/cluster-run.ts'

// Seeds 0 to 7 have all three durabilities, failing disks and losses of power in them.
it('is the same run, byte for byte, for the same seed', async () => {
  const happened = new Set<string>()
  for (let seed = 0; seed < 8; seed++) {
    const kind = seed % 2 === 0 ? 'losses' : 'splits'
    const first = await runCluster({ seed, kind })
    const second = await runCluster({ seed, kind })
    expect(second.transcript).toBe(first.transcript)
    expect(second.checksum).toBe(first.checksum)
    expect(second.counts).toEqual(first.counts)
    for (const name of Object.keys(first.counts)) happened.add(name)
  }
  for (const name of [
    'torn write',
    'failed sync',
    'power lost between two saves',
    'full disk refused a write',
  ])
    expect(happened).toContain(name)
})
