/**
 * What all nodes of a cluster shall know beside their records. Each piece has a key and merges with another state of
 * itself, in any order and any number of times, to the same: so members tell each other all they know, views carry it,
 * and two sides of a split agree when they meet again.
 */

/** Records of a set, or of a namespace, last updated before `before` (ms since 1970) are gone; 0 = none are. */
export interface TruncationState {
  readonly kind: 'truncation'
  readonly namespace: string
  /** Empty = the whole namespace. */
  readonly set: string
  /** How often truncations were undone: what was said before an undo does not count after it. */
  readonly undone: number
  readonly before: number
}

export type MetadataEntry = TruncationState

export class SystemMetadata {
  readonly #entries = new Map<string, MetadataEntry>()
  #revision = 0

  constructor(entries: readonly MetadataEntry[]) {
    for (const entry of entries) this.#entries.set(keyOf(entry), entry)
  }

  get entries(): readonly MetadataEntry[] {
    return [...this.#entries.values()]
  }

  /** Grows with every change. */
  get revision(): number {
    return this.#revision
  }

  /** Answers those that are other than before. */
  merge(entries: readonly MetadataEntry[]): MetadataEntry[] {
    const changed: MetadataEntry[] = []
    for (const entry of entries) {
      const known = this.#entries.get(keyOf(entry))
      const merged = known ? mergedOf(known, entry) : entry
      if (merged === known) continue
      this.#entries.set(keyOf(entry), merged)
      changed.push(merged)
    }
    if (changed.length > 0) this.#revision++
    return changed
  }

  truncation(namespace: string, set: string): TruncationState {
    const none = { kind: 'truncation', namespace, set, undone: 0, before: 0 } as const
    return this.#entries.get(keyOf(none)) ?? none
  }
}

/** Whether something that was read from disk has this form. */
export function isMetadata(value: unknown): value is MetadataEntry[] {
  return Array.isArray(value) && value.every(isEntry)
}

function isEntry(value: unknown): value is MetadataEntry {
  if (typeof value !== 'object' || value === null) return false
  if (!('kind' in value && 'namespace' in value && 'set' in value)) return false
  if (!('undone' in value && 'before' in value)) return false
  const { kind, namespace, set, undone, before } = value
  const isNamed = kind === 'truncation' && typeof namespace === 'string' && typeof set === 'string'
  return isNamed && Number.isSafeInteger(undone) && Number.isFinite(before)
}

function keyOf({ kind, namespace, set }: MetadataEntry): string {
  return JSON.stringify([kind, namespace, set])
}

/** The first one where both say the same. */
function mergedOf(one: TruncationState, other: TruncationState): TruncationState {
  if (one.undone !== other.undone) return one.undone > other.undone ? one : other
  return other.before > one.before ? other : one
}
