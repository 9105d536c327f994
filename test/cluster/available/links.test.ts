import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { brokenLinks } from '../support/broken-links.ts'
import { expectAgreement, expectNothingLost, long, underLoad } from '../support/scene.ts'

/** Three heartbeat time-outs: so long after the last fault all are in one view. */
const settledMs = 4500
const cutMs = long ? 30_000 : 5000

describe('the network between nodes of an available namespace', () => {
  it('slow and narrow: no client sees an error and nothing is lost', async () => {
    await underLoad({ size: 3, relays: true, pinned: [0] }, async (scene) => {
      const { cluster, load } = scene
      for (const from of cluster.nodes)
        for (const to of cluster.nodes)
          cluster.relays!.set(from.id, to.id, { delayMs: 20, bytesPerSecond: 4_000_000 })
      await sleep(4000)
      cluster.relays!.heal()
      expect(load.failedSince(0)).toEqual([])
      await expectNothingLost(scene)
    })
  })

  it.each(brokenLinks)(
    '%s: afterwards all are one cluster again, each record one version whole',
    async (_, links) => {
      await underLoad({ size: 3, relays: true, pinned: [0, 1, 2] }, async (scene) => {
        const { cluster, load, records } = scene
        for (const [from, to] of links) cluster.relays!.set(from, to, { isHeld: true })
        await sleep(cutMs)
        cluster.relays!.heal()
        await cluster.whenStable({ ms: settledMs, ignoreMigrations: true })
        await cluster.whenStable()
        const settled = performance.now()
        await sleep(1500)
        expect(load.failedSince(settled)).toEqual([])
        await load.stop()
        const state = await records.state()
        expect(records.torn(state)).toEqual([])
        await expectAgreement(scene, state)
      })
    },
  )
})
