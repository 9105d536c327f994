/**
 * Serves one partition in one view (rules W1 to W4, L1 to L3, F2, F4). It numbers the writes, sends the resulting
 * records to all replicas, and answers when all have acknowledged. What is not acknowledged by all is read by nobody:
 * a write keeps the version that it replaced for as long.
 */
import { processKey, sameProcess, type Process } from '../process.ts'
import { Confirmation } from './confirmation.ts'
import type { Digest, Version } from './copy-disk.ts'
import { includesProcess } from './activation.ts'
import { Fill } from './fill.ts'
import type { Lineage } from './lineage.ts'
import type { StreamItem } from './message.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import type { PartitionContext } from './partition-context.ts'
import { comparePositions, type Position } from './position.ts'

/** Writes that may wait for their acknowledgement, of one record and of the partition. */
export const maxWritesPerRecord = 20
export const maxWrites = 1000

export type WriteAnswer =
  | { readonly kind: 'ok'; readonly position: Position }
  /** It may have been done, and may yet be. */
  | { readonly kind: 'in doubt' }
  /** It was not done and will not be. */
  | { readonly kind: 'refused'; readonly why: 'unavailable' | 'key busy' | 'overload' }

export type ReadAnswer<Content> =
  | { readonly kind: 'ok'; readonly content: Content | undefined; readonly regime: Position['regime'] }
  | { readonly kind: 'refused'; readonly why: 'unavailable' }

/** A write that was numbered and not yet answered. */
export interface PendingWrite<Content> {
  readonly position: Position
  readonly digest: Digest | undefined
  /** What was there before: the record's version, or the truncation. */
  readonly before: Version<Content> | Position | undefined
  readonly answer: (answer: WriteAnswer) => void
}

interface Follower<Content> {
  readonly process: Process
  readonly stream: OutgoingStream<Content>
  readonly fill: Fill<Content> | undefined
}

export class Master<Content> {
  readonly #context: PartitionContext<Content>
  readonly #followers = new Map<string, Follower<Content>>()
  readonly #confirmation: Confirmation
  #pending: PendingWrite<Content>[] = []
  readonly #waiting = new Map<Digest, number>()
  #sequence = 0
  #synced = 0
  #acknowledged = 0

  constructor(context: PartitionContext<Content>, lineageOf: (process: Process) => Lineage) {
    this.#context = context
    this.#confirmation = new Confirmation((to, round) => context.send(to, { kind: 'confirm', round }))
    for (const process of context.plan.replicas) {
      if (sameProcess(process, context.self)) continue
      const stream = new OutgoingStream<Content>()
      const isComplete = includesProcess(context.plan.complete, process)
      const fill = isComplete ? undefined : new Fill(context, stream, lineageOf(process))
      this.#followers.set(processKey(process), { process, stream, fill })
    }
  }

  /** Sequence up to which all replicas have acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Whether every replica is complete, so that another view may choose better. */
  get isFilled(): boolean {
    return [...this.#followers.values()].every(({ fill }) => !fill || fill.isRecorded)
  }

  /** `change` makes the new content from the newest one, which may not be acknowledged yet. */
  write(
    digest: Digest,
    change: (content: Content | undefined) => Content | undefined,
    answer: (answer: WriteAnswer) => void,
  ): void {
    const { disk } = this.#context
    const waiting = this.#waiting.get(digest) ?? 0
    if (waiting >= maxWritesPerRecord) return answer({ kind: 'refused', why: 'key busy' })
    if (this.#pending.length >= maxWrites) return answer({ kind: 'refused', why: 'overload' })
    const before = disk.find(digest)
    const version = { position: this.#next(), content: change(contentOf(before, disk.truncated)) }
    this.#waiting.set(digest, waiting + 1)
    this.#pending.push({ position: version.position, digest, before, answer })
    disk.apply({ entries: [[digest, version]], state: version.position })
    this.#replicate({ kind: 'write', write: { digest, version } })
  }

  /** Deletes everything (rule T1). */
  truncate(answer: (answer: WriteAnswer) => void): void {
    const { disk } = this.#context
    if (this.#pending.length >= maxWrites) return answer({ kind: 'refused', why: 'overload' })
    const position = this.#next()
    this.#pending.push({ position, digest: undefined, before: disk.truncated, answer })
    disk.apply({ truncated: position, state: position })
    const version = { position, content: undefined }
    this.#replicate({ kind: 'write', write: { digest: undefined, version } })
  }

  read(digest: Digest, answer: (answer: ReadAnswer<Content>) => void): void {
    this.#confirmation.add(() => {
      const content = this.#readable(digest)
      return () => answer({ kind: 'ok', content, regime: this.#context.plan.activation.regime })
    })
  }

  /** Answers at once; another view may already have a newer version. */
  readInSession(digest: Digest, answer: (answer: ReadAnswer<Content>) => void): void {
    const { regime } = this.#context.plan.activation
    answer({ kind: 'ok', content: this.#readable(digest), regime })
  }

  /** Runs it when the other complete replicas have confirmed the view. */
  whenConfirmed(run: () => void): void {
    this.#confirmation.add(() => run)
  }

  acknowledge(from: Process, item: number, held: readonly Digest[] | undefined): void {
    const follower = this.#followers.get(processKey(from))
    if (!follower) return
    if (held) follower.fill?.held(held)
    if (!follower.stream.acknowledge(item)) return
    follower.fill?.settle()
    this.#settle()
  }

  confirmed(from: Process, round: number): void {
    this.#confirmation.confirmed(from, round)
  }

  tick(): void {
    for (const { stream, fill } of this.#followers.values()) {
      fill?.tick()
      stream.rewind()
    }
    this.#confirmation.repeat()
  }

  /** Says what has gathered since the last time; to be called at the end of each turn. */
  flush(): void {
    this.#confirmation.begin(this.#otherComplete())
    for (const { process, stream } of this.#followers.values()) {
      const batch = stream.take()
      if (!batch) continue
      this.#context.send(process, { kind: 'stream', ...batch, acknowledged: this.#acknowledged })
    }
  }

  /** Ends it; answers the writes whose fate the next view decides. */
  leave(): PendingWrite<Content>[] {
    return this.#pending
  }

  #next(): Position {
    return { regime: this.#context.plan.activation.regime, sequence: ++this.#sequence }
  }

  #replicate(item: StreamItem<Content>): void {
    for (const { stream } of this.#followers.values()) stream.push(item)
    const sequence = this.#sequence
    const synced = () => {
      this.#synced = Math.max(this.#synced, sequence)
      this.#settle()
    }
    if (this.#context.plan.activation.synced) this.#context.whenSynced('data', synced)
    else synced()
  }

  #settle(): void {
    let acknowledged = this.#synced
    for (const { stream } of this.#followers.values()) {
      acknowledged = Math.min(acknowledged, stream.acknowledgedSequence)
    }
    if (acknowledged <= this.#acknowledged) return
    this.#acknowledged = acknowledged
    let count = 0
    while (count < this.#pending.length && this.#pending[count]!.position.sequence <= acknowledged) count++
    for (const { digest, position, answer } of this.#pending.splice(0, count)) {
      if (digest !== undefined) this.#answered(digest)
      answer({ kind: 'ok', position })
    }
  }

  #answered(digest: Digest): void {
    const left = this.#waiting.get(digest)! - 1
    if (left === 0) this.#waiting.delete(digest)
    else this.#waiting.set(digest, left)
  }

  #otherComplete(): Process[] {
    return [...this.#followers.values()]
      .filter(({ fill }) => !fill || fill.isRecorded)
      .map(({ process }) => process)
  }

  /** What all replicas have acknowledged (rule W3). */
  #readable(digest: Digest): Content | undefined {
    const { disk } = this.#context
    let version = disk.find(digest)
    let truncated = disk.truncated
    for (let i = this.#pending.length - 1; i >= 0; i--) {
      const pending = this.#pending[i]!
      if (pending.digest === digest) version = asVersion(pending.before)
      else if (pending.digest === undefined) truncated = asPosition(pending.before)
    }
    return contentOf(version, truncated)
  }
}

function asVersion<Content>(before: PendingWrite<Content>['before']): Version<Content> | undefined {
  return before && 'position' in before ? before : undefined
}

function asPosition<Content>(before: PendingWrite<Content>['before']): Position {
  if (!before || 'position' in before) throw new Error('a truncation replaces a truncation')
  return before
}

/** What is left of a version behind a truncation. */
export function contentOf<Content>(
  version: Version<Content> | undefined,
  truncated: Position,
): Content | undefined {
  return version && comparePositions(version.position, truncated) > 0 ? version.content : undefined
}
