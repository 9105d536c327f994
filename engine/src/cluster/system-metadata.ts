/**
 * What all nodes of a cluster shall know beside their records. Each piece has a key and merges with another state of
 * itself, in any order and any number of times, to the same: so members tell each other all they know, views carry it,
 * and two sides of a split agree when they meet again.
 */
import { compareNodeIds, type NodeId } from './node-id.ts'

/**
 * Records of a set, or of a namespace, last updated before `before` (ms since 1970) are gone; 0 = none are. In a strong
 * namespace `before` is but the truncation's number: what is gone is what each partition held when it did it.
 */
export interface TruncationState {
  readonly kind: 'truncation' | 'strong truncation'
  readonly namespace: string
  /** Empty = the whole namespace. */
  readonly set: string
  /** How often truncations were undone: what was said before an undo does not count after it. */
  readonly undone: number
  readonly before: number
}

/** A setting that is the same on all nodes. */
export interface SettingState {
  readonly kind: 'setting'
  readonly namespace: string
  /** Empty = of the namespace itself. */
  readonly set: string
  readonly name: string
  /** As get-config shows it. */
  readonly value: string
  /** When and where it was set; later than what it replaced, whatever the clocks say. */
  readonly at: number
  readonly by: NodeId
}

export type MetadataEntry = TruncationState | SettingState

/** What of a setting its setter says. */
export type SettingChange = Pick<SettingState, 'namespace' | 'set' | 'name' | 'value'>

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

  strongTruncations(namespace: string): TruncationState[] {
    return this.entries.flatMap((entry) =>
      entry.kind === 'strong truncation' && entry.namespace === namespace ? [entry] : [],
    )
  }

  truncation(namespace: string, set: string): TruncationState {
    const none = { kind: 'truncation', namespace, set, undone: 0, before: 0 } as const
    const known = this.#entries.get(keyOf(none))
    return known?.kind === 'truncation' ? known : none
  }

  /** The change as the next state of its setting. */
  nextSetting(change: SettingChange, now: number, by: NodeId): SettingState {
    const next = { kind: 'setting', ...change, at: now, by } as const
    const known = this.#entries.get(keyOf(next))
    return known?.kind === 'setting' ? { ...next, at: Math.max(now, known.at + 1) } : next
  }
}

/** Whether something that was read from disk has this form. */
export function isMetadata(value: unknown): value is MetadataEntry[] {
  return Array.isArray(value) && value.every(isEntry)
}

function isEntry(value: unknown): value is MetadataEntry {
  if (typeof value !== 'object' || value === null) return false
  if (!('kind' in value && 'namespace' in value && 'set' in value)) return false
  const { kind, namespace, set } = value
  if (typeof namespace !== 'string' || typeof set !== 'string') return false
  if (kind === 'setting') {
    if (!('name' in value && 'value' in value && 'at' in value && 'by' in value)) return false
    const texts = [value.name, value.value, value.by]
    return texts.every((text) => typeof text === 'string') && Number.isFinite(value.at)
  }
  if (kind !== 'truncation' && kind !== 'strong truncation') return false
  if (!('undone' in value && 'before' in value)) return false
  return Number.isSafeInteger(value.undone) && Number.isFinite(value.before)
}

function keyOf(entry: MetadataEntry): string {
  const { kind, namespace, set } = entry
  return JSON.stringify(kind === 'setting' ? [kind, namespace, set, entry.name] : [kind, namespace, set])
}

/** The first one where both say the same. */
function mergedOf(one: MetadataEntry, other: MetadataEntry): MetadataEntry {
  if (one.kind === 'setting') return other.kind === 'setting' ? newer(one, other) : one
  if (other.kind === 'setting') return one
  if (one.undone !== other.undone) return one.undone > other.undone ? one : other
  return other.before > one.before ? other : one
}

function newer(one: SettingState, other: SettingState): SettingState {
  if (one.at !== other.at) return other.at > one.at ? other : one
  return compareNodeIds(other.by, one.by) > 0 ? other : one
}
