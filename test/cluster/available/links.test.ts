import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { breakLinks } from '../support/acts.ts'
import { brokenLinks } from '../support/broken-links.ts'
import { expectAgreement, expectNothingLost, underLoad } from '../support/scene.ts'

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
        const { load, records } = scene
        await breakLinks(scene, links)
        await load.stop()
        const state = await records.state()
        expect(records.torn(state)).toEqual([])
        await expectAgreement(scene, state)
      })
    },
  )
})
