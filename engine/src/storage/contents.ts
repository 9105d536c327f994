/**
 * What a store holds: the index, the log that its slots point into, the sets, and the counts that follow from them.
 * Every change of a slot goes through here, so that bytes, records, deletes and stale versions stay counted.
 */
import { DIGEST_BYTES } from '../values/digest.ts'
import { CopyStates } from './copy-states.ts'
import {
  compareDigestAt,
  digestAt,
  EntryKind,
  kindAt,
  lengthAt,
  markOld,
  readEntry,
  saysSomething,
  setIdAt,
} from './entry.ts'
import type { LogEntry } from './log-entry.ts'
import { RecordIndex } from './record-index.ts'
import { newView, type RecordDraft, type RecordView } from './record.ts'
import { aligned, offsetOf, type Segment } from './segment.ts'
import { SegmentLog } from './segment-log.ts'
import { SetTable } from './set-table.ts'

/** What stands under a digest. */
export type Standing = 'nothing' | 'record' | 'delete'

/** Generation of a tombstone that only hides what was forgotten; a delete's is higher. */
export const FORGOTTEN_GENERATION = 0
/** Of a delete that does not say what it deleted. */
export const DELETE_GENERATION = 1

export interface ContentsOptions {
  readonly partitions: number
  /** Bytes of a segment; without, the largest there is. */
  readonly segmentBytes?: number | undefined
  /** With files older versions stay behind in them, and what is said of sets goes to the log. */
  readonly keepsFiles: boolean
  /** What was appended last is the newest, and of each partition it is known where its copy stands. */
  readonly keepsCopies: boolean
  /** Throws when nothing may be appended. */
  readonly checkOpen: () => void
}

export class Contents {
  readonly index: RecordIndex
  readonly log: SegmentLog
  readonly sets: SetTable
  readonly copies: CopyStates | undefined
  /** By partition: the number of the last write, and the regime it was numbered in. */
  readonly sequences: Float64Array
  readonly regimes: Float64Array
  /** Places of newest versions whose contents are not what was written. */
  readonly damaged = new Set<number>()
  objects = 0
  tombstones = 0
  /** Bytes of records put since this was last set to 0. */
  writtenBytes = 0
  readonly #keepsFiles: boolean
  readonly #view = newView()

  constructor({ partitions, segmentBytes, keepsFiles, keepsCopies, checkOpen }: ContentsOptions) {
    this.#keepsFiles = keepsFiles
    this.log = new SegmentLog(segmentBytes)
    const { segments } = this.log
    this.index = new RecordIndex(partitions, (place, digest, at) =>
      compareDigestAt(segments.get(place), offsetOf(place), digest, at),
    )
    const append = (entry: LogEntry, before: number): number => {
      const place = this.log.appendLogEntry(entry)
      this.enliven(place)
      if (before !== 0) this.enliven(before, -1)
      return place
    }
    const appendOpen = (entry: LogEntry, before: number): number => {
      checkOpen()
      return append(entry, before)
    }
    this.sets = new SetTable(keepsFiles ? appendOpen : undefined)
    this.copies = keepsCopies ? new CopyStates(partitions, keepsFiles ? append : undefined) : undefined
    this.sequences = new Float64Array(partitions)
    this.regimes = new Float64Array(partitions)
  }

  /** Appends a record or a tombstone and points the slot that was just sought at it, which held `before` (0 = none). */
  put(kind: number, draft: RecordDraft, before: number): number {
    const place = this.log.append(kind, draft)
    if (this.copies) {
      const partition = this.index.partitionOf(draft.digest, draft.digestStart)
      this.copies.put(partition, draft.regime, draft.sequence, draft.advances)
    }
    if (before === 0) this.index.insert(draft.digest, draft.digestStart, place)
    else {
      this.#supersede(before)
      this.index.move(place)
    }
    const bytes = this.enliven(place)
    if (kind === EntryKind.RECORD) {
      this.#count(draft.setId, 1, bytes)
      this.writtenBytes += bytes
    } else this.tombstones++
    return place
  }

  /** What the slot that was just sought held goes without a trace. */
  takeOut(place: number): void {
    this.#supersede(place)
    this.index.delete()
  }

  /** The tombstone in the slot that was just sought goes; it hides nothing any more. */
  dropTombstone(place: number): void {
    this.enliven(place, -1)
    this.index.delete()
    this.tombstones--
  }

  /** Fills the view of what stands at a place, record or delete. */
  standing(place: number, view: RecordView): Standing {
    const segment = this.log.segments.get(place)
    readEntry(segment, offsetOf(place), view)
    if (kindAt(segment, offsetOf(place)) === EntryKind.RECORD) return 'record'
    return view.generation === FORGOTTEN_GENERATION ? 'nothing' : 'delete'
  }

  /** Reads the record at a place into the view; false when a tombstone or a damaged record stands there. */
  look(place: number, view: RecordView): boolean {
    const segment = this.log.segments.get(place)
    if (kindAt(segment, offsetOf(place)) !== EntryKind.RECORD || this.damaged.has(place)) return false
    readEntry(segment, offsetOf(place), view)
    return true
  }

  /**
   * Visits what stands in a partition behind a digest in the order of digests, until the visitor says false. The
   * visitor must not write.
   */
  scan(
    partition: number,
    after: Buffer | undefined,
    visit: (view: RecordView, standing: 'record' | 'delete', digest: Buffer) => boolean,
  ): void {
    const view = this.#view
    const first = after === undefined ? 0 : this.index.slotBehind(after, 0)
    for (let slot = first; slot < this.index.size(partition); slot++) {
      const place = this.index.placeAt(partition, slot)
      if (place === 0 || this.damaged.has(place)) continue
      const standing = this.standing(place, view)
      if (standing === 'nothing') continue
      const at = offsetOf(place) + digestAt
      if (!visit(view, standing, view.buffer.subarray(at, at + DIGEST_BYTES))) return
    }
  }

  /** Whether what the log says there still holds; `moved` notes where it stands now. */
  isNeeded(entry: LogEntry, place: number): boolean {
    return this.sets.isNeeded(entry, place) || this.copies?.isNeeded(entry, place) === true
  }

  moved(entry: LogEntry, place: number): void {
    this.sets.moved(entry, place)
    this.copies?.moved(entry, place)
  }

  /**
   * Whether a start would take this record or tombstone for its record's newest version if all that came later were
   * gone, and be wrong. A delete without its tombstone reads the same, but a copy knows the two apart.
   */
  countsAsStale(segment: Segment, offset: number): boolean {
    const kind = kindAt(segment, offset)
    if (kind === EntryKind.RECORD) return true
    return kind === EntryKind.TOMBSTONE && this.copies !== undefined && saysSomething(segment, offset)
  }

  /** Counts an entry's bytes as live, or with -1 as dead; answers them with that sign. */
  enliven(place: number, sign = 1): number {
    const segment = this.log.segments.get(place)
    const bytes = sign * aligned(lengthAt(segment, offsetOf(place)))
    this.log.segments.enliven(segment, bytes)
    return bytes
  }

  /** After recovery: what the log says of sets and copies is live. */
  enlivenLog(): void {
    for (const { namedAt, truncatedAt } of this.sets.sets)
      for (const place of [namedAt, truncatedAt]) if (place !== 0) this.enliven(place)
    if (this.sets.all.place !== 0) this.enliven(this.sets.all.place)
    for (const place of this.copies?.places ?? []) if (place !== 0) this.enliven(place)
  }

  /** What the slot that was just sought held is no longer the newest. */
  #supersede(place: number): void {
    const segment = this.log.segments.get(place)
    const bytes = this.enliven(place, -1)
    if (!this.#keepsFiles) markOld(segment, offsetOf(place))
    else if (this.countsAsStale(segment, offsetOf(place))) this.index.addStale()
    if (kindAt(segment, offsetOf(place)) === EntryKind.TOMBSTONE) {
      this.tombstones--
      return
    }
    // Damaged ones were never counted.
    if (this.damaged.delete(place)) return
    this.#count(setIdAt(segment, offsetOf(place)), -1, bytes)
  }

  #count(setId: number, objects: number, bytes: number): void {
    this.sets.count(setId, objects, bytes)
    this.objects += objects
  }
}
