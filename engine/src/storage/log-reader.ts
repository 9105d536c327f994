/**
 * Reads the segments of a folder back and says where they are damaged.
 *
 * The log is one line of bytes, cut into segments. Marks in it name points up to which everything was synced; the
 * highest of them divides two kinds of bad bytes. Behind it they are the torn end of a group that nobody was told of:
 * the log is cut at the first of them, there and in all segments that follow. Before it they were once good and have
 * been damaged since: they are reported, and never hidden by an older version that may lie further ahead.
 *
 * Cost: one read of every file and one checksum of every byte.
 */
import type { DataFolder } from './data-folder.ts'
import type { DiskFile } from './disk.ts'
import {
  EntryKind,
  headIsSound,
  isRecord,
  kindAt,
  lengthAt,
  logKindAt,
  Soundness,
  soundnessAt,
  writeGap,
} from './entry.ts'
import { isBefore, type LogPoint, logStart, readLogEntry } from './log-entry.ts'
import { aligned, alignment, type Segment, type SegmentTable } from './segment.ts'
import { hasMagic } from './segment-log.ts'

/** What damaged bytes held: nothing that is missed, a record whose digest is still known, or nobody can say. */
export type Loss = 'none' | 'named' | 'unknown'

/** Bytes that were synced and are not what was written. */
export interface Damage {
  readonly point: LogPoint
  readonly bytes: number
  readonly loss: Loss
}

export interface ReadLog {
  /** By number, rising. Entries up to `used` are sound, but for the damage. */
  readonly segments: readonly Segment[]
  readonly damage: readonly Damage[]
  /** Segments that were there once and have no file any more. */
  readonly missing: readonly number[]
  /** Bytes of an unfinished end that were cut off. */
  readonly tornBytes: number
  /** Above every segment number that was ever used. */
  readonly nextNumber: number
}

/** Called after each file, with the bytes read so far and how many there are. */
export type Progress = (done: number, total: number) => void

/** Files that are read while one is looked through. */
const readAhead = 3

interface Found {
  readonly segment: Segment
  readonly bad: Damage[]
}

export class LogReader {
  readonly #folder: DataFolder
  readonly #table: SegmentTable
  /** By the number of the segment they stand in. */
  readonly #manifests = new Map<number, readonly LogPoint[]>()
  readonly #retired = new Set<number>()
  /** Begin and end of what holds as a whole or not at all, in the order of the log. */
  readonly #wholes: { readonly begin: LogPoint; end?: LogPoint }[] = []
  #synced: LogPoint
  #highest = 0

  /** `synced`: a point known from elsewhere up to which everything was synced. */
  constructor(folder: DataFolder, table: SegmentTable, synced: LogPoint = logStart) {
    this.#folder = folder
    this.#table = table
    this.#synced = synced
  }

  /** Reads everything and cuts a torn end off, on disk too. */
  async read(onProgress: Progress): Promise<ReadLog> {
    const numbers = await this.#folder.segments()
    const found: Found[] = []
    const reading: Promise<Segment>[] = []
    for (const i of numbers.keys()) {
      for (const number of numbers.slice(reading.length, i + readAhead)) {
        const segment = this.#readSegment(number)
        // It is awaited later; until then nobody else may find the failure unheard.
        segment.catch(() => undefined)
        reading.push(segment)
      }
      const segment = await reading[i]!
      found.push({ segment, bad: this.#walk(segment) })
      onProgress(i + 1, numbers.length)
    }
    const torn = this.#tornPoint(found)
    const tornBytes = torn ? await this.#cut(found, torn) : 0
    await this.#syncEnd(found)
    const segments = found.filter(({ segment }) => segment.used > alignment).map(({ segment }) => segment)
    const damage = found.flatMap(({ bad }) => bad).filter(({ point }) => !torn || isBefore(point, torn))
    return { segments, damage, missing: this.#missing(segments), tornBytes, nextNumber: this.#highest + 1 }
  }

  /**
   * What was read behind the last synced point may stand in the system's memory alone, since only the process
   * ended and not the machine: it is made to last before anyone sees it or a mark calls it synced. Of the folder's names `removeCheckpoint`
   * does the same.
   */
  async #syncEnd(found: readonly Found[]): Promise<void> {
    for (const { segment } of found) {
      if (segment.number < this.#synced.number) continue
      const file = await this.#folder.openSegment(segment.number)
      try {
        await file.sync()
      } finally {
        await file.close()
      }
    }
  }

  async #readSegment(number: number): Promise<Segment> {
    const segment = this.#table.add(number)
    const file = await this.#folder.openSegment(number)
    try {
      this.#table.grew(segment, await fill(file, segment))
      segment.durable = segment.used
    } finally {
      await file.close()
    }
    this.#highest = Math.max(this.#highest, number)
    return segment
  }

  /** Notes what the log says about itself, and where it is not sound. */
  #walk(segment: Segment): Damage[] {
    const bad: Damage[] = []
    const end = segment.used
    const note = (from: number, to: number, loss: Loss): void => {
      bad.push({ point: { number: segment.number, offset: from }, bytes: to - from, loss })
    }
    if (end < alignment || !hasMagic(segment)) note(0, alignment, 'unknown')
    let at = alignment
    while (at < end) {
      const sound = soundnessAt(segment, at, end)
      const next = at + aligned(lengthAt(segment, at))
      if (sound === Soundness.SOUND) {
        this.#heed(segment, at)
        at = next
      } else if (sound === Soundness.HEAD_ONLY && next <= end) {
        note(at, next, lossAt(segment, at))
        at = next
      } else {
        const resumed = nextSound(segment, at + alignment)
        note(at, resumed, 'unknown')
        writeGap(segment, at, resumed - at)
        segment.spoiled = true
        at = resumed
      }
    }
    return bad
  }

  #heed(segment: Segment, at: number): void {
    const kind = kindAt(segment, at)
    if (isRecord(kind)) return
    const entry = readLogEntry(segment, at)
    const point = { number: segment.number, offset: at }
    if (entry?.kind === EntryKind.MARK && isBefore(this.#synced, entry.synced)) this.#synced = entry.synced
    else if (entry?.kind === EntryKind.BEGIN) this.#wholes.push({ begin: point })
    else if (entry?.kind === EntryKind.END && this.#wholes.length > 0) this.#wholes.at(-1)!.end ??= point
    else if (entry?.kind === EntryKind.RETIRE) {
      this.#retired.add(entry.number)
      this.#highest = Math.max(this.#highest, entry.number)
    } else if (entry?.kind === EntryKind.MANIFEST) this.#manifests.set(segment.number, entry.segments)
  }

  /** The first point behind the last synced one that is not as it was written. */
  #tornPoint(found: readonly Found[]): LogPoint | undefined {
    let torn: LogPoint | undefined
    const consider = (point: LogPoint): void => {
      if (!isBefore(point, this.#synced) && (!torn || isBefore(point, torn))) torn = point
    }
    for (const { bad } of found) for (const { point } of bad) consider(point)
    for (const short of this.#short(found)) consider(short)
    return this.#wholeBefore(torn)
  }

  /** The same point, or where what it cuts in two begins. Nothing was ever synced in part, so the last synced point is before. */
  #wholeBefore(torn: LogPoint | undefined): LogPoint | undefined {
    const cut = this.#wholes.find(
      ({ begin, end }) =>
        !isBefore(begin, this.#synced) &&
        (torn ? isBefore(begin, torn) && !(end && isBefore(end, torn)) : !end),
    )
    return cut?.begin ?? torn
  }

  /**
   * Where segments end too early, by the last manifest: what an earlier one names may have gone since, and the note
   * that it was retired with it.
   */
  #short(found: readonly { readonly segment: Segment }[]): LogPoint[] {
    const used = new Map(found.map(({ segment }) => [segment.number, segment.used]))
    const manifest = found.map(({ segment }) => this.#manifests.get(segment.number)).findLast(Boolean) ?? []
    return [...manifest, this.#synced].flatMap(({ number, offset }) => {
      const have = used.get(number) ?? 0
      return have < offset && !this.#retired.has(number) ? [{ number, offset: have }] : []
    })
  }

  #missing(segments: readonly Segment[]): number[] {
    const short = this.#short(segments.map((segment) => ({ segment })))
    return [...new Set(short.map(({ number }) => number))].sort((a, b) => a - b)
  }

  /** Cuts the log at the point. It lasts once the end and the folder are synced. Answers how many bytes went. */
  async #cut(found: Found[], torn: LogPoint): Promise<number> {
    let bytes = 0
    for (let i = found.length - 1; i >= 0; i--) {
      const { segment } = found[i]!
      const keep =
        segment.number < torn.number ? segment.used : segment.number > torn.number ? 0 : torn.offset
      if (keep >= segment.used && segment.used > 0) continue
      bytes += segment.used - keep
      if (keep <= alignment) {
        await this.#folder.removeSegment(segment.number)
        this.#table.remove(segment)
        found.splice(i, 1)
      } else {
        await this.#truncate(segment, keep)
      }
    }
    return bytes
  }

  async #truncate(segment: Segment, length: number): Promise<void> {
    const file = await this.#folder.openSegment(segment.number)
    try {
      await file.truncate(length)
    } finally {
      await file.close()
    }
    this.#table.grew(segment, length - segment.used)
    segment.durable = length
  }
}

async function fill(file: DiskFile, { buffer }: Segment): Promise<number> {
  const size = Math.min(await file.size(), buffer.length)
  let at = 0
  while (at < size) {
    const count = await file.read(buffer, at, size - at, at)
    if (count === 0) break
    at += count
  }
  return at
}

/** Marks say nothing that the next one does not say too; without what the log says of sets, records are hidden. */
function lossAt(segment: Segment, at: number): Loss {
  if (isRecord(kindAt(segment, at))) return 'named'
  const kind = logKindAt(segment, at)
  const isMissed = kind === EntryKind.SET || kind === EntryKind.TRUNCATE || kind === EntryKind.COPY
  return isMissed ? 'unknown' : 'none'
}

function nextSound(segment: Segment, from: number): number {
  for (let at = from; at < segment.used; at += alignment)
    if (headIsSound(segment, at, segment.used) && soundnessAt(segment, at, segment.used) === Soundness.SOUND)
      return at
  return segment.used
}
