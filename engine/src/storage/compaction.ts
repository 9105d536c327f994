/**
 * Copies the live entries of a poorly filled segment to the end of the log, so that the segment can go. With files
 * this takes four phases, each of which must be over before the next:
 *
 * 1. copy     live records, tombstones that still hide something, and what the log says of sets and copies; then a note
 *             that the segment is retired
 * 2. sync     until all of this is on disk
 * 3. remove   the file, and sync the folder: from here on no start can find the segment again
 * 4. settle   every stale version in it was counted at its record's slot; the counts go down, and a tombstone whose
 *             count is zero hides nothing any more
 *
 * A tombstone that went in phase 1 would let an older version rise again if power failed before phase 3 was over.
 * Source of the idea: Rosenblum and Ousterhout, The design and implementation of a log-structured file system (1992).
 */
import type { DataFolder } from './data-folder.ts'
import type { Contents } from './contents.ts'
import { digestAt, EntryKind, isMarkedOld, kindAt, lengthAt } from './entry.ts'
import type { GroupCommit } from './group-commit.ts'
import { readLogEntry } from './log-entry.ts'
import type { RecordIndex } from './record-index.ts'
import { aligned, alignment, offsetOf, placeOf, type Segment } from './segment.ts'
import type { SegmentLog } from './segment-log.ts'
import type { Slice } from './slice.ts'

export interface CompactionParts {
  readonly log: SegmentLog
  readonly index: RecordIndex
  readonly contents: Contents
  /** Where there are files. */
  readonly files?: { readonly folder: DataFolder; readonly commit: GroupCommit }
  /** The record's entry now stands elsewhere. */
  readonly moved: (from: number, to: number) => void
  /** Bytes of old versions that are left lying for now. */
  readonly idleBytes: () => number
  readonly hasTombstones: () => boolean
  /** The slot that the index just sought holds a tombstone with nothing left to hide: it may go. */
  readonly dropTombstone: (place: number) => boolean
  /** It ends for good: a segment could not be removed. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Compaction goes on while less than this share of all bytes is live. It takes the poorest segment, which under random
 * updates has far less than the average live: copying each as soon as it fell below would cost twice as much.
 */
const wantedShare = 0.8
/** A segment with more live bytes than this share is left alone: it would free too little. */
const poorShare = 0.9
/** Segments copied and not yet gone; beyond that no further one is begun. They take memory and disk meanwhile. */
const largestUnderway = 4

export class Compaction {
  readonly #parts: CompactionParts
  /** The segment in phase 1, and how far it is. */
  #copying: Segment | undefined
  #copiedTo = 0
  /** Those that wait for phase 2; the next group takes all of them. */
  readonly #copied: Segment[] = []
  /** Phases 2 and 3 of a group. */
  #removing: Promise<void> | undefined
  readonly #settling: Segment[] = []
  #settledTo: number = alignment
  /** How many segments are in phases 2 to 4, and their bytes. */
  #underway = 0
  #underwayBytes = 0
  #stopped = false

  constructor(parts: CompactionParts) {
    this.#parts = parts
  }

  /** Works until the slice is over; true when there is more to do now. */
  run(slice: Slice): boolean {
    while (!this.#stopped) {
      if (this.#settling.length > 0) this.#settle(this.#settling[0]!)
      else if (!this.#copying && !this.#choose()) return false
      else this.#copy(this.#copying!)
      if (slice.isOver) return true
    }
    return false
  }

  /** Begins nothing more; resolves when no segment is half gone. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#removing
    while (this.#settling.length > 0) this.#settle(this.#settling[0]!)
  }

  get #usedBytes(): number {
    return this.#parts.log.segments.usedBytes - this.#underwayBytes
  }

  #choose(): boolean {
    const { log, files } = this.#parts
    if (files && (files.commit.full || files.commit.fault || this.#underway >= largestUnderway)) return false
    const used = this.#usedBytes
    const { liveBytes: live } = log.segments
    const isRich = live >= used * wantedShare || used - live <= this.#parts.idleBytes()
    let best: Segment | undefined
    for (const segment of log.segments.all()) {
      if (log.isOpen(segment) || segment.retired) continue
      if (!segment.spoiled && segment.live > 0 && (isRich || segment.live >= segment.used * poorShare))
        continue
      if (files && segment.durable < segment.used) continue
      if (!best || segment.spoiled || segment.live < best.live) best = segment
    }
    this.#copying = best
    this.#copiedTo = alignment
    return best !== undefined
  }

  /** Phase 1, one entry. */
  #copy(victim: Segment): void {
    if (this.#copiedTo < victim.used) return this.#copyEntry(victim)
    this.#copying = undefined
    const { files } = this.#parts
    if (!files) return this.#parts.log.segments.remove(victim)
    victim.retired = true
    this.#underway++
    this.#underwayBytes += victim.used
    this.#parts.log.appendLogEntry({ kind: EntryKind.RETIRE, number: victim.number })
    this.#copied.push(victim)
    this.#removing ??= this.#removeCopied(files)
  }

  /** Phases 2 and 3, until no copied segment waits any more. */
  async #removeCopied({ folder, commit }: { folder: DataFolder; commit: GroupCommit }): Promise<void> {
    while (this.#copied.length > 0) {
      const group = this.#copied.splice(0)
      let removed = 0
      try {
        await commit.flush()
        for (const { number } of group) {
          await folder.removeSegment(number)
          removed++
        }
        await folder.sync()
        this.#settling.push(...group)
      } catch (error) {
        // Segments whose files are there stay as they are, the others retired. A full disk may get room again.
        for (const segment of [...group.slice(removed), ...this.#copied.splice(0)]) this.#endUnderway(segment)
        if (commit.full || this.#stopped) continue
        this.#stopped = true
        this.#parts.onFailure(error)
      }
    }
    this.#removing = undefined
  }

  #endUnderway(segment: Segment): void {
    segment.retired = false
    this.#underway--
    this.#underwayBytes -= segment.used
  }

  #copyEntry(victim: Segment): void {
    const { index, log, contents } = this.#parts
    const offset = this.#copiedTo
    const place = placeOf(victim.id, offset)
    const taken = aligned(lengthAt(victim, offset))
    this.#copiedTo += taken
    const kind = kindAt(victim, offset)
    if (kind !== EntryKind.RECORD && kind !== EntryKind.TOMBSTONE) {
      const entry = readLogEntry(victim, offset)
      if (entry && contents.isNeeded(entry, place)) {
        const to = log.appendLogEntry(entry)
        contents.moved(entry, to)
        this.#enliven(victim, to, taken)
      }
      return
    }
    if (!this.#parts.files && isMarkedOld(victim, offset)) return
    if (!index.seekPlace(victim.buffer, offset + digestAt, place)) return
    if (kind === EntryKind.TOMBSTONE && index.stale === 0 && this.#parts.dropTombstone(place)) return
    const to = log.appendCopy(victim, offset)
    this.#enliven(victim, to, taken)
    index.move(to)
    // Until the file is gone, what was copied is one more old version of its record.
    if (this.#parts.files && contents.countsAsStale(victim, offset)) index.addStale()
    this.#parts.moved(place, to)
  }

  #enliven(victim: Segment, to: number, bytes: number): void {
    const { segments } = this.#parts.log
    segments.enliven(victim, -bytes)
    segments.enliven(segments.get(to), bytes)
  }

  /** Phase 4, one entry. */
  #settle(victim: Segment): void {
    const { index, log, contents } = this.#parts
    const offset = this.#settledTo
    if (offset >= victim.used) {
      this.#settledTo = alignment
      this.#settling.shift()
      this.#endUnderway(victim)
      return log.segments.remove(victim)
    }
    this.#settledTo += aligned(lengthAt(victim, offset))
    if (!contents.countsAsStale(victim, offset)) return
    const place = index.seekPresent(victim.buffer, offset + digestAt)
    if (place === 0) return
    index.dropStale()
    if (index.stale > 0 || !this.#parts.hasTombstones()) return
    if (kindAt(log.segments.get(place), offsetOf(place)) === EntryKind.TOMBSTONE)
      this.#parts.dropTombstone(place)
  }
}
