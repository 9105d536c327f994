/**
 * Makes one incomplete replica equal to the master, in the same ordered stream as the writes (rules F1 to F4). With a
 * common point it is a delta: the target says what it holds above that point, and gets the master's own version of each
 * and of all that the master holds above it. Without one, or when the master has dropped tombstones above it, it goes
 * range by range, and the target drops what is not named. Each piece is read as it is sent, so it fits its place among
 * the writes.
 */
import type { Process } from '../process.ts'
import type { Digest, Entry } from './copy-disk.ts'
import { commonPoint, type Lineage } from './lineage.ts'
import type { OutgoingStream } from './outgoing-stream.ts'
import type { PartitionContext } from './partition-context.ts'
import { comparePositions, type Position } from './position.ts'

/** Records of one piece, and their bytes: at the first that exceeds it the piece ends. */
const pieceRecords = 64
const pieceBytes = 64 * 1024
/** Of an entry beside its content, about. */
const entryBytes = 40

/** Items of one replica's stream, beyond which no further piece is read. */
const maxItemsUnderWay = 64

type FillContext<Content> = Pick<PartitionContext<Content>, 'disk' | 'mayFill' | 'weigh'>

export class Fill<Content> {
  readonly #context: FillContext<Content>
  readonly #target: Process
  readonly #stream: OutgoingStream<Content>
  readonly #point: Position | undefined
  readonly #pieceRecords: number
  /** What a delta has left to send; absent until the target has said what it holds. */
  #left: Digest[] | undefined
  /** Where a fill by ranges stands. */
  #after: Digest | undefined
  #end: number | undefined
  #isRecorded = false

  constructor(
    context: FillContext<Content>,
    target: Process,
    stream: OutgoingStream<Content>,
    lineage: Lineage,
    records = pieceRecords,
  ) {
    const { disk } = context
    this.#context = context
    this.#target = target
    this.#stream = stream
    this.#pieceRecords = records
    const point = commonPoint(lineage, disk.lineage)
    this.#point = point && comparePositions(point, disk.horizon) >= 0 ? point : undefined
    stream.push({ kind: 'fill', point: this.#point, horizon: disk.horizon })
  }

  /** The target is complete, and asked before reads are answered. */
  get isRecorded(): boolean {
    return this.#isRecorded
  }

  /** The target's answer to the `fill` item. */
  held(digests: readonly Digest[]): void {
    if (!this.#point || this.#left) return
    this.#left = [...new Set([...digests, ...this.#context.disk.digestsAbove(this.#point)])]
  }

  /** The next piece, if the stream has room. */
  advance(): void {
    if (this.#end !== undefined || this.#stream.length > maxItemsUnderWay) return
    if (this.#point && !this.#left) return
    if (!this.#context.mayFill(this.#target)) return
    if (this.#left) this.#delta(this.#left)
    else this.#range()
  }

  /** After an acknowledgement; true when that made the target complete. */
  settle(): boolean {
    if (this.#isRecorded || this.#end === undefined || !this.#stream.isAcknowledged(this.#end)) return false
    this.#isRecorded = true
    this.#stream.push({ kind: 'complete' })
    return true
  }

  #delta(left: Digest[]): void {
    const { entries, bytes } = this.#read(left)
    left.splice(0, entries.length)
    if (entries.length > 0) this.#stream.push({ kind: 'records', entries }, bytes)
    if (left.length === 0) this.#finish()
  }

  #range(): void {
    const after = this.#after
    const digests = this.#context.disk.digestsAfter(after, this.#pieceRecords)
    const { entries, bytes } = this.#read(digests)
    const isLast = entries.length === digests.length && digests.length < this.#pieceRecords
    const upTo = isLast ? undefined : entries.at(-1)![0]
    this.#stream.push({ kind: 'range', after, upTo, entries }, bytes)
    this.#after = upTo
    if (isLast) this.#finish()
  }

  /** The first of them, as many as make a piece, and what they take on the way. */
  #read(digests: readonly Digest[]): { readonly entries: Entry<Content>[]; readonly bytes: number } {
    const { disk, weigh } = this.#context
    const entries: Entry<Content>[] = []
    let bytes = 0
    for (const digest of digests) {
      const version = disk.find(digest)
      entries.push([digest, version])
      bytes += entryBytes
      if (version?.content !== undefined) bytes += weigh(version.content)
      if (entries.length === this.#pieceRecords || bytes > pieceBytes) break
    }
    return { entries, bytes }
  }

  #finish(): void {
    const { lineage, horizon, truncations } = this.#context.disk
    this.#end = this.#stream.push({ kind: 'filled', lineage, horizon, truncations })
  }
}
