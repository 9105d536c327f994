import { digestAt, EntryKind, isRecord, kindAt, lastUpdateAt, lengthAt, readEntry } from './entry.ts'
import { type LogEntry, readLogEntry } from './log-entry.ts'
import type { Damage } from './log-reader.ts'
import type { RecordIndex } from './record-index.ts'
import { newView, type RecordView } from './record.ts'
import { aligned, alignment, offsetOf, placeOf, type Segment, type SegmentTable } from './segment.ts'
import type { SetTable } from './set-table.ts'

export interface RecoveryParts {
  readonly table: SegmentTable
  readonly index: RecordIndex
  readonly sets: SetTable
  /** The highest sequence of each partition. */
  readonly sequences: Float64Array
  /** Places of newest versions whose contents are not what was written. */
  readonly damaged: Set<number>
}

/**
 * Enters what segments hold into the index. The newest version of a record is the one with the highest (regime,
 * sequence), wherever it stands; of two copies of one version either will do. Each version that is not the newest
 * is counted at the record's slot, so that a tombstone stays until the last of them is gone.
 */
export class Recovery {
  readonly #parts: RecoveryParts
  readonly #view = newView()
  readonly #other = newView()
  #damagedAt = new Map<string, Damage>()
  #highestSet = 0
  latestUpdate = 0

  constructor(parts: RecoveryParts) {
    this.#parts = parts
  }

  replay(segments: readonly Segment[], damage: readonly Damage[]): void {
    this.#damagedAt = new Map(damage.map((each) => [pointName(each.point.number, each.point.offset), each]))
    const notes: { entry: LogEntry; place: number }[] = []
    for (const segment of segments) this.#replaySegment(segment, notes)
    // A set's name may stand behind its truncation: compaction moves each when it comes to it.
    for (const kind of [EntryKind.SET, EntryKind.TRUNCATE])
      for (const { entry, place } of notes) if (entry.kind === kind) this.#parts.sets.replay(entry, place)
  }

  /** The highest set id that a record names. */
  get highestSet(): number {
    return this.#highestSet
  }

  #replaySegment(segment: Segment, notes: { entry: LogEntry; place: number }[]): void {
    for (let at = alignment; at < segment.used; at += aligned(lengthAt(segment, at))) {
      const kind = kindAt(segment, at)
      if (this.#damagedAt.size > 0) {
        const damage = this.#damagedAt.get(pointName(segment.number, at))
        if (damage) {
          if (damage.loss === 'named') this.#replayDamaged(segment, at)
          continue
        }
      }
      if (isRecord(kind)) this.#replayRecord(segment, at, kind)
      else {
        const entry = readLogEntry(segment, at, kind)
        if (entry) notes.push({ entry, place: placeOf(segment.id, at) })
      }
    }
  }

  #replayRecord(segment: Segment, at: number, kind: number): void {
    const { index, table, damaged, sequences } = this.#parts
    const view = this.#view
    const digest = at + digestAt
    readEntry(segment, at, view)
    const partition = index.partitionOf(segment.buffer, digest)
    if (view.sequence > sequences[partition]!) sequences[partition] = view.sequence
    if (view.lastUpdate > this.latestUpdate) this.latestUpdate = view.lastUpdate
    if (view.setId > this.#highestSet) this.#highestSet = view.setId
    const place = placeOf(segment.id, at)
    const before = index.seek(segment.buffer, digest)
    if (before === 0) return index.insert(segment.buffer, digest, place)
    const other = table.get(before)
    const isNewer = damaged.has(before)
      ? view.lastUpdate > lastUpdateAt(other, offsetOf(before))
      : this.#isNewer(view, other, offsetOf(before))
    const staleKind = isNewer ? kindAt(other, offsetOf(before)) : kind
    if (isNewer) {
      index.move(place)
      damaged.delete(before)
    }
    if (staleKind === EntryKind.RECORD) index.addStale()
  }

  #isNewer(view: RecordView, other: Segment, offset: number): boolean {
    readEntry(other, offset, this.#other)
    const { regime, sequence } = this.#other
    return view.regime !== regime ? view.regime > regime : view.sequence > sequence
  }

  /** Its regime and sequence cannot be read. Only a later last update says that it has been replaced. */
  #replayDamaged(segment: Segment, at: number): void {
    const { index, table, damaged } = this.#parts
    const digest = at + digestAt
    const place = placeOf(segment.id, at)
    const before = index.seek(segment.buffer, digest)
    if (before === 0) {
      index.insert(segment.buffer, digest, place)
      damaged.add(place)
      return
    }
    const other = table.get(before)
    const replaced = lastUpdateAt(other, offsetOf(before)) > lastUpdateAt(segment, at)
    if (!replaced) {
      index.move(place)
      damaged.delete(before)
      damaged.add(place)
    }
    const staleKind = replaced ? kindAt(segment, at) : kindAt(other, offsetOf(before))
    if (staleKind === EntryKind.RECORD) index.addStale()
  }
}

const pointName = (number: number, offset: number): string => `${number}:${offset}`
