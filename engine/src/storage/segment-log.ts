import { EntryKind, entryRoom, lengthAt, sealEntry, writeEntry } from './entry.ts'
import { type LogEntry, type LogPoint, logEntryRoom, writeLogEntry } from './log-entry.ts'
import type { RecordDraft } from './record.ts'
import {
  aligned,
  alignment,
  largestSegmentCount,
  placeOf,
  type Segment,
  segmentBytes,
  SegmentTable,
} from './segment.ts'

/** The first bytes of a segment, so that no entry has place 0: `LRDR` and the version of the format. */
const magic = Buffer.from([0x4c, 0x52, 0x44, 0x52, 1, 0, 0, 0])

/** Room that the manifest at the beginning of a segment may take, of the largest number of segments. */
const manifestBytes = 64 * 1024

export function hasMagic(segment: Segment): boolean {
  return segment.buffer.compare(magic, 0, magic.length, 0, magic.length) === 0
}

/** Up to this, word by word beats the way into native code. */
const shortBytes = 256

function copyWords(source: Int32Array, start: number, count: number, target: Int32Array, at: number): void {
  for (let i = 0; i < count; i++) target[at + i] = source[start + i]!
}

/** Who is told of what was appended; there is none without files. */
export interface LogListener {
  appended(segment: Segment): void
}

/** What is appended to, in segments one after the other. */
export class SegmentLog {
  readonly segments: SegmentTable
  /** Nothing larger than this, head and all, can be kept. */
  readonly largestEntry: number
  #open: Segment | undefined
  #nextNumber = 1
  #listener: LogListener | undefined

  /** `capacity`: bytes of a segment, at most `segmentBytes`. */
  constructor(capacity = segmentBytes) {
    this.segments = new SegmentTable(capacity)
    this.largestEntry = capacity - Math.min(manifestBytes, capacity >>> 2)
  }

  /** From here on entries are sealed and segments begin with a manifest. */
  listen(listener: LogListener): void {
    this.#listener = listener
  }

  isOpen(segment: Segment): boolean {
    return segment === this.#open
  }

  /** Whether another segment could be begun. */
  get isFull(): boolean {
    return this.segments.count >= largestSegmentCount - 1
  }

  /** Whether the draft goes into the segment that is open already. */
  fits(draft: RecordDraft): boolean {
    return this.#open !== undefined && this.#open.used + entryRoom(draft) <= this.segments.capacity
  }

  get end(): LogPoint {
    return this.#open ? { number: this.#open.number, offset: this.#open.used } : { number: 0, offset: 0 }
  }

  /** Appends a record or, as its kind says, a tombstone; answers its place. */
  append(kind: number, draft: RecordDraft): number {
    const segment = this.#room(entryRoom(draft))
    return this.#appended(segment, writeEntry(segment, segment.used, kind, draft))
  }

  appendLogEntry(entry: LogEntry): number {
    const segment = this.#room(logEntryRoom(entry))
    return this.#appended(segment, writeLogEntry(segment, segment.used, entry))
  }

  /** Appends the bytes that stand at `offset` of another segment, as they are. */
  appendCopy(from: Segment, offset: number): number {
    const taken = aligned(lengthAt(from, offset))
    const segment = this.#room(taken)
    if (taken > shortBytes) from.buffer.copy(segment.buffer, segment.used, offset, offset + taken)
    else copyWords(from.words, offset >>> 2, taken >>> 2, segment.words, segment.used >>> 2)
    const place = placeOf(segment.id, segment.used)
    this.segments.grew(segment, taken)
    this.#listener?.appended(segment)
    return place
  }

  /** Goes on after recovery: in the segment of the highest number, if it has room. */
  resume(last: Segment | undefined, nextNumber: number): void {
    this.#open = last
    this.#nextNumber = nextNumber
  }

  get nextNumber(): number {
    return this.#nextNumber
  }

  #appended(segment: Segment, taken: number): number {
    const place = placeOf(segment.id, segment.used)
    if (this.#listener) sealEntry(segment, segment.used)
    this.segments.grew(segment, taken)
    this.#listener?.appended(segment)
    return place
  }

  #room(bytes: number): Segment {
    if (!this.#open || this.#open.used + bytes > this.segments.capacity) this.#open = this.#begin()
    return this.#open
  }

  #begin(): Segment {
    const before: LogPoint[] = []
    if (this.#listener)
      for (const { number, used, retired } of this.segments.all())
        if (!retired) before.push({ number, offset: used })
    const segment = this.segments.add(this.#nextNumber++)
    segment.used = segment.live = segment.durable = 0
    magic.copy(segment.buffer)
    this.segments.grew(segment, alignment)
    if (this.#listener) {
      const manifest: LogEntry = { kind: EntryKind.MANIFEST, segments: before }
      this.#appended(segment, writeLogEntry(segment, segment.used, manifest))
    }
    return segment
  }
}
