/**
 * The layout of what stands in a segment: entries, each starting at a multiple of 8 bytes. All numbers are
 * little-endian. README.md has the same as a table.
 *
 *    0  u32  sum: CRC-32 of byte 4 to the end, padding included, with zeros for the head sum
 *    4  u24  length without padding;  u8 at 7: kind (low 3 bits; low 4 where it is not a record) and flags
 *    8  20   digest (records, tombstones)
 *   28  u48  last update, ms since 1970
 *   34  u16  head sum: the low half of the running CRC after byte 35. It vouches for kind, length, digest and last
 *            update alone, so that damage further on still leaves the record's name known
 *   36       numbers of 7 bits a byte, lowest first, the high bit says that more follow: generation, sequence,
 *            then as flagged set, regime, void time (u32), and of records alone the count of bins and, as flagged,
 *            the length of the key
 *            key (type byte first), bins
 */
import { copyBytes } from '../values/byte-copy.ts'
import { DIGEST_BYTES } from '../values/digest.ts'
import { crcOfWords, crcStart } from './crc32.ts'
import type { RecordDraft, RecordView } from './record.ts'
import { aligned, type Segment } from './segment.ts'

export const EntryKind = {
  RECORD: 1,
  TOMBSTONE: 2,
  MARK: 3,
  SET: 4,
  TRUNCATE: 5,
  RETIRE: 6,
  MANIFEST: 7,
  COPY: 11,
  BEGIN: 12,
  END: 13,
} as const

const kindMask = 7
const hasSet = 8
const hasRegime = 16
const hasVoidTime = 32
const hasKey = 64
/** The sign of the word that it stands in. */
const advances = 128
/** Entries that are no records have no flags, but more kinds. */
const logKindMask = 15

export const digestAt = 8
export const entryHead = 36
/** The numbers behind the head never take more than this. */
const largestNumbers = 5 + 8 + 3 + 8 + 4 + 3 + 5

const twoTo32 = 0x100000000

export function lengthAt(segment: Segment, offset: number): number {
  return segment.words[(offset >>> 2) + 1]! & 0xffffff
}

export function kindAt(segment: Segment, offset: number): number {
  return (segment.words[(offset >>> 2) + 1]! >>> 24) & kindMask
}

/** As `kindAt`, of an entry that is neither record nor tombstone. */
export function logKindAt(segment: Segment, offset: number): number {
  return (segment.words[(offset >>> 2) + 1]! >>> 24) & logKindMask
}

/** Whether the write moved the state of its partition's copy. */
export function advancesAt(segment: Segment, offset: number): boolean {
  return segment.words[(offset >>> 2) + 1]! < 0
}

/** Whether a record or tombstone says that something was written, and not only that it was forgotten. */
export function saysSomething(segment: Segment, offset: number): boolean {
  return kindAt(segment, offset) === EntryKind.RECORD || segment.buffer[offset + entryHead] !== 0
}

export const isRecord = (kind: number): boolean => kind === EntryKind.RECORD || kind === EntryKind.TOMBSTONE

/** Makes `length` bytes, whatever they are, one entry that nobody looks for. */
export function writeGap(segment: Segment, offset: number, length: number): void {
  segment.words[(offset >>> 2) + 1] = length
}

/**
 * Notes in the place of its sum, which nobody asks for without files, that an entry is no longer the newest of its
 * record. Whoever notes it has just read the entry; whoever asks would have to search the index.
 */
export function markOld(segment: Segment, offset: number): void {
  segment.words[offset >>> 2] = 1
}

export function isMarkedOld(segment: Segment, offset: number): boolean {
  return segment.words[offset >>> 2] !== 0
}

export function lastUpdateAt(segment: Segment, offset: number): number {
  const word = offset >>> 2
  return (segment.words[word + 7]! >>> 0) + (segment.words[word + 8]! & 0xffff) * twoTo32
}

/** Below 0, 0 or above 0 as the digest of the entry is smaller than, equal to or greater than the other. */
export function compareDigestAt(segment: Segment, offset: number, digest: Buffer, at: number): number {
  const bytes = segment.buffer
  const from = offset + digestAt
  for (let index = 0; index < DIGEST_BYTES; index++) {
    const difference = bytes[from + index]! - digest[at + index]!
    if (difference !== 0) return difference
  }
  return 0
}

let cursor = 0

function readNumber(bytes: Buffer): number {
  let byte = bytes[cursor++]!
  if (byte < 128) return byte
  let value = byte & 127
  let scale = 128
  do {
    byte = bytes[cursor++]!
    value += (byte & 127) * scale
    scale *= 128
  } while (byte > 127 && scale < 2 ** 56)
  return value
}

function writeNumber(bytes: Buffer, value: number): void {
  let rest = value
  while (rest > 127) {
    bytes[cursor++] = (rest & 127) | 128
    rest = rest < 0x7fffffff ? rest >>> 7 : Math.floor(rest / 128)
  }
  bytes[cursor++] = rest
}

/** Fills the view from the record or tombstone at `offset`. */
export function readEntry(segment: Segment, offset: number, view: RecordView): void {
  const { buffer, words } = segment
  const word = offset >>> 2
  const head = words[word + 1]!
  view.lastUpdate = (words[word + 7]! >>> 0) + (words[word + 8]! & 0xffff) * twoTo32
  view.buffer = buffer
  cursor = offset + entryHead
  view.generation = readNumber(buffer)
  view.sequence = readNumber(buffer)
  const flags = head >>> 24
  view.setId = flags & hasSet ? readNumber(buffer) : 0
  view.regime = flags & hasRegime ? readNumber(buffer) : 0
  view.voidTime = 0
  if (flags & hasVoidTime) {
    view.voidTime =
      buffer[cursor]! +
      buffer[cursor + 1]! * 256 +
      buffer[cursor + 2]! * 65536 +
      buffer[cursor + 3]! * 16777216
    cursor += 4
  }
  view.binCount = (flags & kindMask) === EntryKind.RECORD ? readNumber(buffer) : 0
  const key = flags & hasKey ? readNumber(buffer) : 0
  view.keyStart = cursor
  view.keyEnd = cursor + key
  view.binsStart = cursor + key
  view.binsEnd = offset + (head & 0xffffff)
}

/** The set of the record or tombstone at `offset`, without the rest of it. */
export function setIdAt({ buffer, words }: Segment, offset: number): number {
  if (((words[(offset >>> 2) + 1]! >>> 24) & hasSet) === 0) return 0
  cursor = offset + entryHead
  while (buffer[cursor++]! > 127);
  while (buffer[cursor++]! > 127);
  return readNumber(buffer)
}

/** An upper bound of what the draft will take, before the numbers are laid out. */
export function entryRoom(draft: RecordDraft): number {
  return aligned(
    entryHead + largestNumbers + (draft.keyEnd - draft.keyStart) + (draft.binsEnd - draft.binsStart),
  )
}

/** Lays out a record, or with kind TOMBSTONE a delete, at `offset`; answers the bytes it takes, padding included. */
export function writeEntry(segment: Segment, offset: number, kind: number, draft: RecordDraft): number {
  const { buffer } = segment
  const key = draft.keyEnd - draft.keyStart
  let flags = kind
  if (draft.setId !== 0) flags |= hasSet
  if (draft.regime !== 0) flags |= hasRegime
  if (draft.voidTime !== 0) flags |= hasVoidTime
  if (draft.advances) flags |= advances
  if (key > 0) flags |= hasKey
  const { digest, digestStart } = draft
  for (let index = 0; index < DIGEST_BYTES; index++)
    buffer[offset + digestAt + index] = digest[digestStart + index]!
  cursor = offset + entryHead
  writeNumber(buffer, draft.generation)
  writeNumber(buffer, draft.sequence)
  if (flags & hasSet) writeNumber(buffer, draft.setId)
  if (flags & hasRegime) writeNumber(buffer, draft.regime)
  if (flags & hasVoidTime) {
    buffer[cursor++] = draft.voidTime
    buffer[cursor++] = draft.voidTime >>> 8
    buffer[cursor++] = draft.voidTime >>> 16
    buffer[cursor++] = draft.voidTime >>> 24
  }
  if (kind === EntryKind.RECORD) writeNumber(buffer, draft.binCount)
  if (key > 0) {
    writeNumber(buffer, key)
    copyBytes(draft.key, draft.keyStart, draft.keyEnd, buffer, cursor)
    cursor += key
  }
  const bins = draft.binsEnd - draft.binsStart
  if (draft.binSource) draft.binSource.store(buffer, cursor)
  else copyBytes(draft.bins, draft.binsStart, draft.binsEnd, buffer, cursor)
  return finishEntry(segment, offset, flags, cursor + bins - offset, draft.lastUpdate)
}

/** Writes length, kind and last update and clears the padding; the sums come from `sealEntry`. */
export function finishEntry(
  segment: Segment,
  offset: number,
  flags: number,
  length: number,
  lastUpdate: number,
): number {
  const { buffer, words } = segment
  const word = offset >>> 2
  const taken = aligned(length)
  for (let at = offset + length; at < offset + taken; at++) buffer[at] = 0
  words[word] = 0
  words[word + 1] = length | (flags << 24)
  words[word + 7] = lastUpdate | 0
  words[word + 8] = Math.floor(lastUpdate / twoTo32) & 0xffff
  return taken
}

/** Puts in the sums. Only what goes to a file needs them. */
export function sealEntry(segment: Segment, offset: number): void {
  const { words } = segment
  const word = offset >>> 2
  const head = headSum(words, word)
  words[word + 8] = (words[word + 8]! & 0xffff) | (head << 16)
  words[word] = wholeSum(words, word, head, aligned(lengthAt(segment, offset)))
}

function headSum(words: Int32Array, word: number): number {
  const most = crcOfWords(words, word + 1, word + 8, crcStart)
  last[0] = words[word + 8]! & 0xffff
  return crcOfWords(last, 0, 1, most)
}

function wholeSum(words: Int32Array, word: number, head: number, taken: number): number {
  return ~crcOfWords(words, word + 9, word + (taken >>> 2), head)
}

const last = new Int32Array(1)

export const Soundness = { SOUND: 0, HEAD_ONLY: 1, BAD: 2 } as const

/**
 * Whether the bytes at `offset` are an entry as it was written: SOUND; or HEAD_ONLY: kind, length, digest and last
 * update can be trusted but the rest cannot; or BAD: nothing can.
 */
export function soundnessAt(segment: Segment, offset: number, end: number): number {
  if (offset + entryHead > end) return Soundness.BAD
  const { words } = segment
  const word = offset >>> 2
  const length = words[word + 1]! & 0xffffff
  if (length < entryHead || kindAt(segment, offset) === 0) return Soundness.BAD
  const head = headSum(words, word)
  const taken = aligned(length)
  const whole = offset + taken <= end
  if (whole && wholeSum(words, word, head, taken) === words[word]) return Soundness.SOUND
  return words[word + 8]! >>> 16 === (head & 0xffff) ? Soundness.HEAD_ONLY : Soundness.BAD
}

/** A cheap look that all but one in 65,536 of places that are no entry do not pass. */
export function headIsSound(segment: Segment, offset: number, end: number): boolean {
  if (offset + entryHead > end || lengthAt(segment, offset) < entryHead) return false
  const word = offset >>> 2
  return segment.words[word + 8]! >>> 16 === (headSum(segment.words, word) & 0xffff)
}
