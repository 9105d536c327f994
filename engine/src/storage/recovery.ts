import type { Contents } from './contents.ts'
import {
  advancesAt,
  digestAt,
  EntryKind,
  isRecord,
  kindAt,
  lastUpdateAt,
  lengthAt,
  readEntry,
} from './entry.ts'
import { type LogEntry, readLogEntry } from './log-entry.ts'
import type { Damage } from './log-reader.ts'
import { newView, type RecordView } from './record.ts'
import { aligned, alignment, offsetOf, placeOf, type Segment } from './segment.ts'

/**
 * Enters what segments hold into the index. The newest version of a record is the one with the highest (regime,
 * sequence), wherever it stands; of two entries of one version, the one that was appended later. Where copies are kept
 * it is the one that was appended last, since a copy may be given an older version in place of a newer one; compaction
 * appends only what is the newest as it does so. Each version that is not the newest is counted at the record's slot,
 * so that a tombstone stays until the last of them is gone.
 */
export class Recovery {
  readonly #contents: Contents
  readonly #view = newView()
  readonly #other = newView()
  #damagedAt = new Map<string, Damage>()
  /** By set id: how many newest versions are of that set, and their bytes. */
  readonly #setObjects: number[] = [0]
  readonly #setBytes: number[] = [0]
  objects = 0
  tombstones = 0
  latestUpdate = 0

  constructor(contents: Contents) {
    this.#contents = contents
  }

  replay(segments: readonly Segment[], damage: readonly Damage[]): void {
    this.#damagedAt = new Map(damage.map((each) => [pointName(each.point.number, each.point.offset), each]))
    const notes: { entry: LogEntry; place: number }[] = []
    const { sets, copies } = this.#contents
    this.#makeRoom(segments)
    for (const segment of segments) this.#replaySegment(segment, notes)
    // A set's name may stand behind its truncation: compaction moves each when it comes to it.
    for (const kind of [EntryKind.SET, EntryKind.TRUNCATE])
      for (const { entry, place } of notes) if (entry.kind === kind) sets.replay(entry, place)
    sets.nameLost(this.#setObjects.length - 1)
    this.#setObjects.forEach((objects, id) => sets.count(id, objects, this.#setBytes[id]!))
    for (const { entry, place } of notes) copies?.replay(entry, place)
    copies?.settle()
  }

  /** Half of what may come: the index grows faster when it need not grow often, and does not shrink by itself. */
  #makeRoom(segments: readonly Segment[]): void {
    const { index } = this.#contents
    let entries = 0
    for (const segment of segments)
      for (let at = alignment; at < segment.used; at += aligned(lengthAt(segment, at))) entries++
    const each = Math.floor(entries / 2 / index.partitions)
    if (each > 0)
      for (let partition = 0; partition < index.partitions; partition++) index.reserve(partition, each)
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
      if (isRecord(kind)) this.#replayRecord(segment, at)
      else {
        const entry = readLogEntry(segment, at)
        if (entry) notes.push({ entry, place: placeOf(segment.id, at) })
      }
    }
  }

  #replayRecord(segment: Segment, at: number): void {
    const { index, log, damaged, sequences, copies } = this.#contents
    const view = this.#view
    const digest = at + digestAt
    readEntry(segment, at, view)
    const partition = index.partitionOf(segment.buffer, digest)
    if (view.sequence > sequences[partition]!) sequences[partition] = view.sequence
    if (view.lastUpdate > this.latestUpdate) this.latestUpdate = view.lastUpdate
    copies?.replayVersion(partition, view.regime, view.sequence, advancesAt(segment, at))
    const place = placeOf(segment.id, at)
    const before = index.seek(segment.buffer, digest)
    if (before === 0) {
      index.insert(segment.buffer, digest, place)
      return this.#stands(segment, at, view)
    }
    const other = log.segments.get(before)
    const wasDamaged = damaged.has(before)
    const isNewer = this.#isNewer(view, other, offsetOf(before), wasDamaged)
    const isStale = isNewer
      ? this.#contents.countsAsStale(other, offsetOf(before))
      : this.#contents.countsAsStale(segment, at)
    if (isNewer) {
      this.#stands(other, offsetOf(before), wasDamaged ? undefined : this.#other, -1)
      this.#stands(segment, at, view)
      index.move(place)
      damaged.delete(before)
    }
    if (isStale) index.addStale()
  }

  /** Counts an entry that is its record's newest, or with -1 is so no longer. Of a damaged one the set is not known. */
  #stands(segment: Segment, at: number, view: RecordView | undefined, sign = 1): void {
    const bytes = sign * aligned(lengthAt(segment, at))
    this.#contents.log.segments.enliven(segment, bytes)
    if (!view) return
    if (kindAt(segment, at) === EntryKind.TOMBSTONE) {
      this.tombstones += sign
      return
    }
    this.objects += sign
    while (this.#setObjects.length <= view.setId) {
      this.#setObjects.push(0)
      this.#setBytes.push(0)
    }
    this.#setObjects[view.setId]! += sign
    this.#setBytes[view.setId]! += bytes
  }

  /** Fills `#other`, unless the other is damaged: then the last update has to decide. */
  #isNewer(view: RecordView, other: Segment, offset: number, isDamaged: boolean): boolean {
    if (!isDamaged) readEntry(other, offset, this.#other)
    if (this.#contents.copies) return true
    if (isDamaged) return view.lastUpdate > lastUpdateAt(other, offset)
    const { regime, sequence } = this.#other
    return view.regime !== regime ? view.regime > regime : view.sequence >= sequence
  }

  /** Its regime and sequence cannot be read. Only a later last update, or the order of the log, says that it has been replaced. */
  #replayDamaged(segment: Segment, at: number): void {
    const { index, log, damaged, copies } = this.#contents
    const digest = at + digestAt
    const place = placeOf(segment.id, at)
    const before = index.seek(segment.buffer, digest)
    if (before === 0) {
      index.insert(segment.buffer, digest, place)
      damaged.add(place)
      return this.#stands(segment, at, undefined)
    }
    const other = log.segments.get(before)
    const replaced = !copies && lastUpdateAt(other, offsetOf(before)) > lastUpdateAt(segment, at)
    if (!replaced) {
      if (!damaged.has(before)) readEntry(other, offsetOf(before), this.#other)
      this.#stands(other, offsetOf(before), damaged.has(before) ? undefined : this.#other, -1)
      this.#stands(segment, at, undefined)
      index.move(place)
      damaged.delete(before)
      damaged.add(place)
    }
    const isStale = replaced
      ? this.#contents.countsAsStale(segment, at)
      : this.#contents.countsAsStale(other, offsetOf(before))
    if (isStale) index.addStale()
  }
}

const pointName = (number: number, offset: number): string => `${number}:${offset}`
