/**
 * What a node keeps on disk of what it knows of its copies: past, wholeness and ancestors by kinds, of which there are
 * few, and for each partition its kind and its ends. A partition that nobody wrote to takes a byte or two for each
 * regime in MessagePack.
 */
import type { AncestorEntries } from './data-message.ts'
import { type Copy, wholePast } from './partition-context.ts'
import { type Ancestors, noAncestors, noPast } from './past.ts'
import type { Regime } from './regime.ts'

export interface SavedKind {
  readonly regimes: readonly Regime[]
  readonly ancestors: AncestorEntries
  readonly whole: boolean
}

export interface SavedCopies {
  /** When the node was in the cluster, ms since 1970. */
  readonly at: number
  readonly kinds: readonly SavedKind[]
  /** By partition, an index of `kinds`. */
  readonly kindOf: readonly number[]
  /** Of each partition in turn the last sequences of its regimes. */
  readonly ends: readonly number[]
}

export function savedFrom(copies: readonly Copy[], at: number): SavedCopies {
  const kinds: SavedKind[] = []
  const ends: number[] = []
  const byText = new Map<string, number>()
  // Most copies share their lists.
  const byLists = new Map<readonly Regime[], Map<Ancestors, { whole?: number; partial?: number }>>()
  const kindOf = copies.map((copy) => {
    const { ancestors, whole } = copy
    const { regimes, ends: own } = wholePast(copy)
    for (const end of own) ends.push(end)
    const byAncestors = byLists.get(regimes) ?? new Map<Ancestors, { whole?: number; partial?: number }>()
    byLists.set(regimes, byAncestors)
    const indices = byAncestors.get(ancestors) ?? {}
    byAncestors.set(ancestors, indices)
    const add = () => {
      const kind = { regimes, ancestors: [...ancestors], whole }
      const text = JSON.stringify(kind)
      const index = byText.get(text) ?? kinds.push(kind) - 1
      byText.set(text, index)
      return index
    }
    return (indices[whole ? 'whole' : 'partial'] ??= add())
  })
  return { at, kinds, kindOf, ends }
}

/** What a node knows of its copies when it starts. */
export function copiesFrom(saved: SavedCopies | undefined, partitions: number): Copy[] {
  const kinds = (saved?.kinds ?? []).map(({ regimes, ancestors, whole }) => {
    return { regimes, ancestors: ancestors.length === 0 ? noAncestors : new Map(ancestors), whole }
  })
  let at = 0
  return Array.from({ length: partitions }, (_, partition) => {
    const kind = kinds[saved?.kindOf[partition] ?? -1]
    const ends = saved?.ends.slice(at, (at += kind?.regimes.length ?? 0)) ?? []
    return {
      past: kind ? { regimes: kind.regimes, ends } : noPast,
      ancestors: kind?.ancestors ?? noAncestors,
      regime: undefined,
      applied: 0,
      whole: kind?.whole ?? false,
      wholeNow: false,
    }
  })
}

/** Whether something that was read from disk has this form. */
export function isSavedCopies(value: unknown): value is SavedCopies {
  if (typeof value !== 'object' || value === null) return false
  if (!('at' in value && 'kinds' in value && 'kindOf' in value && 'ends' in value)) return false
  const { at, kinds, kindOf, ends } = value
  if (typeof at !== 'number') return false
  if (!Array.isArray(kinds) || !kinds.every(isKind) || !isNumbers(kindOf) || !isNumbers(ends)) return false
  const lengths = kindOf.map((kind) => kinds[kind]?.regimes.length ?? NaN)
  return lengths.reduce((sum, length) => sum + length, 0) === ends.length
}

function isKind(value: unknown): value is SavedKind {
  if (typeof value !== 'object' || value === null) return false
  if (!('regimes' in value && 'ancestors' in value && 'whole' in value)) return false
  return isNumbers(value.regimes) && Array.isArray(value.ancestors) && typeof value.whole === 'boolean'
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number')
}
