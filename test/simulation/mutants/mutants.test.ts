import { describe, expect, it } from 'vitest'
import { clusterMutants } from './cluster-mutants.ts'
import { membershipMutants } from './membership-mutants.ts'
import { runMutant } from './mutant.ts'
import { strongMutants } from './strong-mutants.ts'

/** Seeds that are tried from the known one on, in case a change has made that one pass. */
const runs = { membership: 300, losses: 60, splits: 60, strong: 40_000, scenes: 300 }

describe('each rule, taken out, is missed', () => {
  it.each([...membershipMutants, ...clusterMutants, ...strongMutants])(
    '$name',
    { timeout: 150_000 },
    (mutant) => {
      const { noticed, printed } = runMutant(mutant, runs[mutant.kind])
      expect(noticed, printed).toBe(true)
      expect(printed).toMatch(new RegExp(mutant.breaks))
    },
  )
})
