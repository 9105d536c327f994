/**
 * The master of one partition in one view. It numbers the writes and brings them to the replicas (C2); it takes in
 * what other members hold, then gives the replicas what they lack (F1); and it knows when all are whole. Clients are
 * served from the beginning on.
 */
import { ResultCode, ResultError } from '../values/result-code.ts'
import { Asking } from './asking.ts'
import { bareAnswer, type ClientRequest } from './client-request.ts'
import type { InPlaceMaster, OpenWrite, ServingMaster } from './clustered-namespace.ts'
import type { PartitionBody } from './data-message.ts'
import type { NodeId } from './node-id.ts'
import { Outgoing } from './outgoing.ts'
import { type PartitionContext, wholePast } from './partition-context.ts'
import { covers, noAncestors, noPast, type Past } from './past.ts'
import type { Regime } from './regime.ts'
import { type HeldVersion, sameVersion, type StoredVersion, weightOf } from './stored-version.ts'
import { TakeIn } from './take-in.ts'

/** Versions looked at in one step of giving out, and bytes pushed. */
const givingStep = 64
const givingBytes = 64 * 1024

interface Replica {
  readonly id: NodeId
  readonly outgoing: Outgoing
  /** What it covered when it was taken in. */
  past: Past
  /** It lacked nothing when the view began. */
  readonly hasAll: boolean
  /** How far giving out is; `over` when the last entry was pushed. */
  after: Buffer | undefined
  over: boolean
  whole: boolean
  /** The last position that was sent. */
  sent: number
}

/** What a master knows of its replicas when its view is over: those that are whole lack of its regime only a tail. */
export interface Streamed {
  readonly regime: Regime
  /** The last sequence of the regime that each whole replica has said it applied. */
  readonly ends: ReadonlyMap<NodeId, number>
}

export class Mastership implements ServingMaster, InPlaceMaster {
  readonly #context: PartitionContext
  readonly #holders: readonly NodeId[]
  readonly #replicas: readonly Replica[]
  readonly #takeIn: TakeIn
  readonly #asking: Asking
  /** Oldest first. No set: its old tables would keep what has been answered until a full collection of garbage. */
  #unanswered: OpenWrite[] = []
  #now: number
  /** Settled once, it is settled for the rest of the view. */
  #isSettled = false

  /**
   * `replicas` and `holders` without this node. `known`: what holders cover that have nothing which this node's copy
   * lacks (F7 of README.md).
   */
  constructor(
    now: number,
    context: PartitionContext,
    {
      replicas,
      holders,
      known,
    }: {
      readonly replicas: readonly NodeId[]
      readonly holders: readonly NodeId[]
      readonly known: ReadonlyMap<NodeId, Past>
    },
  ) {
    this.#now = now
    this.#context = context
    this.#holders = holders
    this.#replicas = replicas.map((id) => {
      const outgoing = new Outgoing((bytes) => context.flow.give(id, bytes))
      outgoing.push({ kind: 'begin', regimes: context.copy.past.regimes })
      const told = known.get(id)
      const past = told ?? noPast
      const hasAll = told === context.copy.past
      return { id, outgoing, past, hasAll, after: undefined, over: false, whole: false, sent: 0 }
    })
    const unknown = holders.filter((id) => !known.has(id))
    this.#takeIn = new TakeIn(context, unknown, {
      install: ({ version }) => this.#install(version),
      cut: (regime, end) => {
        for (const { outgoing } of this.#replicas) outgoing.push({ kind: 'cut', regime, end })
      },
    })
    this.#asking = new Asking(context.send)
    if (this.#takeIn.isOver) this.#becomeWhole()
    else this.#takeIn.begin(now)
  }

  /** All replicas hold all that there is. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  /** Replicas have been sent, or are about to be sent, all that they lack. */
  get hasGiven(): boolean {
    for (const { over } of this.#replicas) if (!over) return false
    return true
  }

  /** Nothing is due when time passes. */
  get isIdle(): boolean {
    if (!this.#takeIn.isOver || !this.#asking.isEmpty) return false
    for (const { over, outgoing } of this.#replicas) if (!over || !outgoing.isEmpty) return false
    return true
  }

  /** What a copy covers that is whole in this view. */
  get past(): Past {
    return wholePast(this.#context.copy)
  }

  /** Unless it has not taken in all that others held. */
  get streamed(): Streamed | undefined {
    if (!this.#takeIn.isOver) return undefined
    const { copy, regime } = this.#context
    const whole = this.#replicas.filter((replica) => replica.whole)
    const endOf = ({ outgoing }: Replica) => (outgoing.firstUnapplied?.sequence ?? copy.applied + 1) - 1
    return { regime, ends: new Map(whole.map((replica) => [replica.id, endOf(replica)])) }
  }

  get hasReplicas(): boolean {
    return this.#replicas.length > 0
  }

  get inPlace(): InPlaceMaster | undefined {
    return this.#takeIn.isOver && !this.#isFull && !this.#context.clocks.isRefused ? this : undefined
  }

  newest(digest: Buffer): StoredVersion | undefined {
    return this.#context.store.find(digest)
  }

  wrote(now: number, version: StoredVersion, open: OpenWrite | undefined): void {
    this.#now = now
    this.#context.copy.applied = version.sequence
    this.#replicate(version, open)
  }

  wroteAlone(sequence: number): void {
    this.#context.copy.applied = sequence
  }

  serve(now: number, request: ClientRequest): void {
    this.#now = now
    const { facts } = request
    if (!facts.writes) return this.#execute(request)
    if (this.#context.clocks.isRefused) return request.answer(bareAnswer(ResultCode.FORBIDDEN))
    if (this.#isFull) return request.answer(bareAnswer(ResultCode.DEVICE_OVERLOAD))
    if (this.#takeIn.isOver) return this.#execute(request)
    const asked = this.#asking.ask(now, facts.digest, this.#takeIn.left, {
      run: (told) => {
        if (this.#now > request.deadline) return request.answer(bareAnswer(ResultCode.TIMEOUT))
        if (told.every((held) => this.#takeIn.merge(held))) this.#execute(request)
        else request.answer(bareAnswer(ResultCode.NO_SPACE))
      },
      refuse: request.refuse,
    })
    if (asked) this.#context.wake()
    else request.answer(bareAnswer(ResultCode.KEY_BUSY))
  }

  /**
   * Writes to one record, oldest first, that this node left open as the master of an older view: does the last one again
   * in this one, if that is what still stands, and acknowledges all of them as that one (C3); else runs `overruled`.
   */
  resume(now: number, writes: readonly OpenWrite[], overruled: () => void): void {
    this.#now = now
    const { digest } = writes[0]!.version
    const run = (told: readonly HeldVersion[]) => {
      if (!told.every((held) => this.#takeIn.merge(held)) || !this.#doAgain(writes)) overruled()
    }
    if (this.#takeIn.isOver) return run([])
    if (this.#asking.ask(now, digest, this.#takeIn.left, { run, refuse: overruled })) this.#context.wake()
    else overruled()
  }

  /** Deletes a record whose time is over; false when that cannot be now. */
  expire(now: number, digest: Buffer): boolean {
    this.#now = now
    if (!this.#takeIn.isOver || this.#context.clocks.isRefused) return false
    for (const { outgoing } of this.#replicas) if (!outgoing.takesGifts) return false
    const { store, copy } = this.#context
    const gone = store.remove(digest)
    if (!gone) return false
    copy.applied = gone.sequence
    this.#replicate(gone, undefined)
    return true
  }

  receive(now: number, from: NodeId, body: PartitionBody): void {
    this.#now = now
    const replica = this.#replicas.find(({ id }) => id === from)
    switch (body.kind) {
      case 'applied':
        return replica?.outgoing.applied(body.position)
      case 'told':
        return this.#asking.receive(from, body)
      case 'taken': {
        if (replica && !body.next) replica.past = body.past
        const over = this.#takeIn.receive(now, from, body)
        if (!this.#takeIn.left.includes(from)) this.#asking.takenIn(from)
        return over ? this.#becomeWhole() : undefined
      }
      case 'query':
        if (!this.isSettled) return
        this.#context.send(from, { kind: 'settled', past: body.wantsPast ? this.past : undefined })
    }
  }

  tick(now: number): void {
    this.#now = now
    this.#takeIn.tick(now)
    this.#asking.tick(now)
    for (const replica of this.#replicas) this.#flush(replica)
  }

  /** A small step of giving out; answers how many versions that took, 0 when nothing can be done now. */
  give(now: number): number {
    this.#now = now
    let steps = 0
    for (const replica of this.#replicas) {
      if (this.#takeIn.isOver && !replica.over) steps += this.#give(replica)
    }
    return steps
  }

  /** The view is over: hands out what was applied and not answered. */
  close(): OpenWrite[] {
    this.#asking.close()
    const unanswered = this.#unanswered
    this.#unanswered = []
    return unanswered
  }

  get #isFull(): boolean {
    for (const { outgoing } of this.#replicas) if (outgoing.isFull) return true
    return false
  }

  #execute(request: ClientRequest): void {
    const { store, copy } = this.#context
    const { answer, written, position } = store.execute(request.request)
    if (!written) return this.#answerWhenSynced(request, answer, position)
    copy.applied = written.sequence
    this.#takeIn.overwritten(written.digest)
    if (request.facts.masterOnly) this.#answerWhenSynced(request, answer, position)
    const acknowledge = () => request.answer(answer)
    const open = { version: written, deadline: request.deadline, acknowledge }
    this.#replicate(written, request.facts.masterOnly ? undefined : open)
  }

  #answerWhenSynced(request: ClientRequest, answer: Buffer, position: number): void {
    if (position === 0) return request.answer(answer)
    this.#context.store.whenSynced(position, (failed) =>
      request.answer(failed ? bareAnswer(ResultCode.TIMEOUT) : answer),
    )
  }

  #replicate(version: StoredVersion, open: OpenWrite | undefined): void {
    const { store } = this.#context
    let missing = this.#replicas.length + 1
    const done = () => {
      missing--
      // After its view this is for the next master to say.
      const at = missing > 0 || !open ? -1 : this.#unanswered.indexOf(open)
      if (at < 0) return
      this.#unanswered.splice(at, 1)
      open!.acknowledge()
    }
    if (open) this.#unanswered.push(open)
    for (const replica of this.#replicas) {
      replica.outgoing.push({ kind: 'write', version }, done)
      this.#flush(replica)
    }
    if (this.#replicas.length > 0) this.#context.wake()
    const { position } = store
    if (position === 0) return done()
    store.whenSynced(position, (failed) => {
      if (!failed) done()
    })
  }

  /** False when something else stands there, or it cannot be done now. */
  #doAgain(writes: readonly OpenWrite[]): boolean {
    const { store, clocks } = this.#context
    const last = writes.at(-1)!.version
    const found = store.find(last.digest)
    if (clocks.isRefused || !found || !sameVersion(found, last)) return false
    return this.#install(found, {
      deadline: Math.max(...writes.map(({ deadline }) => deadline)),
      acknowledge: () => {
        for (const write of writes) write.acknowledge()
      },
    })
  }

  /** False when there is no room. */
  #install(version: StoredVersion, open?: Omit<OpenWrite, 'version'>): boolean {
    const { store, copy } = this.#context
    try {
      const installed = store.renew(version)
      copy.applied = installed.sequence
      if (open) this.#takeIn.overwritten(installed.digest)
      this.#replicate(installed, open && { ...open, version: installed })
      return true
    } catch (error) {
      if (error instanceof ResultError) return false
      throw error
    }
  }

  #becomeWhole(): void {
    const { copy } = this.#context
    copy.ancestors = noAncestors
    copy.whole = true
    copy.wholeNow = true
    this.#context.changed('soon')
    this.#lookSettled()
  }

  /** Pushes what the replica does not cover, at last the word that this was all. */
  #give(replica: Replica): number {
    const { store, partition, regime, flow, migrated } = this.#context
    if (!replica.outgoing.takesGifts || !flow.takesGifts(replica.id)) return 0
    let seen = 0
    let bytes = 0
    let last: Buffer | undefined
    const give = (version: StoredVersion): boolean => {
      last = version.digest
      if (version.regime !== regime && !covers(replica.past, version)) {
        replica.outgoing.push({ kind: 'give', version })
        bytes += weightOf(version)
        migrated.migrate_records_transmitted++
      } else migrated.migrate_records_skipped++
      return ++seen < givingStep && bytes < givingBytes
    }
    if (!replica.hasAll) store.scan(partition, replica.after, give)
    if (seen < givingStep && bytes < givingBytes) {
      replica.over = true
      replica.outgoing.push({ kind: 'whole', past: this.past }, () => {
        replica.whole = true
        this.#lookSettled()
      })
    } else replica.after = last
    this.#flush(replica)
    return seen + 1
  }

  /** Says so to all who may wait for it. */
  #lookSettled(): void {
    if (this.#isSettled || !this.#takeIn.isOver) return
    for (const replica of this.#replicas) if (!replica.whole) return
    this.#isSettled = true
    for (const id of new Set([...this.#replicas.map(({ id }) => id), ...this.#holders])) {
      this.#context.send(id, { kind: 'settled', past: undefined })
    }
    this.#context.settled()
  }

  #flush(replica: Replica): void {
    const { send, migrated } = this.#context
    replica.outgoing.flush(this.#now, (position, entries) => {
      for (let i = 0; i < entries.length && position + i <= replica.sent; i++)
        if (entries[i]!.kind === 'give') migrated.migrate_record_retransmits++
      replica.sent = Math.max(replica.sent, position + entries.length - 1)
      send(replica.id, { kind: 'stream', position, entries })
    })
  }
}
