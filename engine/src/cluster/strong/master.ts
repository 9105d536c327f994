/**
 * Serves one partition in one view (rules W1 to W4, L1 to L3, F2, F4). It numbers the writes, sends the resulting
 * records to all replicas, and answers when all have acknowledged. What is not acknowledged by all is read by nobody:
 * a read is done in place, and its answer waits for the writes that it saw. That is as good as a look at an older
 * version: all of a regime happens in the order of its numbers, and the next regime begins after the round of questions
 * that confirms the read, which began after the read came.
 */
import { processKey, sameProcess, type Process } from '../process.ts'
import { type Regime, regimeOf } from '../regime.ts'
import { Confirmation, type Waiter } from './confirmation.ts'
import type { Digest } from './copy-disk.ts'
import { includesProcess } from './activation.ts'
import { Fill } from './fill.ts'
import type { Lineage } from './lineage.ts'
import type { StreamItem } from './message.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import type { PartitionContext } from './partition-context.ts'
import { positionText, type Position } from './position.ts'
import { withTruncation } from './truncation.ts'

/** Writes that may wait for their acknowledgement, of one record and of the partition. */
export const maxWritesPerRecord = 20
const maxWrites = 1000

/** One operation on one record, done in place. */
export interface Operation {
  readonly digest: Digest
  /** A read never writes; a session read may be older than what another view has acknowledged (rule L3). */
  readonly kind: 'write' | 'read' | 'session read'
  /** Applies it to the disk; what it writes has this position, and moves the state there. Says whether it wrote. */
  readonly run: (position: Position) => boolean
  readonly answer: (answer: Answer) => void
}

export type Answer =
  /** It was done; `position` is that of what it wrote, if it wrote. */
  | { readonly kind: 'ok'; readonly position: Position | undefined }
  /** It may have been done, and may yet be. */
  | { readonly kind: 'in doubt' }
  /** Nothing was done and nothing will be. */
  | { readonly kind: 'refused'; readonly why: 'unavailable' | 'key busy' | 'overload' }

/** A write that was numbered and not yet answered. */
export interface PendingWrite {
  readonly position: Position
  /** None: a truncation. */
  readonly digest: Digest | undefined
  readonly answer: (answer: Answer) => void
  /** Those who saw it. */
  readonly waiters: Waiter[]
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
  readonly #regime: Regime
  #pending: PendingWrite[] = []
  /** Of records with pending writes: how many, and the sequence of the last one. */
  readonly #busy = new Map<Digest, { count: number; last: number }>()
  #lastTruncation = 0
  #sequence = 0
  #synced = 0
  #acknowledged = 0

  constructor(context: PartitionContext<Content>, lineageOf: (process: Process) => Lineage) {
    this.#context = context
    this.#regime = regimeOf(context.plan.activation.regime)
    this.#confirmation = new Confirmation((to, round) => context.send(to, { kind: 'confirm', round }))
    for (const process of context.plan.replicas) {
      if (sameProcess(process, context.self)) continue
      const stream = new OutgoingStream<Content>((bytes) => context.given(process, bytes))
      const isComplete = includesProcess(context.plan.complete, process)
      const fill = isComplete ? undefined : new Fill(context, process, stream, lineageOf(process))
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

  execute(operation: Operation): void {
    const { digest, kind, run, answer } = operation
    const busy = this.#busy.get(digest)
    if (kind === 'write') {
      if (busy && busy.count >= maxWritesPerRecord) return answer({ kind: 'refused', why: 'key busy' })
      if (this.#pending.length >= maxWrites) return answer({ kind: 'refused', why: 'overload' })
    }
    const position = { regime: this.#regime, sequence: this.#sequence + 1 }
    if (!run(position)) return this.#answerRead(operation, Math.max(busy?.last ?? 0, this.#lastTruncation))
    if (kind !== 'write') throw new Error(`a ${kind} wrote ${positionText(position)}`)
    const version = this.#context.disk.find(digest)
    if (version?.position.sequence !== position.sequence || version.position.regime !== position.regime)
      throw new Error(`what was written as ${positionText(position)} is not there`)
    this.#sequence = position.sequence
    if (busy) {
      busy.count++
      busy.last = position.sequence
    } else this.#busy.set(digest, { count: 1, last: position.sequence })
    this.#pending.push({ position, digest, answer, waiters: [] })
    this.#replicate({ kind: 'write', write: { digest, version } })
  }

  /** Deletes the set, without a name everything (rule T1); `number` says which truncation it is. */
  truncate(set: string, number: number, answer: (answer: Answer) => void): void {
    const { disk } = this.#context
    if (this.#pending.length >= maxWrites) return answer({ kind: 'refused', why: 'overload' })
    const position = { regime: this.#regime, sequence: this.#sequence + 1 }
    const truncation = { set, number, position }
    disk.apply({ truncations: withTruncation(disk.truncations, truncation), state: position })
    this.#sequence = position.sequence
    this.#lastTruncation = position.sequence
    this.#pending.push({ position, digest: undefined, answer, waiters: [] })
    this.#replicate({ kind: 'truncation', truncation })
  }

  /** Runs it when the other complete replicas have confirmed the view. */
  whenConfirmed(run: () => void): void {
    this.#confirmation.add({ go: run, refuse: () => undefined })
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

  /** Nothing is under way. */
  get isIdle(): boolean {
    if (!this.#confirmation.isIdle) return false
    for (const { stream, fill } of this.#followers.values())
      if (stream.length > 0 || (fill && !fill.isRecorded)) return false
    return true
  }

  /** Goes on with fills. */
  advance(): void {
    for (const { fill } of this.#followers.values()) fill?.advance()
  }

  /** Says again what was not acknowledged. */
  repeat(): void {
    for (const { stream } of this.#followers.values()) stream.repeat()
    this.#confirmation.repeat()
  }

  /** Says what has gathered since the last time; to be called at the end of each turn. */
  flush(): void {
    if (this.#confirmation.isAsked) this.#confirmation.begin(this.#otherComplete())
    for (const { process, stream } of this.#followers.values()) {
      const batch = stream.take()
      if (!batch) continue
      this.#context.send(process, { kind: 'stream', ...batch, acknowledged: this.#acknowledged })
    }
  }

  /** Lets replicas know without waiting for the next write. */
  sayAcknowledged(): void {
    for (const { process, stream } of this.#followers.values()) {
      const nothing = { first: stream.next, items: [], acknowledged: this.#acknowledged }
      this.#context.send(process, { kind: 'stream', ...nothing })
    }
  }

  /** Ends it; hands out the writes whose fate the next view decides. What only read is refused. */
  leave(): PendingWrite[] {
    this.#confirmation.leave()
    for (const { waiters } of this.#pending) for (const waiter of waiters.splice(0)) waiter.refuse()
    return this.#pending
  }

  /** Up to `sequence` it saw writes of its record. */
  #answerRead({ kind, answer }: Operation, sequence: number): void {
    const refuse = () => answer({ kind: 'refused', why: 'unavailable' })
    const give = { go: () => answer({ kind: 'ok', position: undefined }), refuse }
    if (kind === 'session read') return this.#whenAcknowledged(sequence, give)
    this.#confirmation.add({ go: () => this.#whenAcknowledged(sequence, give), refuse })
  }

  #whenAcknowledged(sequence: number, waiter: Waiter): void {
    if (sequence <= this.#acknowledged) return waiter.go()
    this.#pending[sequence - this.#pending[0]!.position.sequence]!.waiters.push(waiter)
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
    for (const { digest, position, answer, waiters } of this.#pending.splice(0, count)) {
      if (digest !== undefined) this.#answered(digest)
      answer({ kind: 'ok', position })
      for (const waiter of waiters) waiter.go()
    }
  }

  #answered(digest: Digest): void {
    const busy = this.#busy.get(digest)!
    if (--busy.count === 0) this.#busy.delete(digest)
  }

  #otherComplete(): Process[] {
    return [...this.#followers.values()]
      .filter(({ fill }) => !fill || fill.isRecorded)
      .map(({ process }) => process)
  }
}
