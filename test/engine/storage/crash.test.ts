import { describe, expect, it } from 'vitest'
import { crashRun, type CrashRunOptions } from './crash-run.ts'

const long = process.env.LARDER_LONG === '1'
const runs = long ? 50_000 : 3000

describe('crashes on a disk that forgets', { timeout: 600_000 }, () => {
  for (const durability of ['commit', 'flush'] as const)
    it(`${durability}: nothing that was said to last is lost, deletes included`, async () => {
      for (let seed = 0; seed < runs; seed++) expect(await crashRun({ seed, durability })).toBeUndefined()
    })
})

/**
 * Every place in the storage that syncs, by the function it stands in, and the seed that last showed that it is
 * missed, which is tried first.
 */
const syncs: readonly { kind: 'sync' | 'syncFolder'; within: RegExp; what: string; last?: number }[] = [
  { kind: 'sync', within: /GroupCommit\.#group/, what: 'of a group' },
  { kind: 'syncFolder', within: /GroupCommit\.#group/, what: "of a new segment's name" },
  {
    kind: 'syncFolder',
    within: /Compaction\.#removeCopied/,
    what: 'of the removal of a compacted segment',
    last: 999,
  },
  {
    kind: 'sync',
    within: /LogReader\.#syncEnd/,
    what: 'of what a killed process left in the cache',
    last: 3634,
  },
  { kind: 'syncFolder', within: /DataFolder\.removeCheckpoint/, what: 'of what recovery cut off', last: 824 },
  { kind: 'sync', within: /writeWhole/, what: 'of the format file and the checkpoint' },
  { kind: 'syncFolder', within: /writeWhole/, what: 'of the name of a checkpoint' },
]

describe('the crash test fails without the sync', { timeout: 600_000 }, () => {
  for (const { kind, within, what, last = 0 } of syncs)
    it(what, async () => {
      let skipped = 0
      const skipsSync: CrashRunOptions['skipsSync'] = (call) => {
        const skip = call === kind && within.test(new Error().stack ?? '')
        if (skip) skipped++
        return skip
      }
      let found: string | undefined
      for (let seed = -1; seed < runs * 3 && found === undefined; seed++)
        found = await crashRun({ seed: seed < 0 ? last : seed, durability: 'commit', lives: 8, skipsSync })
      expect(skipped).toBeGreaterThan(0)
      expect(found).toBeDefined()
    })
})
