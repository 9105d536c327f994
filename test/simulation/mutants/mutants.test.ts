import { describe, expect, it } from 'vitest'
import { membershipMutants } from './membership-mutants.ts'
import { runMutant } from './mutant.ts'

/** Seeds that are tried; each mutant so far is found within far fewer. */
const runs = 300

describe('each rule of membership, taken out, is missed', () => {
  it.each(membershipMutants)('$name', { timeout: 150_000 }, (mutant) => {
    const { noticed, printed } = runMutant(mutant, 'membership', runs)
    expect(noticed, printed).toBe(true)
    expect(printed).toMatch(new RegExp(mutant.breaks))
  })
})
