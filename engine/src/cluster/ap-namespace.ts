/**
 * One AP namespace on one node: its copies, what this node does for each partition in the view, and the writes that
 * the last view left without an answer.
 */
import type { ClientRequest } from './client-request.ts'
import type { ClusteredNamespace } from './clustered-namespace.ts'
import { type CopyReport, reportOf } from './copy-report.ts'
import type { CopyStore } from './copy-store.ts'
import type { AncestorEntries, PartitionBody, PartitionMessage, PastEntries } from './data-message.ts'
import { Mastership, type Unanswered } from './mastership.ts'
import type { NodeId } from './node-id.ts'
import { type Copy, type PartitionContext, wholePast } from './partition-context.ts'
import type { Place } from './partition-map.ts'
import { covers } from './past.ts'
import type { Regime } from './regime.ts'
import { Replica } from './replica.ts'

/** Milliseconds between two questions whether a partition is settled. */
const queryPeriod = 100
/** Partitions asked about in one go, and versions forgotten in one go. */
const queriesAtOnce = 64
const forgottenAtOnce = 256

export interface SavedCopy {
  readonly past: PastEntries
  readonly ancestors: AncestorEntries
  readonly whole: boolean
}

export interface ApNamespaceOptions {
  readonly name: string
  readonly self: NodeId
  readonly store: CopyStore
  /** What the node knew of its copies when it stopped, where that can be trusted (C6 of README.md). */
  readonly saved?: readonly SavedCopy[]
  readonly send: (to: NodeId, message: PartitionMessage) => void
  /** What `save` answers is another now. */
  readonly changed: () => void
}

export class ApNamespace implements ClusteredNamespace {
  readonly name: string
  readonly store: CopyStore
  readonly #options: ApNamespaceOptions
  readonly #copies: Copy[]
  #view: string | undefined
  #places: readonly Place[] = []
  readonly #masterships = new Map<number, Mastership>()
  readonly #replicas = new Map<number, Replica>()
  /** Writes of older views, by partition. */
  readonly #unanswered = new Map<number, Unanswered[]>()
  /** Partitions whose data goes once it is saved that this node keeps no copy. */
  readonly #leaving = new Set<number>()
  #leavingSaved = false
  #nextQuery = -Infinity
  #queryFrom = 0

  constructor(options: ApNamespaceOptions) {
    this.#options = options
    this.name = options.name
    this.store = options.store
    this.#copies = Array.from({ length: options.store.partitions }, (_, partition) => {
      const saved = options.saved?.[partition]
      return {
        past: new Map(saved?.past),
        ancestors: new Map(saved?.ancestors),
        regime: undefined,
        applied: 0,
        whole: saved?.whole ?? false,
        wholeNow: false,
      }
    })
  }

  report(): CopyReport {
    return reportOf(this.#copies, (partition) => this.store.isEmpty(partition))
  }

  save(): SavedCopy[] {
    return this.#copies.map((copy) => ({
      past: [...wholePast(copy)],
      ancestors: [...copy.ancestors],
      whole: copy.whole,
    }))
  }

  /** The row of the map in the present view. */
  place(partition: number): Place | undefined {
    return this.#view === undefined ? undefined : this.#places[partition]
  }

  masterOf(partition: number): Mastership | undefined {
    return this.#masterships.get(partition)
  }

  /** Whether this node's copy may answer reads. */
  answersReads(partition: number): boolean {
    return this.#masterships.has(partition) || this.#copies[partition]!.wholeNow
  }

  get unsettled(): number {
    let count = 0
    for (const mastership of this.#masterships.values()) if (!mastership.isSettled) count++
    return count
  }

  get misplaced(): number {
    let count = 0
    for (const partition of this.#masterships.keys()) {
      if (this.#places[partition]!.replicas[0] !== this.#options.self) count++
    }
    return count
  }

  /** Partitions of which this node holds something that it need not hold. */
  get surplus(): number {
    let count = 0
    for (const partition of this.#places.keys())
      if (this.#couldGo(partition) || this.#leaving.has(partition)) count++
    return count
  }

  /** The view is over: nothing of it is acknowledged any more. */
  leave(): void {
    for (const [partition, mastership] of this.#masterships) {
      const left = mastership.close()
      if (left.length === 0) continue
      this.#unanswered.set(partition, [...(this.#unanswered.get(partition) ?? []), ...left])
    }
    this.#masterships.clear()
    this.#replicas.clear()
    this.#view = undefined
  }

  /** Notes which copies take part in the view; to be saved before `begin`. */
  enter(regime: Regime, places: readonly Place[]): void {
    this.#places = places
    for (const [partition, place] of places.entries()) {
      const copy = this.#copies[partition]!
      const takesPart = this.#takesPart(place)
      if (takesPart && this.#leaving.has(partition)) this.#forgetAll(partition)
      copy.past = wholePast(copy)
      copy.regime = takesPart ? regime : undefined
      copy.applied = 0
      copy.wholeNow = false
    }
    this.#options.changed()
  }

  begin(view: string, regime: Regime): void {
    this.#view = view
    const { self } = this.#options
    for (const [partition, { master, replicas, holders }] of this.#places.entries()) {
      this.store.enter(partition, regime)
      const context = this.#context(view, regime, partition)
      if (master === self) {
        const others = replicas.filter((id) => id !== self)
        this.#masterships.set(partition, new Mastership(context, others, holders))
      } else this.#replicas.set(partition, new Replica(context, master))
    }
  }

  receive(now: number, from: NodeId, message: PartitionMessage): void {
    if (message.view !== this.#view) return
    const { partition } = message
    if (message.kind === 'settled') {
      if (from === this.#places[partition]?.master) this.#settled(partition, message)
      return
    }
    const mastership = this.#masterships.get(partition)
    if (mastership) mastership.receive(now, from, message)
    else this.#replicas.get(partition)?.receive(from, message)
  }

  serve(now: number, request: ClientRequest): void {
    const mastership = this.#masterships.get(request.facts.partition)
    if (!mastership) throw new Error(`${this.#options.self} is no master of ${request.facts.partition}`)
    mastership.serve(now, request)
  }

  tick(now: number): void {
    for (const mastership of this.#masterships.values()) mastership.tick(now)
    this.#forgetSome()
    if (now < this.#nextQuery || this.#view === undefined) return
    this.#nextQuery = now + queryPeriod
    this.#answerOwn(now)
    this.#query()
  }

  /** What `save` answered is on disk. */
  saved(): void {
    this.#leavingSaved = true
  }

  #context(view: string, regime: Regime, partition: number): PartitionContext {
    const { self, store, changed } = this.#options
    const send = (to: NodeId, body: PartitionBody) => this.#send(view, partition, to, body)
    return { self, partition, regime, store, copy: this.#copies[partition]!, send, changed }
  }

  /** Says nothing any more in a view that is over. */
  #send(view: string | undefined, partition: number, to: NodeId, body: PartitionBody): void {
    if (view === undefined || this.#view !== view) return
    this.#options.send(to, { view, namespace: this.name, partition, ...body })
  }

  #takesPart({ master, replicas }: Place): boolean {
    const { self } = this.#options
    return master === self || replicas.includes(self)
  }

  /** Writes that an older view left open, of partitions that are settled here. */
  #answerOwn(now: number): void {
    for (const [partition, open] of [...this.#unanswered]) {
      this.#keepUnanswered(
        partition,
        open.filter(({ request }) => request.deadline > now),
      )
      const mastership = this.#masterships.get(partition)
      if (mastership?.isSettled) this.#settled(partition, mastership.word)
    }
  }

  #keepUnanswered(partition: number, left: Unanswered[]): void {
    if (left.length > 0) this.#unanswered.set(partition, left)
    else this.#unanswered.delete(partition)
  }

  /** Asks masters about what waits for their partitions to be settled: open writes, and data that could go. */
  #query(): void {
    let sent = 0
    for (let step = 0; step < this.#places.length && sent < queriesAtOnce; step++) {
      const partition = (this.#queryFrom + step) % this.#places.length
      const { master } = this.#places[partition]!
      if (master === this.#options.self) continue
      if (!this.#unanswered.has(partition) && !this.#couldGo(partition)) continue
      this.#send(this.#view, partition, master, { kind: 'query' })
      if (++sent === queriesAtOnce) this.#queryFrom = partition + 1
    }
  }

  #couldGo(partition: number): boolean {
    if (this.#takesPart(this.#places[partition]!) || this.#leaving.has(partition)) return false
    return this.#copies[partition]!.past.size > 0 || !this.store.isEmpty(partition)
  }

  /** All replicas hold everything. */
  #settled(partition: number, { past: entries }: PartitionBody & { kind: 'settled' }): void {
    const past = new Map(entries)
    const open = this.#unanswered.get(partition) ?? []
    const left = open.filter((unanswered) => {
      if (!covers(past, unanswered.version)) return true
      unanswered.request.answer(unanswered.answer)
      return false
    })
    this.#keepUnanswered(partition, left)
    if (!this.#couldGo(partition)) return
    const copy = this.#copies[partition]!
    copy.past = new Map()
    copy.ancestors = new Map()
    copy.whole = false
    this.#leaving.add(partition)
    this.#leavingSaved = false
    this.#options.changed()
  }

  #forgetSome(): void {
    if (!this.#leavingSaved) return
    for (const partition of this.#leaving) {
      if (!this.store.forget(partition, forgottenAtOnce)) this.#leaving.delete(partition)
      return
    }
  }

  #forgetAll(partition: number): void {
    while (this.store.forget(partition, forgottenAtOnce));
    this.#leaving.delete(partition)
  }
}
