import { describe, it } from 'vitest'
import { hang, hangMs, killAndRestart } from '../support/acts.ts'
import { expectNothingLost, underLoad } from '../support/scene.ts'

describe('nodes of an available namespace are lost', () => {
  it.each([
    [3, [2]],
    [5, [0, 3]],
  ])(
    'of %i some are killed, one after the other: the rest serves on, nothing is lost',
    async (size, victims) => {
      await underLoad({ size, pinned: [1] }, async (scene) => {
        for (const victim of victims) await killAndRestart(scene, victim)
        await expectNothingLost(scene)
      })
    },
  )

  it(
    `one hangs for ${hangMs / 1000} s: the others go on without it, and it comes back without harm`,
    async () => {
      await underLoad({ size: 3, pinned: [1] }, async (scene) => {
        await hang(scene, 2)
        await expectNothingLost(scene)
      })
    },
    60_000 + hangMs,
  )
})
