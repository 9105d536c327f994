/**
 * What a node says of its copies when it promises a view, and what the leader makes of it. Copies with the same past
 * and wholeness go by one kind, since most partitions of a node have been through the same: pasts are compared kind by
 * kind, and each combination of the members' kinds is looked at once.
 */
import type { NodeId } from './node-id.ts'
import { type Copy, regimesOf } from './partition-context.ts'
import { Holding, type HoldingTable, type MapNode } from './partition-map.ts'
import type { Regime } from './regime.ts'

export interface CopyKind {
  readonly regimes: readonly Regime[]
  readonly whole: boolean
  /** It was away for so long that deletes which it does not know may be forgotten elsewhere. */
  readonly stale: boolean
}

export interface CopyReport {
  readonly kinds: readonly CopyKind[]
  /** By partition, an index of `kinds`; -1 = it holds nothing and knows of nothing. */
  readonly kindOf: readonly number[]
}

export function reportOf(
  copies: readonly Copy[],
  isEmpty: (partition: number) => boolean,
  isStale: (partition: number) => boolean,
): CopyReport {
  const kinds: CopyKind[] = []
  const byList = Array.from({ length: 4 }, () => new Map<readonly Regime[], number>())
  const byText = new Map<string, number>()
  const kindOf = copies.map((copy, partition) => {
    const regimes = regimesOf(copy)
    if (regimes.length === 0 && isEmpty(partition)) return -1
    const stale = isStale(partition)
    const lists = byList[(copy.whole ? 1 : 0) + (stale ? 2 : 0)]!
    const known = lists.get(regimes)
    if (known !== undefined) return known
    const text = `${copy.whole} ${stale} ${regimes.join()}`
    const index = byText.get(text) ?? kinds.push({ regimes, whole: copy.whole, stale }) - 1
    byText.set(text, index)
    lists.set(regimes, index)
    return index
  })
  return { kinds, kindOf }
}

interface KnownKind extends CopyKind {
  readonly set: ReadonlySet<Regime>
}

export function holdingsOf(
  nodes: readonly MapNode[],
  reports: ReadonlyMap<NodeId, CopyReport>,
  partitions: number,
): HoldingTable {
  const members = nodes.map(({ id }) => {
    const { kinds = [], kindOf = [] } = reports.get(id) ?? {}
    return { kindOf, kinds: kinds.map((kind) => ({ ...kind, set: new Set(kind.regimes) })) }
  })
  const rows: Holding[][] = []
  const alike: boolean[] = []
  const combinations = new Combinations()
  const rowOf = Array.from({ length: partitions }, (_, partition) => {
    const row = combinations.indexOf(members.map(({ kindOf }) => kindOf[partition] ?? -1))
    if (row === rows.length) {
      const kinds = members.map((each) => each.kinds[each.kindOf[partition] ?? -1])
      rows.push(rowFor(kinds))
      alike.push(areAlike(kinds))
    }
    return row
  })
  return { rows, rowOf, alike }
}

function rowFor(kinds: readonly (KnownKind | undefined)[]): Holding[] {
  return kinds.map((kind) => {
    if (!kind || (kind.stale && kinds.some((other) => other && replaces(other, kind)))) return Holding.NOTHING
    const isWhole = kind.whole && !kinds.some((other) => other?.whole && isBehind(kind, other))
    return isWhole ? Holding.WHOLE : Holding.SOME
  })
}

/** Whether all copies have been through the same regimes. */
function areAlike(kinds: readonly (KnownKind | undefined)[]): boolean {
  const [first, ...others] = kinds.filter((kind) => kind !== undefined)
  if (!first) return true
  return others.every(
    ({ set, regimes }) => set.size === first.set.size && regimes.every((regime) => first.set.has(regime)),
  )
}

/** Whether all that was acknowledged to the stale copy is in the other one, or was deleted. */
function replaces(other: KnownKind, stale: KnownKind): boolean {
  return !other.stale && other.whole && stale.regimes.every((regime) => other.set.has(regime))
}

/** Whether the other copy has been through all that this one has, and more. */
function isBehind(kind: KnownKind, other: KnownKind): boolean {
  return other.set.size > kind.set.size && kind.regimes.every((regime) => other.set.has(regime))
}

/** Numbers rows of small whole numbers from -1 on, as they come. */
class Combinations {
  readonly #next: Map<number, number>[] = []
  #ends = 0

  indexOf(row: readonly number[]): number {
    let at = 0
    for (const [column, value] of row.entries()) {
      const next = (this.#next[column] ??= new Map())
      // At most one number for each partition stands before it.
      const key = at * 2 ** 20 + value + 1
      let found = next.get(key)
      if (found === undefined) {
        found = column === row.length - 1 ? this.#ends++ : next.size
        next.set(key, found)
      }
      at = found
    }
    return at
  }
}
