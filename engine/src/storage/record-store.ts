/**
 * The records of one namespace: an index over append-only segments. A new version is appended and the index moved to
 * it; segments whose records have gone are copied together and used again. With files the same segments stand on
 * disk, and a delete appends a tombstone, so that no start finds an older version again.
 */
import { PARTITIONS } from '../values/digest.ts'
import { NO_TIME } from '../values/no-time.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import { writeCheckpoint } from './checkpoint.ts'
import { CopyLog } from './copy-log.ts'
import { Contents, FORGOTTEN_GENERATION, type Standing } from './contents.ts'
import { EntryKind, entryRoom, kindAt, lastUpdateAt, readEntry } from './entry.ts'
import { type FileOptions, openFiles, type OpenFiles } from './open-files.ts'
import type { RecordIndex } from './record-index.ts'
import { newDraft, newView, type RecordDraft, type RecordView } from './record.ts'
import { offsetOf } from './segment.ts'
import type { SegmentLog } from './segment-log.ts'
import type { SetTable, StoredSet } from './set-table.ts'
import { Upkeep } from './upkeep.ts'

export interface RecordStoreOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** Milliseconds with fractions, from any start; how long background work took. */
  readonly stopwatch: () => number
  /** Bytes of index and data. */
  readonly memoryLimit: number
  readonly partitions?: number
  /** Bytes of a segment; by default, and at most, 8 MiB. */
  readonly segmentBytes?: number
  /**
   * Bytes of old versions that are left lying while there is room: to free a few, much that lives beside them would
   * have to be copied. By default 32 MiB.
   */
  readonly idleBytes?: number
  /** Seconds between two passes that take out expired records; 0 = none. Asked before each pass. */
  readonly expiryPeriod?: () => number
  /** Without, everything is gone when the process ends. */
  readonly files?: FileOptions
  /** Milliseconds for which a delete is remembered, files or not; by default only as long as files need it. */
  readonly tombstoneLife?: number
  /**
   * Keeps strongly consistent copies: `copies` is there, and a delete is remembered until it is told otherwise.
   * Records expire only through it.
   */
  readonly strong?: boolean
}

const IDLE_BYTES = 32 * 1024 * 1024
/** Writes stop when less than this is left of the limit: what copying together may need for a while. */
const RESERVE_SEGMENTS = 2
/** A newest record this far ahead of the clock is worth a word to the person who runs the node. */
const CLOCK_BEHIND_MS = 1000

export class RecordStore {
  readonly #clock: () => number
  readonly #limit: number
  readonly #idleBytes: number
  readonly #contents: Contents
  readonly #index: RecordIndex
  readonly #log: SegmentLog
  readonly #sets: SetTable
  readonly #tombstoneLife: number
  readonly #damaged: Set<number>
  readonly #view = newView()
  readonly #tombstone = newDraft()
  /** The copies of the partitions, where the store keeps strongly consistent ones. */
  readonly copies: CopyLog | undefined
  #files: OpenFiles | undefined
  #commits = false
  #onNote: (line: string) => void = () => undefined
  #upkeep: Upkeep
  #closed = false
  #foundAt = 0
  latestUpdate = NO_TIME

  /** Throws a StorageError, whose message is one line that says what to do, when the folder cannot be used. */
  static async open(options: RecordStoreOptions): Promise<RecordStore> {
    const store = new RecordStore(options)
    if (options.files) await store.#openFiles(options, options.files)
    return store
  }

  private constructor(options: RecordStoreOptions) {
    const { clock, memoryLimit, partitions = PARTITIONS, files, strong = false } = options
    this.#tombstoneLife = options.tombstoneLife ?? 0
    this.#clock = clock
    this.#limit = memoryLimit
    this.#idleBytes = options.idleBytes ?? IDLE_BYTES
    this.#contents = new Contents({
      partitions,
      segmentBytes: options.segmentBytes,
      keepsFiles: files !== undefined,
      keepsCopies: strong,
      checkOpen: () => (strong ? this.#checkFault() : this.#checkOpen()),
    })
    this.#index = this.#contents.index
    this.#log = this.#contents.log
    this.#sets = this.#contents.sets
    this.#damaged = this.#contents.damaged
    if (this.#contents.copies)
      this.copies = new CopyLog(this.#contents, this.#contents.copies, () => this.#files)
    this.#upkeep = this.#newUpkeep(options)
  }

  get objects(): number {
    return this.#contents.objects
  }

  get tombstones(): number {
    return this.#contents.tombstones
  }

  get sets(): readonly StoredSet[] {
    return this.#sets.sets
  }

  /** Whether the files were those of a clean stop, so that nothing had to be looked up. */
  get startedClean(): boolean {
    return this.#files?.startedClean === true
  }

  /** Name of the folder's data, for as long as they live; none without files. */
  get incarnation(): string | undefined {
    return this.#files?.folder.incarnation
  }

  /** Grows with everything that has to be on disk before it lasts. */
  get position(): number {
    return this.#files?.commit.position ?? 0
  }

  /** Everything up to this position is on disk. */
  get synced(): number {
    return this.#files?.commit.synced ?? 0
  }

  /**
   * What must be synced before the outcome of the last `find` may be told to anyone, 0 for nothing: a version or a
   * delete that a power failure could still take back is not to be seen.
   */
  get foundPosition(): number {
    if (!this.#commits || this.#foundAt === 0) return 0
    const { durable } = this.#log.segments.get(this.#foundAt)
    return offsetOf(this.#foundAt) >= durable ? this.position : 0
  }

  /** Last update of what the last `find` looked at, a delete too; `NO_TIME` where nothing stood. */
  get foundUpdate(): number {
    if (this.#foundAt === 0) return NO_TIME
    return lastUpdateAt(this.#log.segments.get(this.#foundAt), offsetOf(this.#foundAt))
  }

  /** What must be synced before everything so far may be called done; 0 where nobody waits for the disk. */
  get commitPosition(): number {
    return this.#commits ? this.position : 0
  }

  /** Calls back once, when the position is synced or can no longer be. */
  whenSynced(position: number, callback: (failed: boolean) => void): void {
    if (this.#files) this.#files.commit.whenSynced(position, callback)
    else callback(false)
  }

  /** Freed segments are kept for reuse within the reserve, so they do not count. */
  get stopWrites(): boolean {
    return this.#roomLeft < 0 || this.#log.isFull || this.#isDiskFull
  }

  /** Less and less as memory fills up; none where a tombstone waits for the old versions that it hides. */
  get idleBytes(): number {
    if (this.tombstones > 0 || this.#isDiskFull) return 0
    return Math.min(this.#idleBytes, Math.max(0, this.#roomLeft) / 4)
  }

  /** Bytes that may still be taken. */
  get #roomLeft(): number {
    const { count, capacity } = this.#log.segments
    return this.#limit - this.#index.bytes - (count + RESERVE_SEGMENTS) * capacity
  }

  get #isDiskFull(): boolean {
    const commit = this.#files?.commit
    return commit !== undefined && (commit.full || commit.lowSpace)
  }

  stats(): { objects: number; indexBytes: number; dataBytes: number; dataUsedBytes: number } {
    return {
      objects: this.objects,
      indexBytes: this.#index.bytes,
      dataBytes: this.#log.segments.bytes,
      dataUsedBytes: this.sets.reduce((sum, { bytes }) => sum + bytes, 0),
    }
  }

  /**
   * False when there is none, or a truncation hides it. Expired ones are found. Throws a ResultError for a record
   * that is known to be damaged, and once the namespace has stopped.
   */
  find(digest: Buffer, at: number, view: RecordView): boolean {
    if (this.#files?.commit.fault) throw new ResultError(ResultCode.PARTITION_UNAVAILABLE)
    const place = this.#index.seek(digest, at)
    this.#foundAt = place
    if (place === 0) return false
    const segment = this.#log.segments.get(place)
    const offset = offsetOf(place)
    if (this.#damaged.size > 0 && this.#damaged.has(place))
      throw new ResultError(ResultCode.SERVER_ERROR, 'the record is damaged on disk')
    if (kindAt(segment, offset) === EntryKind.TOMBSTONE) return false
    readEntry(segment, offset, view)
    if (this.copies?.hides(digest, at, view)) return false
    return !this.#sets.isTruncated(view)
  }

  /**
   * Throws a ResultError when there is no room, or nothing can be kept any more. `sought`: the last call that looked
   * anything up or changed anything was a `find` for this digest, so it need not be looked up again.
   */
  write(draft: RecordDraft, sought = false): void {
    this.#checkOpen()
    if (entryRoom(draft) > this.#log.largestEntry) throw new ResultError(ResultCode.RECORD_TOO_BIG)
    if (!this.#log.fits(draft) && this.stopWrites) throw new ResultError(ResultCode.NO_SPACE)
    draft.advances = this.copies !== undefined
    const before = sought ? this.#foundAt : this.#index.seek(draft.digest, draft.digestStart)
    this.#foundAt = this.#contents.put(EntryKind.RECORD, draft, before)
    if (draft.lastUpdate > this.latestUpdate) this.latestUpdate = draft.lastUpdate
  }

  /** False when there was none. */
  remove(digest: Buffer, at: number): boolean {
    this.#checkOpen()
    const place = this.#index.seek(digest, at)
    if (place === 0) return false
    const segment = this.#log.segments.get(place)
    if (kindAt(segment, offsetOf(place)) === EntryKind.TOMBSTONE) return false
    if (!this.#files && this.#tombstoneLife === 0 && !this.copies) {
      this.#contents.takeOut(place)
      return true
    }
    const draft = this.#tombstone
    const partition = this.#index.partitionOf(digest, at)
    draft.digest = digest
    draft.digestStart = at
    // Neither of an earlier generation than what it hides nor older.
    const hidden = this.#contents.look(place, this.#view) ? this.#view.generation : FORGOTTEN_GENERATION
    draft.generation = hidden + 1
    draft.lastUpdate = Math.max(this.#clock(), lastUpdateAt(segment, offsetOf(place)))
    draft.regime = this.#contents.regimes[partition]!
    draft.sequence = this.nextSequence(partition)
    draft.advances = this.copies !== undefined
    this.bury(draft)
    return true
  }

  /** Writes the tombstone of a delete, numbered as the draft says. */
  bury(draft: RecordDraft): void {
    this.#checkOpen()
    const before = this.#index.seek(draft.digest, draft.digestStart)
    this.#foundAt = this.#contents.put(EntryKind.TOMBSTONE, draft, before)
  }

  /** Takes out what stands there as if it had never been, a delete too: this node no longer keeps the partition. */
  forget(digest: Buffer, at: number): void {
    this.#checkOpen()
    const place = this.#index.seek(digest, at)
    if (place === 0) return
    if (!this.#files) return this.#contents.takeOut(place)
    const draft = this.#tombstone
    readEntry(this.#log.segments.get(place), offsetOf(place), this.#view)
    draft.digest = digest
    draft.digestStart = at
    draft.generation = FORGOTTEN_GENERATION
    // Of one version recovery takes what was appended last.
    draft.lastUpdate = this.#view.lastUpdate
    draft.regime = this.#view.regime
    draft.sequence = this.#view.sequence
    this.bury(draft)
  }

  /**
   * From here on the records are copies of others: nothing is deleted but by their master. `expire` is asked to have
   * a record deleted whose time is over, and says whether it was; what a truncation hides is forgotten.
   */
  holdCopies(expire: (digest: Buffer, at: number) => boolean): void {
    this.#upkeep.expireCopy = expire
  }

  /** Whether a truncation hides the record. */
  hides(record: Pick<RecordView, 'lastUpdate' | 'setId'>): boolean {
    return this.#sets.isTruncated(record)
  }

  /** Something was written that a truncation hides: it is to be taken out, too. */
  sweepHidden(): void {
    this.#upkeep.sweepHidden()
  }

  /** What stands there, hidden by a truncation or not; fills the view of a record and of a delete. */
  findVersion(digest: Buffer, at: number, view: RecordView): Standing {
    const place = this.#index.seek(digest, at)
    return place === 0 || this.#damaged.has(place) ? 'nothing' : this.#contents.standing(place, view)
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
    this.#contents.scan(partition, after, visit)
  }

  /** Milliseconds for which a delete is remembered; 0 = no longer than files need it. */
  get tombstoneLife(): number {
    return this.#tombstoneLife
  }

  /** ms since 1970 */
  get now(): number {
    return this.#clock()
  }

  /** From here on the writes to the partition are numbered from behind `last`, in this regime. */
  enterRegime(partition: number, regime: number, last = 0): void {
    this.#contents.regimes[partition] = regime
    this.#contents.sequences[partition] = last
  }

  regimeOf(partition: number): number {
    return this.#contents.regimes[partition]!
  }

  /** The number of the last write of the partition. */
  sequenceOf(partition: number): number {
    return this.#contents.sequences[partition]!
  }

  partitionOf(digest: Buffer, at: number): number {
    return this.#index.partitionOf(digest, at)
  }

  /** Records and deletes of a partition. */
  entriesOf(partition: number): number {
    return this.#index.counts[partition]!
  }

  /** The number of the next write of the partition. */
  nextSequence(partition: number): number {
    return ++this.#contents.sequences[partition]!
  }

  /** Id of a set by its name; 0 when it is not there and not to be made. */
  setId(name: Buffer, start: number, end: number, create: boolean): number {
    return this.#sets.idOf(name, start, end, create)
  }

  /** Hides records of the set (of all with 0) last updated before `before`; they are taken out in slices. */
  truncate(setId: number, before: number): void {
    this.#checkOpen()
    this.#sets.truncate(setId, before)
    this.#upkeep.beginTruncation()
  }

  untruncate(setId: number): void {
    this.#checkOpen()
    this.#sets.untruncate(setId)
    if (!this.#sets.anyTruncated) this.#upkeep.endTruncation()
  }

  /** The latest moment that any truncation names, in ms since 1970; new versions must not be older. */
  get latestTruncation(): number {
    return this.#sets.latestTruncation
  }

  /** A piece of whatever has to be done between requests; true when there is more to do now. */
  runSlice(now: number, budgetMs: number): boolean {
    if (this.#closed || this.#files?.commit.fault) return false
    // A segment may go now, and what was found in it with it.
    this.#foundAt = 0
    this.#files?.commit.tick(now)
    return this.#upkeep.run(now, budgetMs)
  }

  /** Resolves once everything so far is on disk; rejects when it cannot be. */
  async flush(): Promise<void> {
    await this.#files?.commit.flush()
  }

  /** Takes no more writes; with files, brings everything to disk and leaves the mark of a clean stop. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#upkeep.stop()
    this.#contents.copies?.pinAll()
    const files = this.#files
    if (!files) return
    try {
      if (!files.commit.fault) await files.commit.flush()
      await files.commit.close()
      // Damage is looked for anew at the next start, so it leaves no mark.
      if (!files.commit.fault && this.#damaged.size === 0)
        await files.folder.writeCheckpoint(writeCheckpoint(this.#contents, this.latestUpdate))
    } finally {
      await files.folder.release()
    }
  }

  async #openFiles(options: RecordStoreOptions, fileOptions: FileOptions): Promise<void> {
    const files = await openFiles(fileOptions, this.#contents)
    this.#files = files
    this.#onNote = (line) => fileOptions.onNote?.(`${fileOptions.folder}: ${line}`)
    this.#commits = fileOptions.durability === 'commit'
    this.latestUpdate = files.found.latestUpdate
    this.#contents.objects = files.found.objects
    this.#contents.tombstones = files.found.tombstones
    this.#upkeep = this.#newUpkeep(options)
    if (!files.startedClean) {
      this.#contents.enlivenLog()
      this.#upkeep.dropIdleTombstones()
    }
    if (this.#sets.anyTruncated) this.#upkeep.beginTruncation()
    const behind = this.latestUpdate - this.#clock()
    if (behind > CLOCK_BEHIND_MS)
      this.#onNote(
        `the clock is ${Math.round(behind / 1000)} s behind the newest record; records may live that much longer. Set the clock right`,
      )
  }

  #newUpkeep(options: RecordStoreOptions): Upkeep {
    const { clock, stopwatch, expiryPeriod = () => 0, strong } = options
    return new Upkeep({
      ...{ store: this, contents: this.#contents, files: this.#files, clock, stopwatch },
      // Strong copies expire by their master's word alone.
      expiryPeriod: strong ? () => 0 : expiryPeriod,
      tombstoneLife: this.#tombstoneLife,
      onNote: this.#onNote,
    })
  }

  #checkOpen(): void {
    if (this.#closed) throw new ResultError(ResultCode.PARTITION_UNAVAILABLE)
    this.#checkFault()
    if (this.#files?.commit.overloaded) throw new ResultError(ResultCode.DEVICE_OVERLOAD)
  }

  #checkFault(): void {
    if (this.#files?.commit.fault) throw new ResultError(ResultCode.PARTITION_UNAVAILABLE)
  }
}
