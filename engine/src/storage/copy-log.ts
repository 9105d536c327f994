/**
 * The copies of a store's partitions: what replication puts into them, as it is and in the order in which it comes. A
 * version may be older than the one that it replaces, and what is forgotten leaves nothing. The store's own limits say
 * no to clients, not to this: what a master has numbered its replicas must take.
 */
import { DIGEST_BYTES } from '../values/digest.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import { type Contents, DELETE_GENERATION } from './contents.ts'
import type { CopyFacts, Point } from './copy-facts.ts'
import type { CopyStates } from './copy-states.ts'
import { digestAt, EntryKind, kindAt, readEntry, saysSomething } from './entry.ts'
import type { OpenFiles } from './open-files.ts'
import { newDraft, newView, type RecordDraft, type RecordView } from './record.ts'
import { offsetOf } from './segment.ts'

/** Open where it has no border. */
export interface DigestRange {
  readonly after?: Buffer | undefined
  readonly upTo?: Buffer | undefined
}

export class CopyLog {
  readonly states: CopyStates
  readonly #contents: Contents
  readonly #files: () => OpenFiles | undefined
  readonly #view = newView()
  readonly #tombstone: RecordDraft = newDraft()

  constructor(contents: Contents, states: CopyStates, files: () => OpenFiles | undefined) {
    this.#contents = contents
    this.states = states
    this.#files = files
  }

  /** Whether a truncation hides the version that the view shows. */
  hides(digest: Buffer, at: number, { setId, regime, sequence }: RecordView): boolean {
    return this.states.hides(this.#contents.index.partitionOf(digest, at), setId, regime, sequence)
  }

  /** From here on, until the end, all holds or nothing. No other work may come between. */
  begin(): void {
    if (this.#files()) this.#contents.log.appendLogEntry({ kind: EntryKind.BEGIN })
  }

  end(): void {
    if (this.#files()) this.#contents.log.appendLogEntry({ kind: EntryKind.END })
  }

  /**
   * Throws a ResultError when nothing can be put any more. To be asked before each change, which must not end half-way;
   * there is room for one.
   */
  checkRoom(): void {
    if (this.#files()?.commit.fault) throw new ResultError(ResultCode.PARTITION_UNAVAILABLE)
    if (this.#contents.log.isFull) throw new ResultError(ResultCode.NO_SPACE)
  }

  /** Puts a record, or a delete, in place of whatever stands there. */
  put(draft: RecordDraft, isDelete: boolean): void {
    if (isDelete) draft.generation = DELETE_GENERATION
    const before = this.#contents.index.seek(draft.digest, draft.digestStart)
    this.#contents.put(isDelete ? EntryKind.TOMBSTONE : EntryKind.RECORD, draft, before)
  }

  /** Takes out what stands there, a delete too, as if it had never been. */
  forget(digest: Buffer): void {
    const { index, log } = this.#contents
    const place = index.seek(digest, 0)
    if (place === 0) return
    if (!this.#files()) return this.#contents.takeOut(place)
    const segment = log.segments.get(place)
    if (!this.#contents.damaged.has(place) && !saysSomething(segment, offsetOf(place))) return
    const draft = this.#tombstone
    draft.digest = digest
    this.#contents.put(EntryKind.TOMBSTONE, draft, place)
  }

  note(partition: number, facts: Partial<CopyFacts>): void {
    this.states.note(partition, facts)
  }

  pin(partition: number): void {
    this.states.pin(partition)
  }

  /**
   * Visits what stands in a partition, deletes and truncated versions too, behind one digest and up to another and in
   * their order, until the visitor says false. It must not write. `isDelete` is undefined where what stands there is
   * damaged.
   */
  scan(
    partition: number,
    { after, upTo }: DigestRange,
    visit: (digest: Buffer, view: RecordView, isDelete: boolean | undefined) => boolean,
  ): void {
    const { index, log, damaged } = this.#contents
    const first = after === undefined ? 0 : index.slotBehind(after, 0)
    const end = upTo === undefined ? index.size(partition) : index.slotBehind(upTo, 0)
    for (let slot = first; slot < end; slot++) {
      const place = index.placeAt(partition, slot)
      if (place === 0) continue
      const segment = log.segments.get(place)
      const offset = offsetOf(place)
      const isDamaged = damaged.has(place)
      if (!isDamaged && !saysSomething(segment, offset)) continue
      readEntry(segment, offset, this.#view)
      const digest = segment.buffer.subarray(offset + digestAt, offset + digestAt + DIGEST_BYTES)
      const isDelete = isDamaged ? undefined : kindAt(segment, offset) === EntryKind.TOMBSTONE
      if (!visit(digest, this.#view, isDelete)) return
    }
  }

  /** Digests of the versions above the point; looks at all of the partition, unless none can be. */
  above(partition: number, point: Point, visit: (digest: Buffer) => void): void {
    if (!this.states.reaches(partition, point)) return
    this.scan(partition, {}, (digest, { regime, sequence }, isDelete) => {
      const isAbove = regime > point.regime || (regime === point.regime && sequence > point.sequence)
      if (isDelete !== undefined && isAbove) visit(digest)
      return true
    })
  }

  /** Partitions in which something is not what was written. */
  get hit(): readonly number[] {
    const { index, damaged, log } = this.#contents
    if (this.#files()?.isDamaged) return Array.from({ length: index.partitions }, (_, i) => i)
    const hit = new Set<number>()
    for (const place of damaged)
      hit.add(index.partitionOf(log.segments.get(place).buffer, offsetOf(place) + digestAt))
    return [...hit]
  }

  /**
   * Calls back, in another turn, when all that was done so far is on disk, whatever the durability says; never if that
   * cannot be any more.
   */
  whenSynced(done: () => void): void {
    const commit = this.#files()?.commit
    if (!commit) return queueMicrotask(done)
    const { position } = commit
    const wait = (): void => commit.whenSynced(position, answer)
    const answer = (failed: boolean): void => {
      if (!failed) done()
      else if (!commit.fault) wait()
    }
    commit.hurry()
    if (position <= commit.synced) queueMicrotask(done)
    else wait()
  }
}
