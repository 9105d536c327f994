import { describe, it } from 'vitest'
import { breakLinks } from '../support/acts.ts'
import { brokenLinks } from '../support/broken-links.ts'
import { expectLinearizable, underStrongLoad } from '../support/scene.ts'

describe('the network between nodes of a strong namespace', () => {
  it.each(brokenLinks)('%s: linearizable all the time, and served again afterwards', async (_, links) => {
    await underStrongLoad({ size: 3, relays: true, pinned: [0, 1, 2] }, async (scene) => {
      await breakLinks(scene, links)
      await expectLinearizable(scene)
    })
  })
})
