import { describe, expect, it } from 'vitest'
import { Rendezvous } from '../../../engine/src/cluster/rendezvous.ts'
import {
  knownRosters,
  mayActivate,
  type RosterContent,
  type RosterVersion,
} from '../../../engine/src/cluster/strong/roster.ts'

const process = (id: string, incarnation = `folder of ${id}`) => ({ id, incarnation, start: 's' })
const rosterOf = (ids: readonly string[], replicationFactor: number): RosterContent => ({
  seats: ids.map((id) => ({ id, incarnation: `folder of ${id}`, rack: 0 })),
  replicationFactor,
  givenUp: [],
})
const order = (partition: number) => new Rendezvous(['A1', 'A2', 'A3', 'A4', 'A5']).order(partition)
const subsetsOf = (ids: readonly string[]) =>
  Array.from({ length: 1 << ids.length }, (_, bits) => ids.filter((_, i) => bits & (1 << i)))

describe('a view that may activate (A1)', () => {
  it('shares a node with every other, for each roster of up to five and each partition of some', () => {
    for (let count = 1; count <= 5; count++) {
      for (let factor = 1; factor <= Math.min(3, count); factor++) {
        const ids = Array.from({ length: count }, (_, i) => `A${i + 1}`)
        const roster = rosterOf(ids, factor)
        for (let partition = 0; partition < 12; partition++) {
          const able = subsetsOf(ids).filter((members) =>
            mayActivate(
              roster,
              order(partition),
              members.map((id) => process(id)),
            ),
          )
          // All of them may, and so may all but one of three or more: otherwise one node's end would be everybody's.
          expect(able).toContainEqual(ids)
          if (count >= 3 && factor >= 2)
            expect(able.filter((members) => members.length === count - 1).length).toBe(count)
          for (const one of able) {
            for (const other of able) {
              expect(
                one.some((id) => other.includes(id)),
                `${one} and ${other} of ${ids}, RF ${factor}`,
              ).toBe(true)
            }
          }
        }
      }
    }
  })

  it('counts a node only with the folder that is listed (R1)', () => {
    const roster = rosterOf(['A1', 'A2', 'A3'], 2)
    const [one, two] = [process('A1'), process('A2')]
    expect(mayActivate(roster, order(0), [one, two])).toBe(true)
    expect(mayActivate(roster, order(0), [one, process('A2', 'another')])).toBe(
      mayActivate(roster, order(0), [one]),
    )
    expect(
      mayActivate(roster, order(0), [process('A1', 'new'), process('A2', 'new'), process('A3', 'new')]),
    ).toBe(false)
  })

  it('takes half of the roster only with the roster master', () => {
    for (let partition = 0; partition < 20; partition++) {
      const roster = rosterOf(['A1', 'A2'], 1)
      const alone = ['A1', 'A2'].filter((id) => mayActivate(roster, order(partition), [process(id)]))
      expect(alone.length).toBe(1)
    }
  })
})

describe('roster versions (R2)', () => {
  const view = (number: number) => ({ number, leader: 'A1', incarnation: 'x' })
  const version = (number: number, by = number): RosterVersion => ({
    ...rosterOf(['A1'], 1),
    number,
    view: view(by),
  })

  it('the higher wins, by number and then by view', () => {
    const inForce = version(1)
    expect(knownRosters([])).toBeUndefined()
    expect(knownRosters([{ inForce }, { inForce: version(3) }, { inForce: version(2) }])).toEqual({
      inForce: version(3),
    })
    expect(
      knownRosters([
        { inForce, pending: version(2, 7) },
        { inForce, pending: version(2, 9) },
      ]),
    ).toEqual({ inForce, pending: version(2, 9) })
  })

  it('what was pending on one node is over when it is in force on another', () => {
    expect(knownRosters([{ inForce: version(1), pending: version(2) }, { inForce: version(2) }])).toEqual({
      inForce: version(2),
    })
  })
})
