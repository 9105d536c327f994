import { describe, expect, it } from 'vitest'
import { type Mutant, runMutant, type UnseenMutant } from './mutant.ts'

const long = process.env.LARDER_LONG === '1'
/** Seeds that are tried from the known one on, in case a change has made that one pass; more of them in a long run. */
const runs = { membership: 300, losses: 60, splits: 60, strong: 40_000, scenes: 300, 'strong-cluster': 100 }
const times = long ? 10 : 1
/** Milliseconds of such a search. */
const searchTime = 150_000 * times

/** One test for each: the simulator misses the rule. */
export function expectMissed(mutants: readonly Mutant[]): void {
  it.each(mutants)('$name', { timeout: searchTime + 30_000 }, (mutant) => {
    const { noticed, printed } = runMutant(mutant, runs[mutant.kind] * times, searchTime)
    expect(noticed, printed).toBe(true)
    expect(printed).toMatch(new RegExp(mutant.breaks))
  })
}

/** One test for each, in long runs alone: a search finds nothing, or the mutant belongs to the others. */
export function describeUnseen(title: string, mutants: readonly UnseenMutant[]): void {
  if (!long) return
  describe(title, () => {
    it.each(mutants)('$name', { timeout: searchTime + 30_000 }, (mutant) => {
      const { noticed, printed } = runMutant(
        { ...mutant, seed: 0, breaks: '' },
        runs[mutant.kind] * times,
        searchTime,
      )
      expect(noticed, `a seed shows it now: ${printed}`).toBe(false)
    })
  })
}
