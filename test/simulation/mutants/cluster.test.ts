import { describe } from 'vitest'
import { clusterMutants, unseenClusterMutants } from './cluster-mutants.ts'
import { membershipMutants } from './membership-mutants.ts'
import { describeUnseen, expectMissed } from './search.ts'

describe('each rule of membership, maps and AP, taken out, is missed', () => {
  expectMissed([...membershipMutants, ...clusterMutants])
})

describeUnseen('rules that nothing shows', unseenClusterMutants)
