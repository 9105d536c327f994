/**
 * Copies the live entries of a poorly filled segment to the end of the log, so that the segment can go. With files
 * this takes four phases, each of which must be over before the next:
 *
 * 1. copy     live records, tombstones that still hide something, and what the log says of sets; then a note that the
 *             segment is retired
 * 2. sync     until all of this is on disk
 * 3. remove   the file, and sync the folder: from here on no start can find the segment again
 * 4. settle   every stale version in it was counted at its record's slot; the counts go down, and a tombstone whose
 *             count is zero hides nothing any more
 *
 * A tombstone that went in phase 1 would let an older version rise again if power failed before phase 3 was over.
 * Source of the idea: Rosenblum and Ousterhout, The design and implementation of a log-structured file system (1992).
 */
import type { DataFolder } from './data-folder.ts'
import { digestAt, EntryKind, kindAt, lengthAt } from './entry.ts'
import type { GroupCommit } from './group-commit.ts'
import { readLogEntry } from './log-entry.ts'
import type { RecordIndex } from './record-index.ts'
import { aligned, alignment, offsetOf, placeOf, type Segment } from './segment.ts'
import type { SegmentLog } from './segment-log.ts'
import type { SetTable } from './set-table.ts'
import type { Slice } from './slice.ts'

export interface CompactionParts {
  readonly log: SegmentLog
  readonly index: RecordIndex
  readonly sets: SetTable
  /** Where there are files. */
  readonly files?: { readonly folder: DataFolder; readonly commit: GroupCommit }
  /** The record's entry now stands elsewhere. */
  readonly moved: (from: number, to: number) => void
  /** The slot that the index just sought holds a tombstone with nothing left to hide: it may go. */
  readonly dropTombstone: (place: number) => boolean
  readonly onFailure: (error: unknown) => void
}

type Phase = 'copy' | 'wait' | 'settle'

/** Segments with fewer live bytes than this share are copied together. */
const poorShare = 0.75

export class Compaction {
  readonly #parts: CompactionParts
  #victim: Segment | undefined
  #at = 0
  #phase: Phase = 'copy'
  /** Resolves when the phase that waits for the disk is over. */
  #waiting: Promise<void> | undefined
  #stopped = false

  constructor(parts: CompactionParts) {
    this.#parts = parts
  }

  /** Works until the slice is over; true when there is more to do now. */
  run(slice: Slice): boolean {
    if (this.#stopped) return false
    this.#victim ??= this.#choose()
    const victim = this.#victim
    if (!victim || this.#phase === 'wait') return false
    while (this.#at < victim.used) {
      if (this.#phase === 'copy') this.#copy(victim)
      else this.#settle(victim)
      if (slice.isOver) return true
    }
    if (this.#phase === 'copy' && this.#parts.files) this.#waiting = this.#retire(victim, this.#parts.files)
    else this.#free(victim)
    return true
  }

  /** Begins nothing more; resolves when no segment is half gone. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#waiting
    const victim = this.#victim
    if (!victim || this.#phase !== 'settle') return
    while (this.#at < victim.used) this.#settle(victim)
    this.#free(victim)
  }

  #choose(): Segment | undefined {
    let best: Segment | undefined
    const { log, files } = this.#parts
    if (files && (files.commit.full || files.commit.fault)) return undefined
    for (const segment of log.segments.all()) {
      if (log.isOpen(segment) || (segment.live >= segment.used * poorShare && !segment.spoiled)) continue
      if (files && segment.durable < segment.used) continue
      if (!best || segment.spoiled || segment.live < best.live) best = segment
    }
    this.#at = alignment
    this.#phase = 'copy'
    return best
  }

  #copy(victim: Segment): void {
    const { index, log, sets } = this.#parts
    const offset = this.#at
    const place = placeOf(victim.id, offset)
    this.#at += aligned(lengthAt(victim, offset))
    const kind = kindAt(victim, offset)
    if (kind !== EntryKind.RECORD && kind !== EntryKind.TOMBSTONE) {
      const entry = readLogEntry(victim, offset, kind)
      if (entry && sets.isNeeded(entry, place)) {
        const to = log.appendLogEntry(entry)
        sets.moved(entry, to)
        this.#enliven(victim, to, this.#at - offset)
      }
      return
    }
    if (index.seek(victim.buffer, offset + digestAt) !== place) return
    if (kind === EntryKind.TOMBSTONE && index.stale === 0 && this.#parts.dropTombstone(place)) return
    const to = log.appendCopy(victim, offset)
    this.#enliven(victim, to, this.#at - offset)
    index.move(to)
    // Until the file is gone, what was copied is one more old version of its record.
    if (kind === EntryKind.RECORD && this.#parts.files) index.addStale()
    this.#parts.moved(place, to)
  }

  #enliven(victim: Segment, to: number, bytes: number): void {
    const { segments } = this.#parts.log
    segments.enliven(victim, -bytes)
    segments.enliven(segments.get(to), bytes)
  }

  async #retire(
    victim: Segment,
    { folder, commit }: { folder: DataFolder; commit: GroupCommit },
  ): Promise<void> {
    this.#phase = 'wait'
    victim.retired = true
    this.#parts.log.appendLogEntry({ kind: EntryKind.RETIRE, number: victim.number })
    try {
      await commit.flush()
      await folder.removeSegment(victim.number)
      await folder.sync()
    } catch (error) {
      // The segment stays as it is. A full disk may get room again; nothing else is tried twice.
      victim.retired = false
      this.#victim = undefined
      if (!commit.full) this.#stopped = true
      this.#parts.onFailure(error)
      return
    }
    this.#at = alignment
    this.#phase = 'settle'
  }

  #settle(victim: Segment): void {
    const { index, log } = this.#parts
    const offset = this.#at
    this.#at += aligned(lengthAt(victim, offset))
    if (kindAt(victim, offset) !== EntryKind.RECORD) return
    const place = index.seek(victim.buffer, offset + digestAt)
    if (place === 0) return
    index.dropStale()
    if (index.stale > 0) return
    if (kindAt(log.segments.get(place), offsetOf(place)) === EntryKind.TOMBSTONE)
      this.#parts.dropTombstone(place)
  }

  #free(victim: Segment): void {
    this.#parts.log.segments.remove(victim)
    this.#victim = undefined
  }
}
