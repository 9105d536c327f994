import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { expectLinearizable, underStrongLoad } from '../support/scene.ts'

describe('what operators do to a strong namespace under load', () => {
  it('a rolling restart shows no client an error', async () => {
    await underStrongLoad({ size: 3 }, async (scene) => {
      const { cluster, load } = scene
      for (const node of cluster.nodes) {
        await cluster.restart(node)
        expect(load.failedSince(0)).toEqual([])
      }
      await expectLinearizable(scene)
    })
  })

  it('a node is added and comes on the roster: no client sees an error, and it gets its share', async () => {
    await underStrongLoad({ size: 3, pinned: [0, 1] }, async (scene) => {
      const { cluster, load } = scene
      const added = await cluster.add()
      await cluster.whenStable()
      await cluster.setRoster(cluster.nodes)
      await cluster.whenStable()
      await sleep(1500)
      expect(load.failedSince(0)).toEqual([])
      expect(Number(await added.statistic('master_objects', 'namespace/stock'))).toBeGreaterThan(0)
      await expectLinearizable(scene)
    })
  })
})
