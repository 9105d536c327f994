import { op } from '@larder/engine'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { RealCluster } from '../support/real-cluster.ts'
import { expectNothingLost, long, underLoad } from '../support/scene.ts'

const filler = 100_000

/** With so much that it takes seconds to move: no client waits for that. */
async function fill(cluster: RealCluster): Promise<void> {
  const client = await cluster.connect()
  for (let from = 0; from < filler; from += 500) {
    const keys = Array.from({ length: 500 }, (_, i) => ({ namespace: 'shop', set: 'filler', key: from + i }))
    await client.batch(keys.map((key) => ({ operate: key, ops: [op.write('text', 'x'.repeat(100))] })))
  }
  await client.close()
}

describe('what operators do to an available namespace under load', () => {
  it.each(long ? [3, 5] : [3])('a rolling restart of %i nodes shows no client an error', async (size) => {
    await underLoad({ size }, async (scene) => {
      const { cluster, load } = scene
      for (const node of cluster.nodes) {
        await cluster.restart(node)
        expect(load.failedSince(0)).toEqual([])
      }
      await expectNothingLost(scene)
    })
  })

  it('a node is added: no client sees an error, and it gets its share', async () => {
    await underLoad({ size: 3, pinned: [0, 1] }, async (scene) => {
      const { cluster, load } = scene
      await fill(cluster)
      const added = await cluster.add()
      await cluster.whenStable()
      await sleep(1500)
      expect(load.failedSince(0)).toEqual([])
      expect(Number(await added.statistic('master_objects', 'namespace/shop'))).toBeGreaterThan(0)
      await expectNothingLost(scene)
    })
  })
})
