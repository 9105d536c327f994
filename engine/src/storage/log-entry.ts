/**
 * Entries that are not records: what the log says about itself and about its sets. They have the head of every
 * entry, with a digest of zeros, and numbers of 32 bits behind it; README.md has them as a table.
 */
import { DIGEST_BYTES } from '../values/digest.ts'
import { digestAt, entryHead, EntryKind, finishEntry, lengthAt, logKindAt } from './entry.ts'
import { aligned, type Segment } from './segment.ts'

/** A point in the log: everything before it lies in segments of lower number, or lower in the same one. */
export interface LogPoint {
  readonly number: number
  readonly offset: number
}

export const logStart: LogPoint = { number: 0, offset: 0 }

export function isBefore(a: LogPoint, b: LogPoint): boolean {
  return a.number < b.number || (a.number === b.number && a.offset < b.offset)
}

export type LogEntry =
  /** Everything before the point was synced when this was written. */
  | { readonly kind: typeof EntryKind.MARK; readonly synced: LogPoint }
  /** Stands first in a segment: the other segments there are and where each of them ends. */
  | { readonly kind: typeof EntryKind.MANIFEST; readonly segments: readonly LogPoint[] }
  /** The segment is no longer needed; its file goes once this is synced. */
  | { readonly kind: typeof EntryKind.RETIRE; readonly number: number }
  | { readonly kind: typeof EntryKind.SET; readonly setId: number; readonly name: Buffer }
  /** Records of the set (0 = of all) last updated before this are gone; of several the one with the highest order holds. */
  | {
      readonly kind: typeof EntryKind.TRUNCATE
      readonly setId: number
      readonly before: number
      readonly order: number
    }
  /** What the copy of a partition is, in place of all that was said of it before. */
  | { readonly kind: typeof EntryKind.COPY; readonly partition: number; readonly facts: Buffer }
  /** All that stands between the two holds, or nothing: without the end it is cut off. */
  | { readonly kind: typeof EntryKind.BEGIN }
  | { readonly kind: typeof EntryKind.END }

const twoTo32 = 0x100000000

export function logEntryRoom(entry: LogEntry): number {
  return aligned(entryHead + payloadBytes(entry))
}

function payloadBytes(entry: LogEntry): number {
  switch (entry.kind) {
    case EntryKind.MARK:
      return 8
    case EntryKind.MANIFEST:
      return entry.segments.length * 8
    case EntryKind.RETIRE:
      return 4
    case EntryKind.SET:
      return 4 + entry.name.length
    case EntryKind.TRUNCATE:
      return 16
    case EntryKind.COPY:
      return 4 + entry.facts.length
    case EntryKind.BEGIN:
    case EntryKind.END:
      return 0
  }
}

/** Lays the entry out at `offset`, without sums; answers the bytes it takes. */
export function writeLogEntry(segment: Segment, offset: number, entry: LogEntry): number {
  const { buffer } = segment
  const at = offset + entryHead
  buffer.fill(0, offset + digestAt, offset + digestAt + DIGEST_BYTES)
  switch (entry.kind) {
    case EntryKind.MARK:
      writePoint(buffer, at, entry.synced)
      break
    case EntryKind.MANIFEST:
      entry.segments.forEach((point, i) => writePoint(buffer, at + i * 8, point))
      break
    case EntryKind.RETIRE:
      buffer.writeUInt32LE(entry.number, at)
      break
    case EntryKind.SET:
      buffer.writeUInt32LE(entry.setId, at)
      entry.name.copy(buffer, at + 4)
      break
    case EntryKind.TRUNCATE:
      buffer.writeUInt32LE(entry.setId, at)
      buffer.writeUInt32LE(entry.before % twoTo32, at + 4)
      buffer.writeUInt32LE(Math.floor(entry.before / twoTo32), at + 8)
      buffer.writeUInt32LE(entry.order, at + 12)
      break
    case EntryKind.COPY:
      buffer.writeUInt32LE(entry.partition, at)
      entry.facts.copy(buffer, at + 4)
  }
  return finishEntry(segment, offset, entry.kind, entryHead + payloadBytes(entry), 0)
}

export function readLogEntry(segment: Segment, offset: number): LogEntry | undefined {
  const { buffer } = segment
  const kind = logKindAt(segment, offset)
  const at = offset + entryHead
  const end = offset + lengthAt(segment, offset)
  switch (kind) {
    case EntryKind.MARK:
      return { kind, synced: readPoint(buffer, at) }
    case EntryKind.MANIFEST: {
      const segments: LogPoint[] = []
      for (let from = at; from < end; from += 8) segments.push(readPoint(buffer, from))
      return { kind, segments }
    }
    case EntryKind.RETIRE:
      return { kind, number: buffer.readUInt32LE(at) }
    case EntryKind.SET:
      return { kind, setId: buffer.readUInt32LE(at), name: Buffer.from(buffer.subarray(at + 4, end)) }
    case EntryKind.TRUNCATE:
      return {
        kind,
        setId: buffer.readUInt32LE(at),
        before: buffer.readUInt32LE(at + 4) + buffer.readUInt32LE(at + 8) * twoTo32,
        order: buffer.readUInt32LE(at + 12),
      }
    case EntryKind.COPY:
      return {
        kind,
        partition: buffer.readUInt32LE(at),
        facts: Buffer.from(buffer.subarray(at + 4, end)),
      }
    case EntryKind.BEGIN:
    case EntryKind.END:
      return { kind }
    default:
      return undefined
  }
}

function writePoint(buffer: Buffer, at: number, { number, offset }: LogPoint): void {
  buffer.writeUInt32LE(number, at)
  buffer.writeUInt32LE(offset, at + 4)
}

function readPoint(buffer: Buffer, at: number): LogPoint {
  return { number: buffer.readUInt32LE(at), offset: buffer.readUInt32LE(at + 4) }
}
