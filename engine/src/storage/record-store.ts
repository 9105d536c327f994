/**
 * The records of one namespace, in memory: an index over append-only segments. A new version is appended and the
 * index moved to it; segments whose records have gone are copied together and used again.
 */
import { sameBytes } from '../values/byte-equality.ts'
import type { Slice } from '../values/particle.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import {
  compareDigestAt,
  digestAt,
  EntryKind,
  entryRoom,
  kindAt,
  lengthAt,
  readEntry,
  writeEntry,
} from './entry.ts'
import { RecordIndex } from './record-index.ts'
import type { RecordDraft, RecordView } from './record.ts'
import { aligned, alignment, offsetOf, placeOf, type Segment, segmentBytes, SegmentTable } from './segment.ts'

export interface RecordStoreOptions {
  readonly clock: () => number
  /** Bytes of index and data. */
  readonly memoryLimit: number
  readonly partitions?: number
  /** Seconds between two passes that take out expired records; 0 = none. Asked before each pass. */
  readonly expiryPeriod?: () => number
}

/** One set, by its id. */
export interface StoredSet {
  readonly name: Slice
  objects: number
  bytes: number
  /** Records last updated before this are gone; ms since 1970. */
  truncateBefore: number
}

/** Segments with fewer live bytes than this share are copied together. */
const POOR_SHARE = 0.75
/** Writes stop when less than this is left of the limit: what copying together may need for a while. */
const RESERVE_SEGMENTS = 2
/** Void times count from 2010-01-01 UTC. */
const EPOCH_2010_MS = 1_262_304_000_000

export class RecordStore {
  readonly sets: StoredSet[] = [newSet(Buffer.alloc(0))]
  readonly #setIds = new Map<string, number>()
  readonly #index: RecordIndex
  readonly #segments = new SegmentTable(segmentBytes)
  readonly #sequences: Float64Array
  readonly #limit: number
  readonly #view: RecordView
  #open: Segment
  #nextNumber = 1
  #truncateAll = 0
  #victim: Segment | undefined
  #victimAt = 0
  readonly #expiryPeriod: () => number
  /** The partition the expiry pass has come to; behind the last one it rests until its period is over. */
  #expiryAt = 0
  #expiryBegan = -Infinity
  /** The set that was asked for last; most requests in a row name the same one. */
  #lastSet = 0
  objects = 0
  expired = 0
  position = 0

  static async open(options: RecordStoreOptions): Promise<RecordStore> {
    return new RecordStore(options)
  }

  private constructor({ memoryLimit, partitions = 4096, expiryPeriod = () => 0 }: RecordStoreOptions) {
    this.#limit = memoryLimit
    this.#expiryPeriod = expiryPeriod
    this.#expiryAt = partitions
    this.#index = new RecordIndex(partitions, (place, digest, at) =>
      compareDigestAt(this.#segments.get(place), offsetOf(place), digest, at),
    )
    this.#sequences = new Float64Array(partitions)
    this.#open = this.#newSegment()
    this.#view = emptyView()
  }

  get synced(): number {
    return this.position
  }

  whenSynced(_position: number, callback: (failed: boolean) => void): void {
    callback(false)
  }

  /** Freed segments are kept for reuse within the reserve, so they do not count. */
  get stopWrites(): boolean {
    const inUse = this.#index.bytes + this.#segments.count * segmentBytes
    return inUse + RESERVE_SEGMENTS * segmentBytes > this.#limit
  }

  stats(): { objects: number; indexBytes: number; dataBytes: number; dataUsedBytes: number } {
    return {
      objects: this.objects,
      indexBytes: this.#index.bytes,
      dataBytes: this.#segments.bytes,
      dataUsedBytes: this.sets.reduce((sum, { bytes }) => sum + bytes, 0),
    }
  }

  /** False when there is none, or a truncation hides it. Expired ones are found. */
  find(digest: Buffer, at: number, view: RecordView): boolean {
    const place = this.#index.seek(digest, at)
    if (place === 0) return false
    readEntry(this.#segments.get(place), offsetOf(place), view)
    return view.lastUpdate >= this.#truncateAll && view.lastUpdate >= this.sets[view.setId]!.truncateBefore
  }

  write(draft: RecordDraft): void {
    if (this.stopWrites && this.#open.used + entryRoom(draft) > segmentBytes)
      throw new ResultError(ResultCode.NO_SPACE)
    const { place, bytes } = this.#append(draft)
    const before = this.#index.seek(draft.digest, draft.digestStart)
    if (before === 0) this.#index.insert(draft.digest, draft.digestStart, place)
    else {
      this.#forget(before)
      this.#index.move(place)
    }
    this.#count(draft.setId, 1, bytes)
    this.position++
  }

  remove(digest: Buffer, at: number): boolean {
    const place = this.#index.seek(digest, at)
    if (place === 0) return false
    this.#index.delete()
    this.#forget(place)
    this.position++
    return true
  }

  nextSequence(partition: number): number {
    return ++this.#sequences[partition]!
  }

  /** Id of a set by its name; 0 when it is not there and not to be made. */
  setId(name: Buffer, start: number, end: number, create: boolean): number {
    if (end <= start) return 0
    if (sameBytes(name, start, end, this.sets[this.#lastSet]!.name)) return this.#lastSet
    const text = name.toString('latin1', start, end)
    const known = this.#setIds.get(text)
    if (known !== undefined || !create) return (this.#lastSet = known ?? 0)
    const id = this.sets.length
    this.sets.push(newSet(Buffer.from(name.subarray(start, end))))
    this.#setIds.set(text, id)
    this.#lastSet = id
    return id
  }

  /** Hides records of the set (of all with 0) last updated before `before`. */
  truncate(setId: number, before: number): void {
    if (setId === 0) this.#truncateAll = Math.max(this.#truncateAll, before)
    else this.sets[setId]!.truncateBefore = Math.max(this.sets[setId]!.truncateBefore, before)
    this.#sweep((view) => view.lastUpdate < before && (setId === 0 || view.setId === setId))
  }

  untruncate(setId: number): void {
    if (setId === 0) this.#truncateAll = 0
    else this.sets[setId]!.truncateBefore = 0
  }

  /** Takes out every record that `gone` says. */
  #sweep(gone: (view: RecordView) => boolean): void {
    const view = this.#view
    const doomed: Buffer[] = []
    for (let partition = 0; partition < this.#index.partitions; partition++)
      for (let slot = 0; slot < this.#index.size(partition); slot++) {
        const place = this.#index.placeAt(partition, slot)
        if (place === 0) continue
        const segment = this.#segments.get(place)
        readEntry(segment, offsetOf(place), view)
        const digestStart = offsetOf(place) + 8
        if (gone(view)) doomed.push(Buffer.from(segment.buffer.subarray(digestStart, digestStart + 20)))
      }
    for (const digest of doomed) this.remove(digest, 0)
  }

  /** A piece of the expiry pass or of copying a poorly filled segment together; true when there is more to do. */
  runSlice(now: number, budgetMs: number): boolean {
    const steps = budgetMs * STEPS_PER_MS
    return this.#expire(now, steps) || this.#compact(steps)
  }

  /** True while the pass has partitions before it. */
  #expire(now: number, steps: number): boolean {
    const { partitions } = this.#index
    if (this.#expiryAt >= partitions) {
      const period = this.#expiryPeriod() * 1000
      // A clock that was set back must not put the next pass off.
      if (period === 0 || this.objects === 0 || Math.abs(now - this.#expiryBegan) < period) return false
      this.#expiryBegan = now
      this.#expiryAt = 0
    }
    const seconds = Math.floor((now - EPOCH_2010_MS) / 1000)
    let left = steps
    while (this.#expiryAt < partitions && left > 0) left -= this.#expirePartition(this.#expiryAt++, seconds)
    return this.#expiryAt < partitions
  }

  /**
   * Answers the slots it looked at. From the last to the first: closing a gap moves only entries that have been
   * seen already.
   */
  #expirePartition(partition: number, seconds: number): number {
    const view = this.#view
    const slots = this.#index.size(partition)
    for (let slot = slots - 1; slot >= 0; slot--) {
      if (slot >= this.#index.size(partition)) continue
      const place = this.#index.placeAt(partition, slot)
      if (place === 0) continue
      const segment = this.#segments.get(place)
      readEntry(segment, offsetOf(place), view)
      if (view.voidTime === 0 || view.voidTime > seconds) continue
      this.remove(segment.buffer, offsetOf(place) + digestAt)
      this.expired++
    }
    return slots
  }

  #compact(most: number): boolean {
    this.#victim ??= this.#poorest()
    const victim = this.#victim
    if (!victim) return false
    let steps = most
    while (this.#victimAt < victim.used && steps-- > 0) this.#rescue(victim)
    if (this.#victimAt < victim.used) return true
    this.#segments.remove(victim)
    this.#victim = undefined
    return true
  }

  async close(): Promise<void> {
    this.#victim = undefined
  }

  #rescue(victim: Segment): void {
    const offset = this.#victimAt
    const taken = aligned(lengthAt(victim, offset))
    this.#victimAt += taken
    if (kindAt(victim, offset) !== EntryKind.RECORD) return
    if (this.#index.seek(victim.buffer, offset + 8) !== placeOf(victim.id, offset)) return
    const to = this.#room(taken)
    victim.buffer.copy(to.buffer, to.used, offset, offset + taken)
    this.#index.move(placeOf(to.id, to.used))
    this.#segments.grew(to, taken)
    this.#segments.enliven(to, taken)
    this.#segments.enliven(victim, -taken)
  }

  #poorest(): Segment | undefined {
    let best: Segment | undefined
    for (const segment of this.#segments.all())
      if (segment !== this.#open && segment.live < segment.used * POOR_SHARE)
        if (!best || segment.live < best.live) best = segment
    this.#victimAt = best ? alignment : 0
    return best
  }

  #append(draft: RecordDraft): { place: number; bytes: number } {
    const segment = this.#room(entryRoom(draft))
    const place = placeOf(segment.id, segment.used)
    const bytes = writeEntry(segment, segment.used, EntryKind.RECORD, draft)
    this.#segments.grew(segment, bytes)
    this.#segments.enliven(segment, bytes)
    return { place, bytes }
  }

  #room(bytes: number): Segment {
    if (this.#open.used + bytes > this.#segments.capacity) this.#open = this.#newSegment()
    return this.#open
  }

  #newSegment(): Segment {
    const segment = this.#segments.add(this.#nextNumber++)
    segment.used = 0
    segment.live = 0
    // Place 0 means none.
    this.#segments.grew(segment, alignment)
    return segment
  }

  #forget(place: number): void {
    const segment = this.#segments.get(place)
    const bytes = aligned(lengthAt(segment, offsetOf(place)))
    readEntry(segment, offsetOf(place), this.#view)
    this.#count(this.#view.setId, -1, -bytes)
    this.#segments.enliven(segment, -bytes)
  }

  #count(setId: number, objects: number, bytes: number): void {
    const set = this.sets[setId]!
    set.objects += objects
    set.bytes += bytes
    this.objects += objects
  }
}

const newSet = (name: Buffer): StoredSet => ({
  name: { buffer: name, start: 0, end: name.length },
  objects: 0,
  bytes: 0,
  truncateBefore: 0,
})

const STEPS_PER_MS = 500

export function emptyView(): RecordView {
  return {
    generation: 0,
    voidTime: 0,
    lastUpdate: 0,
    regime: 0,
    sequence: 0,
    setId: 0,
    buffer: Buffer.alloc(0),
    keyStart: 0,
    keyEnd: 0,
    binsStart: 0,
    binsEnd: 0,
    binCount: 0,
  }
}
