import { describe, expect, it } from 'vitest'
import {
  Holding,
  partitionMap,
  type HoldingTable,
  type MapNode,
} from '../../../engine/src/cluster/partition-map.ts'

const partitions = 4096

function nodesOf(ids: readonly string[], racks = 1): MapNode[] {
  return ids.map((id, index) => ({ id, rack: index % racks, quiesced: false }))
}

function allHold(nodes: number, holding: Holding): HoldingTable {
  return {
    rows: [Array.from({ length: nodes }, () => holding)],
    rowOf: new Array<number>(partitions).fill(0),
    alike: [false],
  }
}

function mapOf(nodes: readonly MapNode[], replicationFactor = 2, holdings?: HoldingTable) {
  return partitionMap({
    algorithm: 1,
    partitions,
    replicationFactor,
    nodes,
    holdings: holdings ?? allHold(nodes.length, Holding.WHOLE),
  })
}

const ids = ['A1', 'A2', 'A3', 'BB9020011ACC4', 'BB9030011ACC4', 'F', '10'] as const

/** Replicas of a partition that are not replicas in the other map. */
function moved(before: ReturnType<typeof mapOf>, after: ReturnType<typeof mapOf>): string[][] {
  return after.map(({ replicas }, partition) =>
    replicas.filter((id) => !before[partition]!.replicas.includes(id)),
  )
}

describe('the partition map', () => {
  it('is the same whatever the order in which members are listed', () => {
    const nodes = nodesOf(ids, 3)
    expect(mapOf([...nodes].reverse(), 3)).toEqual(mapOf(nodes, 3))
  })

  it('moves replicas only to a node that joins, and as many as its share', () => {
    for (const racks of [1, 2, 3]) {
      for (const replicationFactor of [1, 2, 3]) {
        const all = nodesOf(ids, racks)
        const joined = all[3]!
        const before = mapOf(
          all.filter((node) => node !== joined),
          replicationFactor,
        )
        const after = mapOf(all, replicationFactor)
        const moves = moved(before, after).flat()
        expect(new Set(moves)).toEqual(new Set([joined.id]))
        expect(moves.length).toBe(after.filter(({ replicas }) => replicas.includes(joined.id)).length)
      }
    }
  })

  it('moves only what a node held when it leaves', () => {
    for (const racks of [1, 2]) {
      const all = nodesOf(ids, racks)
      const before = mapOf(all)
      const after = mapOf(all.slice(0, -1))
      const gone = all.at(-1)!.id
      const moves = moved(before, after)
      for (const [partition, to] of moves.entries()) {
        expect(to.length).toBe(before[partition]!.replicas.includes(gone) ? 1 : 0)
      }
    }
  })

  it('keeps the order of the others', () => {
    const before = mapOf(nodesOf(ids))
    const after = mapOf(nodesOf(ids.slice(1)))
    for (const [partition, { order }] of after.entries()) {
      expect(order).toEqual(before[partition]!.order.filter((id) => id !== ids[0]))
    }
  })

  // Measured with real and with made-up ids: within four deviations of chance, as rendezvous hashing promises.
  it.each([2, 3, 5, 7, 16])('is as even as chance: %d nodes', (count) => {
    for (const name of [
      (i: number) => `A${i + 1}`,
      (i: number) => `BB9${(i * 10).toString(16)}0011ACC4`.toUpperCase(),
      (i: number) => (0xbb80 + i).toString(16).toUpperCase() + '0242AC110002',
    ]) {
      const map = mapOf(nodesOf(Array.from({ length: count }, (_, i) => name(i))))
      for (const pick of [0, 1]) {
        const shares = new Map<string, number>()
        for (const { replicas } of map) shares.set(replicas[pick]!, (shares.get(replicas[pick]!) ?? 0) + 1)
        const even = partitions / count
        for (const share of shares.values()) {
          expect(Math.abs(share - even)).toBeLessThan(4 * Math.sqrt(even * (1 - 1 / count)))
        }
        expect(shares.size).toBe(count)
      }
    }
  })

  it('puts the replicas of a partition into as many racks as there are', () => {
    const nodes = nodesOf(ids, 3)
    const rackOf = new Map(nodes.map(({ id, rack }) => [id, rack]))
    for (const replicationFactor of [2, 3, 4]) {
      for (const { replicas } of mapOf(nodes, replicationFactor)) {
        expect(replicas.length).toBe(replicationFactor)
        expect(new Set(replicas.map((id) => rackOf.get(id))).size).toBe(Math.min(3, replicationFactor))
      }
    }
  })

  it('has fewer replicas where there are fewer nodes', () => {
    for (const { replicas } of mapOf(nodesOf(['A1', 'A2']), 3)) expect(replicas.length).toBe(2)
  })

  it('leaves a quiesced node to the last', () => {
    const nodes = nodesOf(ids, 2).map((node) => ({ ...node, quiesced: node.id === 'A2' }))
    for (const { order, replicas } of mapOf(nodes)) {
      expect(order.at(-1)).toBe('A2')
      expect(replicas).not.toContain('A2')
    }
  })

  it('gives mastership to the first whole copy, else to the first that has anything, else to the first replica', () => {
    const nodes = nodesOf(['A1', 'A2', 'A3'])
    const empty = mapOf(nodes, 2, allHold(3, Holding.NOTHING))
    for (const { order, master, holders } of empty) {
      expect(master).toBe(order[0])
      expect(holders).toEqual([])
    }
    const rows = [Holding.WHOLE, Holding.NOTHING].map((last) => [Holding.SOME, Holding.NOTHING, last])
    const rowOf = Array.from({ length: partitions }, (_, partition) => partition % 2)
    const holdings = { rows, rowOf, alike: [false, false] }
    for (const [partition, { master, holders }] of mapOf(nodes, 2, holdings).entries()) {
      expect(master).toBe(partition % 2 === 0 ? 'A3' : 'A1')
      expect(holders).toEqual(partition % 2 === 0 ? ['A1'] : [])
    }
  })

  it('refuses an algorithm that it does not know', () => {
    const input = {
      partitions,
      replicationFactor: 1,
      nodes: nodesOf(['A1']),
      holdings: allHold(1, Holding.NOTHING),
    }
    expect(() => partitionMap({ ...input, algorithm: JSON.parse('2') as 1 })).toThrow('upgrade')
  })
})
