import { describe, expect, it } from 'vitest'
import type { CopyMeta } from '../../../engine/src/cluster/strong/copy-disk.ts'
import { blankMeta } from '../../../engine/src/cluster/strong/copy-meta.ts'
import { firstLineage, noLineage } from '../../../engine/src/cluster/strong/lineage.ts'
import { namespaceReport } from '../../../engine/src/cluster/strong/namespace-report.ts'
import { Orders } from '../../../engine/src/cluster/strong/orders.ts'
import { Plans, type StrongInput } from '../../../engine/src/cluster/strong/plans.ts'
import type { RosterVersion } from '../../../engine/src/cluster/strong/roster.ts'
import type { ViewId } from '../../../engine/src/cluster/view-id.ts'

const partitions = 64
const process = (id: string) => ({ id, incarnation: `folder of ${id}`, start: 's' })
const seat = (id: string) => ({ id, incarnation: `folder of ${id}`, rack: 0 })
const viewId = (number: number): ViewId => ({ number, leader: 'A1', incarnation: 'folder of A1' })
const content = (ids: readonly string[]) => ({ seats: ids.map(seat), replicationFactor: 2, givenUp: [] })
const version = (ids: readonly string[], number: number): RosterVersion => ({
  ...content(ids),
  number,
  view: viewId(number),
})

/** What every member of `ids` has been through, by partition. */
function plansOf(
  ids: readonly string[],
  metaOf: (partition: number, id: string) => CopyMeta,
  rest: Partial<StrongInput> & { readonly earlier?: readonly string[] } = {},
): Plans {
  const members = ids.map(process)
  const reports = ids.map((id) => {
    const copies = Array.from({ length: partitions }, (_, partition) => {
      const meta = metaOf(partition, id)
      return { meta, lineage: meta.rosters ? firstLineage : noLineage }
    })
    return namespaceReport(copies, rest.earlier?.includes(id) ?? false)
  })
  const input: StrongInput = { durability: 'commit', members, reports, ...(rest.wish && { wish: rest.wish }) }
  return new Plans({ id: viewId(9), members, quiesced: [] }, input, new Orders(partitions))
}

const all = Array.from({ length: partitions }, (_, partition) => partition)

describe('the first roster', () => {
  const wish = { content: content(['A1', 'A2', 'A3']), revives: false }

  it('is in force at once for every partition, when all that it lists are here', () => {
    const plans = plansOf(['A1', 'A2', 'A3'], () => blankMeta, { wish })
    expect(plans.unavailable).toBe(0)
    for (const partition of all) {
      const plan = plans.at(partition)!
      expect(plan.rosters.inForce.number).toBe(1)
      expect(plan.replicas).toHaveLength(2)
      expect(plan.complete).toEqual(plan.replicas)
    }
    expect(plansOf(['A1', 'A2'], () => blankMeta, { wish }).unavailable).toBe(partitions)
    expect(plansOf(['A1', 'A2', 'A3'], () => blankMeta).unavailable).toBe(partitions)
  })

  it('begins with the data of one folder, and never leaves data out', () => {
    const from = 'folder of A2'
    const kept = { content: { ...wish.content, from }, revives: false }
    const plans = plansOf(['A1', 'A2', 'A3'], () => blankMeta, { wish: kept, earlier: ['A2'] })
    for (const partition of all) {
      const plan = plans.at(partition)!
      expect(plan.complete.map(({ id }) => id)).toEqual(['A2'])
      expect(plan.source.id).toBe('A2')
    }
    for (const earlier of [['A1'], ['A1', 'A2']])
      expect(plansOf(['A1', 'A2', 'A3'], () => blankMeta, { wish: kept, earlier }).unavailable).toBe(
        partitions,
      )
    expect(plansOf(['A1', 'A2', 'A3'], () => blankMeta, { wish, earlier: ['A2'] }).unavailable).toBe(
      partitions,
    )
  })

  it('waits for that folder where the first view served nothing', () => {
    const written = { inForce: { ...version(['A1', 'A2', 'A3'], 1), from: 'folder of A2' } }
    const meta = { ...blankMeta, rosters: written }
    expect(plansOf(['A1', 'A3'], () => meta).unavailable).toBe(partitions)
    expect(plansOf(['A1', 'A2'], () => meta).at(0)?.source.id ?? 'A2').toBe('A2')
  })
})

describe('a roster that changes', () => {
  const old = version(['A1', 'A2', 'A3'], 1)
  const next = version(['A1', 'A2', 'A4'], 2)
  const members = ['A1', 'A2', 'A3', 'A4']
  /** All have served in a view with these rosters. */
  const served = (rosters: CopyMeta['rosters'], pending?: ViewId): CopyMeta => {
    const activation = {
      regime: viewId(5),
      previous: viewId(4),
      members: members.map(process),
      synced: true,
      ...(pending && { pending }),
    }
    return {
      ...blankMeta,
      rosters,
      activations: [activation],
      claims: [viewId(5)],
      served: viewId(5),
    }
  }
  const before = served({ inForce: old })
  const during = served({ inForce: old, pending: next }, next.view)

  it('is pending everywhere, then in force everywhere (R2)', () => {
    const wish = { content: content(['A1', 'A2', 'A4']), revives: false }
    const proposed = plansOf(members, () => before, { wish })
    for (const partition of all) {
      const { inForce, pending } = proposed.at(partition)!.rosters
      expect([inForce.number, pending?.number]).toEqual([1, 2])
    }
    const settled = plansOf(members, () => during)
    for (const partition of all) expect(settled.at(partition)!.rosters).toEqual({ inForce: next })
  })

  it('is in force for no partition while one has not served with it (R2)', () => {
    const plans = plansOf(members, (partition) => (partition === 7 ? before : during))
    for (const partition of all) {
      const { inForce, pending } = plans.at(partition)!.rosters
      expect([inForce.number, pending?.number], `partition ${partition}`).toEqual([1, 2])
    }
  })

  it('is not proposed while a partition does not serve (R3)', () => {
    const wish = { content: content(['A1', 'A2', 'A4']), revives: false }
    const dead = { ...before, claims: [] }
    const plans = plansOf(members, (partition) => (partition === 7 ? dead : before), { wish })
    expect([plans.unavailable, plans.dead]).toEqual([1, 1])
    for (const partition of all) expect(plans.at(partition)?.rosters.pending).toBeUndefined()
  })

  it('is withdrawn by nothing that does not satisfy both (R2)', () => {
    const wish = { content: content(['A5', 'A6']), revives: false }
    const plans = plansOf(members, (partition) => (partition === 7 ? before : during), { wish })
    for (const partition of all) expect(plans.at(partition)!.rosters.pending).toEqual(next)
  })
})
