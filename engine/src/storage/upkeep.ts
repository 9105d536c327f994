/**
 * What a store does between requests, in slices: takes out what a truncation hides, then what has expired, and copies
 * segments together whose records have gone. Tombstones that hide nothing any more go on the way.
 */
import { Compaction } from './compaction.ts'
import { type Contents, FORGOTTEN_GENERATION } from './contents.ts'
import { digestAt, EntryKind, kindAt, lastUpdateAt, readEntry } from './entry.ts'
import { Expiry } from './expiry.ts'
import type { OpenFiles } from './open-files.ts'
import { PartitionPass } from './partition-pass.ts'
import { newView } from './record.ts'
import { offsetOf } from './segment.ts'
import { Slice } from './slice.ts'

/** The store, as its upkeep changes it. */
export interface UpkeepStore {
  /** Writes stop until something goes. */
  readonly stopWrites: boolean
  /** Bytes of old versions that may be left lying for now. */
  readonly idleBytes: number
  remove(digest: Buffer, at: number): boolean
  forget(digest: Buffer, at: number): void
}

export interface UpkeepParts {
  readonly store: UpkeepStore
  readonly contents: Contents
  readonly files: OpenFiles | undefined
  /** Milliseconds since 1970. */
  readonly clock: () => number
  readonly stopwatch: () => number
  /** Seconds between two passes that take out expired records; 0 = none. */
  readonly expiryPeriod: () => number
  /** Milliseconds for which a delete is remembered; 0 = no longer than files need it. */
  readonly tombstoneLife: number
  /** Gets lines for the person who runs the node. */
  readonly onNote: (line: string) => void
}

/**
 * How long a slice of background work is while nothing presses: what a request may have to wait. Each byte written
 * adds the time it takes to free one of an older version, so that memory does not grow faster than it is freed.
 */
const UNHURRIED_MS = 0.1
const MS_PER_BYTE = 2e-5

export class Upkeep {
  /** Where the records are copies: has one deleted whose time is over, and says whether it was. */
  expireCopy: ((digest: Buffer, at: number) => boolean) | undefined
  readonly #parts: UpkeepParts
  readonly #truncation: PartitionPass
  readonly #expiry: Expiry
  readonly #compaction: Compaction
  readonly #view = newView()

  constructor(parts: UpkeepParts) {
    this.#parts = parts
    const { index } = parts.contents
    this.#truncation = new PartitionPass(index, (place) => this.#removeTruncated(place))
    this.#expiry = new Expiry(index, parts.expiryPeriod, (place, at) => this.#expire(place, at))
    this.#compaction = this.#newCompaction()
  }

  /** Takes out, from the first partition on, what a truncation hides. */
  beginTruncation(): void {
    this.#truncation.begin()
  }

  /** As `beginTruncation`, unless it is going on. */
  sweepHidden(): void {
    if (this.#truncation.isOver) this.#truncation.begin()
  }

  endTruncation(): void {
    this.#truncation.end()
  }

  /** A piece of it; true when there is more to do now. */
  run(now: number, budgetMs: number): boolean {
    const { contents, stopwatch } = this.#parts
    const slice = new Slice(stopwatch, Math.min(budgetMs, this.#wantedMs))
    contents.writtenBytes = 0
    if (this.#truncation.run(slice)) return true
    if (this.#expiry.run(slice, now)) return true
    return this.#compaction.run(slice)
  }

  /** Resolves when no file is being removed any more. */
  stop(): Promise<void> {
    return this.#compaction.stop()
  }

  /** After recovery: tombstones that hide nothing in the files go at once. */
  dropIdleTombstones(): void {
    if (this.#parts.contents.tombstones === 0) return
    const pass = new PartitionPass(this.#parts.contents.index, (place) => this.#dropIdleTombstone(place))
    pass.begin()
    pass.run(new Slice(() => 0, 1))
  }

  get #wantedMs(): number {
    const { store, contents } = this.#parts
    return store.stopWrites ? Infinity : Math.max(UNHURRIED_MS, contents.writtenBytes * MS_PER_BYTE)
  }

  #newCompaction(): Compaction {
    const { store, contents, files, onNote } = this.#parts
    const { log, index, damaged } = contents
    return new Compaction({
      ...{ log, index, contents },
      idleBytes: () => store.idleBytes,
      ...(files ? { files } : {}),
      moved: (from, to) => {
        if (damaged.delete(from)) damaged.add(to)
      },
      hasTombstones: () => contents.tombstones > 0,
      dropTombstone: (place) => this.#dropTombstone(place),
      onFailure: (error) => {
        // After a failed sync the namespace has stopped, and said so.
        if (files?.commit.fault) return
        onNote(
          `a segment that is no longer needed could not be removed (${error instanceof Error ? error.message : String(error)}); files and memory grow until the node is started again: check the disk`,
        )
      },
    })
  }

  #expire(place: number, at: number): boolean {
    const view = this.#view
    if (!this.#parts.contents.look(place, view)) return false
    const { voidTime, buffer } = view
    if (voidTime === 0 || voidTime > at) return false
    const digest = offsetOf(place) + digestAt
    return this.expireCopy ? this.expireCopy(buffer, digest) : this.#parts.store.remove(buffer, digest)
  }

  /** Of a damaged record the set is not known: only a truncation of all takes it out. */
  #removeTruncated(place: number): boolean {
    const { store, contents } = this.#parts
    const segment = contents.log.segments.get(place)
    const offset = offsetOf(place)
    const gone = contents.damaged.has(place)
      ? lastUpdateAt(segment, offset) < contents.sets.all.before
      : contents.look(place, this.#view) && contents.sets.isTruncated(this.#view)
    if (!gone || !this.expireCopy) return gone && store.remove(segment.buffer, offset + digestAt)
    store.forget(segment.buffer, offset + digestAt)
    return true
  }

  #dropIdleTombstone(place: number): boolean {
    const { log, index, damaged } = this.#parts.contents
    const segment = log.segments.get(place)
    const offset = offsetOf(place)
    if (damaged.has(place) || kindAt(segment, offset) === EntryKind.RECORD) return false
    index.seek(segment.buffer, offset + digestAt)
    return index.stale === 0 && this.#dropTombstone(place)
  }

  /** The last one of its partition stays: it keeps the partition's sequence over a restart. */
  #dropTombstone(place: number): boolean {
    const { contents, clock, tombstoneLife } = this.#parts
    const segment = contents.log.segments.get(place)
    const offset = offsetOf(place)
    const view = this.#view
    readEntry(segment, offset, view)
    const isDelete = view.generation !== FORGOTTEN_GENERATION
    if (contents.copies) {
      if (isDelete) return false
      contents.dropTombstone(place)
      return true
    }
    const partition = contents.index.partitionOf(segment.buffer, offset + digestAt)
    if (view.sequence === contents.sequences[partition]) return false
    const lives = tombstoneLife > 0 && isDelete
    if (lives && view.lastUpdate + tombstoneLife > clock()) return false
    contents.dropTombstone(place)
    return true
  }
}
