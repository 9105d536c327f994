/**
 * What a node says of its copies when it promises a view, and what the leader makes of it. Copies with the same past
 * and wholeness go by one kind, since most partitions of a node have been through the same.
 */
import type { NodeId } from './node-id.ts'
import { Holding, type MapNode } from './partition-map.ts'
import type { Regime } from './regime.ts'
import { type Copy, wholePast } from './partition-context.ts'

export interface CopyKind {
  readonly regimes: readonly Regime[]
  readonly whole: boolean
}

export interface CopyReport {
  readonly kinds: readonly CopyKind[]
  /** By partition, an index of `kinds`; -1 = it holds nothing and knows of nothing. */
  readonly kindOf: readonly number[]
}

export function reportOf(copies: readonly Copy[], isEmpty: (partition: number) => boolean): CopyReport {
  const kinds: CopyKind[] = []
  const known = new Map<string, number>()
  const kindOf = copies.map((copy, partition) => {
    const regimes = [...wholePast(copy).keys()].sort((a, b) => a - b)
    if (regimes.length === 0 && isEmpty(partition)) return -1
    const key = `${copy.whole} ${regimes.join()}`
    const index = known.get(key) ?? kinds.push({ regimes, whole: copy.whole }) - 1
    known.set(key, index)
    return index
  })
  return { kinds, kindOf }
}

/** By partition and then by node, in the order of `nodes`. */
export function holdingsOf(
  nodes: readonly MapNode[],
  reports: ReadonlyMap<NodeId, CopyReport>,
  partitions: number,
): Uint8Array {
  const holdings = new Uint8Array(partitions * nodes.length)
  for (let partition = 0; partition < partitions; partition++) {
    const kinds = nodes.map(({ id }) => {
      const report = reports.get(id)
      return report?.kinds[report.kindOf[partition] ?? -1]
    })
    const whole = kinds.filter((kind) => kind?.whole)
    for (const [index, kind] of kinds.entries()) {
      if (!kind) continue
      const isWhole = kind.whole && !whole.some((other) => other !== undefined && isBehind(kind, other))
      holdings[partition * nodes.length + index] = isWhole ? Holding.WHOLE : Holding.SOME
    }
  }
  return holdings
}

/** Whether the other copy has been through all that this one has, and more. */
function isBehind(kind: CopyKind, other: CopyKind): boolean {
  return (
    other.regimes.length > kind.regimes.length &&
    kind.regimes.every((regime) => other.regimes.includes(regime))
  )
}
