import { describe } from 'vitest'
import { expectMissed } from './search.ts'
import { strongMutants } from './strong-mutants.ts'

describe('each rule of strong consistency, taken out, is missed', () => {
  expectMissed(strongMutants)
})
