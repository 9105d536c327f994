import { describe, expect, it } from 'vitest'
import { planOf, type CopyReport } from '../../../engine/src/cluster/strong/activation.ts'
import { firstLineage, noLineage, type Lineage } from '../../../engine/src/cluster/strong/lineage.ts'
import { firstRegime } from '../../../engine/src/cluster/strong/position.ts'
import { noView } from '../../../engine/src/cluster/view-id.ts'
import { Rendezvous } from '../../../engine/src/cluster/rendezvous.ts'

const ids = ['A1', 'A2', 'A3']
const members = ids.map((id) => ({ id, incarnation: `folder of ${id}`, start: 's' }))
const seats = members.map(({ id, incarnation }) => ({ id, incarnation, rack: 0 }))
const roster = { seats, replicationFactor: 2, givenUp: [], number: 1, view: noView }
const order = new Rendezvous(ids).order(0)

const lineageAt = (sequence: number): Lineage => ({
  ...firstLineage,
  state: { regime: firstRegime, sequence },
})
const report = (changes: Partial<CopyReport> = {}): CopyReport => ({
  rosters: { inForce: roster },
  activations: [],
  claims: [noView],
  served: noView,
  unclean: false,
  lineage: lineageAt(0),
  ...changes,
})
const planWith = (reportOf: (id: string) => CopyReport) =>
  planOf(
    {
      id: { number: 7, leader: 'A3', incarnation: 'x' },
      members,
      input: { reports: ids.map((id) => reportOf(id)) },
    },
    0,
    'flush',
  )

describe('the plan of a view', () => {
  it('starts from the highest state among the complete copies, under the first complete replica (A7)', () => {
    const plan = planWith((id) =>
      id === order[0]
        ? report({ claims: [], lineage: lineageAt(9) })
        : report({ lineage: lineageAt(id === order[2] ? 5 : 3) }),
    )!
    expect(plan.start.state.sequence).toBe(5)
    expect(plan.source.id).toBe(order[2])
    expect(plan.master.id).toBe(order[1])
    expect(plan.activation.regime.number).toBe(7)
    // The first replica must be filled, so the third copy is still needed (A6).
    expect(plan.replicas.map(({ id }) => id)).toEqual(order)
    expect(plan.complete.map(({ id }) => id)).toEqual(order.slice(1))
  })

  it('is a synced regime when it begins with fewer complete copies than replicas (D2)', () => {
    const blank = report({ claims: [], lineage: noLineage })
    expect(planWith((id) => (id === order[1] ? report() : blank))!.activation.synced).toBe(true)
    expect(planWith(() => report())!.activation.synced).toBe(false)
  })

  it('is none without a complete copy, and none without a roster', () => {
    expect(planWith(() => report({ claims: [] }))).toBeUndefined()
    expect(planWith(() => report({ unclean: true }))).toBeUndefined()
    expect(planWith(() => report({ rosters: undefined }))).toBeUndefined()
  })
})
