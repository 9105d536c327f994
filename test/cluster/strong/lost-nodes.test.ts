import { describe, it } from 'vitest'
import { hang, hangMs, killAndRestart } from '../support/acts.ts'
import { expectLinearizable, long, underStrongLoad } from '../support/scene.ts'

/** Size, and who is killed. Five nodes and their load want more than the two cores of a small machine. */
const deaths: [number, number[]][] = long
  ? [
      [3, [2]],
      [5, [0, 3]],
    ]
  : [[3, [2]]]

describe('nodes of a strong namespace are lost', () => {
  it.each(deaths)(
    'of %i some are killed, one after the other: the rest serves on, linearizable',
    async (size, victims) => {
      await underStrongLoad({ size, pinned: [1] }, async (scene) => {
        for (const victim of victims) await killAndRestart(scene, victim)
        await expectLinearizable(scene)
      })
    },
  )

  it(
    `one hangs for ${hangMs / 1000} s: whoever asks it afterwards gets nothing old`,
    async () => {
      await underStrongLoad({ size: 3, pinned: [1] }, async (scene) => {
        await hang(scene, 2)
        await expectLinearizable(scene)
      })
    },
    60_000 + hangMs,
  )
})
