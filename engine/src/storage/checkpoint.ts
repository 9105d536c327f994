/**
 * What a clean stop leaves beside the log, so that the next start need not look every record up: the index as it
 * stood, and all that is counted along with it. The file's presence is the mark of a clean stop: it is taken away,
 * durably, before anything is served. All numbers are little-endian:
 *
 *    0  u32  CRC-32 of all that follows
 *    4  u32  format version
 *    8  u32  bytes of the JSON text, which is padded with blanks to a multiple of 8
 *   12  u32  partitions
 *   16       JSON (CheckpointFacts), then of each partition: sequence (f64), and of each: entries (u32);
 *            then all entries, 8 bytes each as in the index, with segments numbered by their order in the log
 */
import type { Contents } from './contents.ts'
import { crcOfWords, crcStart } from './crc32.ts'
import { formatVersion } from './data-folder.ts'
import type { RecordIndex } from './record-index.ts'
import { offsetOf, placeOf, segmentOf } from './segment.ts'
import type { SetFacts } from './set-table.ts'

export interface CheckpointFacts {
  readonly segments: readonly { readonly number: number; readonly used: number; readonly live: number }[]
  readonly sets: SetFacts
  readonly objects: number
  readonly tombstones: number
  readonly latestUpdate: number
  readonly nextNumber: number
  /** By partition: where the log says what the copy is. Only where copies are kept. */
  readonly copies?: readonly number[]
}

export interface Checkpoint extends CheckpointFacts {
  readonly sequences: Float64Array
  readonly counts: Uint32Array
  /** Two words an entry. */
  readonly entries: Int32Array
}

const headBytes = 16

export function writeCheckpoint(contents: Contents, latestUpdate: number): Buffer {
  const { log, sets, sequences, index, copies } = contents
  const segments = [...log.segments.all()].sort((a, b) => a.number - b.number)
  const ranks = new Map(segments.map(({ id }, rank) => [id, rank]))
  const rankedPlace = (place: number): number =>
    place === 0 ? 0 : placeOf(ranks.get(segmentOf(place))!, offsetOf(place))
  const facts: CheckpointFacts = {
    segments: segments.map(({ number, used, live }) => ({ number, used, live })),
    sets: sets.facts(rankedPlace),
    objects: contents.objects,
    tombstones: contents.tombstones,
    latestUpdate,
    nextNumber: log.nextNumber,
    ...(copies && { copies: copies.places.map(rankedPlace) }),
  }
  const text = Buffer.from(JSON.stringify(facts))
  const textBytes = (text.length + 7) & -8
  const { partitions } = index
  const entries = index.counts.reduce((sum, count) => sum + count, 0)
  const buffer = Buffer.alloc(headBytes + textBytes + partitions * 12 + entries * 8, ' ')
  text.copy(buffer, headBytes)
  new Float64Array(buffer.buffer, buffer.byteOffset + headBytes + textBytes, partitions).set(sequences)
  const words = new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length >>> 2)
  words[1] = formatVersion
  words[2] = textBytes
  words[3] = partitions
  let at = (headBytes + textBytes + partitions * 8) >>> 2
  words.set(index.counts, at)
  at += partitions
  for (let partition = 0; partition < partitions; partition++)
    for (let slot = 0; slot < index.size(partition); slot++) {
      const place = index.placeAt(partition, slot)
      if (place === 0) continue
      words[at++] = index.headAt(partition, slot)
      words[at++] = rankedPlace(place)
    }
  words[0] = ~crcOfWords(words, 1, words.length, crcStart)
  return buffer
}

/** Undefined when the bytes are not a whole checkpoint of this version. */
export function readCheckpoint(bytes: Buffer, partitions: number): Checkpoint | undefined {
  if (bytes.length < headBytes || bytes.length % 4 !== 0) return undefined
  const buffer = Buffer.alloc(bytes.length)
  bytes.copy(buffer)
  const words = new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length >>> 2)
  if (words[0] !== ~crcOfWords(words, 1, words.length, crcStart)) return undefined
  if (words[1] !== formatVersion || words[3] !== partitions) return undefined
  const text = buffer.toString('utf8', headBytes, headBytes + words[2]!)
  const facts = JSON.parse(text) as CheckpointFacts
  const sequencesAt = buffer.byteOffset + headBytes + words[2]!
  const countsAt = sequencesAt + partitions * 8
  const entriesAt = countsAt + partitions * 4
  return {
    ...facts,
    sequences: new Float64Array(buffer.buffer, sequencesAt, partitions),
    counts: new Uint32Array(buffer.buffer, countsAt, partitions),
    entries: new Int32Array(buffer.buffer, entriesAt, (buffer.byteOffset + buffer.length - entriesAt) >>> 2),
  }
}

/** Fills an empty index. */
export function loadIndex(index: RecordIndex, { counts, entries }: Checkpoint): void {
  let at = 0
  for (let partition = 0; partition < counts.length; partition++) {
    const count = counts[partition]!
    index.reserve(partition, count)
    index.startAppending()
    for (let i = 0; i < count; i++, at += 2) index.append(partition, entries[at]!, entries[at + 1]!)
  }
}
