import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { brokenLinks } from '../support/broken-links.ts'
import { expectLinearizable, long, underStrongLoad } from '../support/scene.ts'

/** Three heartbeat time-outs: so long after the last fault all are in one view. */
const settledMs = 4500
const cutMs = long ? 30_000 : 5000

describe('the network between nodes of a strong namespace', () => {
  it.each(brokenLinks)('%s: linearizable all the time, and served again afterwards', async (_, links) => {
    await underStrongLoad({ size: 3, relays: true, pinned: [0, 1, 2] }, async (scene) => {
      const { cluster, load } = scene
      for (const [from, to] of links) cluster.relays!.set(from, to, { isHeld: true })
      await sleep(cutMs)
      cluster.relays!.heal()
      await cluster.whenStable({ ms: settledMs, ignoreMigrations: true })
      await cluster.whenStable()
      const settled = performance.now()
      await sleep(1500)
      expect(load.failedSince(settled)).toEqual([])
      await expectLinearizable(scene)
    })
  })
})
