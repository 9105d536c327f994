/**
 * One AP namespace on one node: its copies, what this node does for each partition in the view, and the writes that
 * the last view left without an answer. All that fills copies goes in small steps (`work`), so that no request waits
 * behind it; a partition that nobody fills or writes to costs nothing.
 */
import type { ClientRequest } from './client-request.ts'
import type { ClusteredNamespace } from './clustered-namespace.ts'
import { type CopyReport, reportOf } from './copy-report.ts'
import type { CopyStore } from './copy-store.ts'
import { type PartitionBody, type PartitionMessage, partitionMessage } from './data-message.ts'
import { LeavingCopies } from './leaving-copies.ts'
import { Mastership, type Streamed } from './mastership.ts'
import { newMigrationCounters } from './migration-counters.ts'
import type { NodeId } from './node-id.ts'
import { OpenWrites } from './open-writes.ts'
import { type Copy, type PartitionContext, wholePast } from './partition-context.ts'
import type { MappedPlace, Place } from './partition-map.ts'
import { cut, type Past, SharedRegimes } from './past.ts'
import type { PeerClocks } from './peer-clocks.ts'
import { PeerFlow } from './peer-flow.ts'
import type { Regime } from './regime.ts'
import { Replica } from './replica.ts'
import { copiesFrom, savedFrom, type SavedCopies } from './saved-copies.ts'

/** Milliseconds between two looks at what waits for an answer: much less than after which anything is sent again. */
const lookPeriod = 50
/** Milliseconds between two questions whether a partition is settled. */
const queryPeriod = 200
/** Milliseconds after which it is saved again that this node is there. */
const presencePeriod = 1_800_000
/** Partitions asked about in one go. */
const queriesAtOnce = 512
/** What beginning to be the master of a partition costs, in versions looked at. */
const beginningCost = 8

const nobody: ReadonlyMap<NodeId, Past> = new Map()

export interface ApNamespaceOptions {
  readonly name: string
  readonly self: NodeId
  readonly store: CopyStore
  /** What the node knew of its copies when it stopped, where that can be trusted (C6 of README.md). */
  readonly saved?: SavedCopies
  readonly clocks: PeerClocks
  readonly send: (to: NodeId, message: PartitionMessage) => void
  /** What `save` answers is another; `now` when it says less than before. */
  readonly changed: (save: 'soon' | 'now') => void
}

/** A view that this node serves in. */
interface ServedView {
  readonly name: string
  readonly regime: Regime
  readonly flow: PeerFlow
}

export class ApNamespace implements ClusteredNamespace {
  readonly name: string
  readonly store: CopyStore
  /** Since the start. */
  readonly migrated = newMigrationCounters()
  readonly #options: ApNamespaceOptions
  readonly #copies: Copy[]
  #view: ServedView | undefined
  #places: readonly MappedPlace[] = []
  /** By partition; made when they are first needed. */
  #masterships: (Mastership | undefined)[] = []
  #replicas: (Replica | undefined)[] = []
  /** By partition, what this node knew as the master of the last view it served in. */
  #streamed: (Streamed | undefined)[] = []
  /** Partitions below it have their masterships, if this node is their master. */
  #begun = 0
  /** Masterships that have something to do when time passes. */
  readonly #awake = new Set<Mastership>()
  /** Masterships that have not given their replicas all that these lack, the one whose turn is next first. */
  readonly #giving = new Set<Mastership>()
  /** The same of partitions with writes that an older view has left open: clients wait for them. */
  readonly #urgent = new Set<Mastership>()
  /** Questions of masters that take in what this node holds, by partition. */
  readonly #questions = new Map<number, PartitionBody & { kind: 'take' }>()
  #unsettled = 0
  #misplaced = 0
  /** Of older views. */
  readonly #open = new OpenWrites()
  readonly #leaving: LeavingCopies
  readonly #leftAt: number
  #nextPresence = 0
  #nextLook = -Infinity
  #nextQuery = -Infinity
  #now = -Infinity

  constructor(options: ApNamespaceOptions) {
    this.#options = options
    this.name = options.name
    this.store = options.store
    const { saved, store } = options
    this.#copies = copiesFrom(saved, store.partitions)
    this.#leaving = new LeavingCopies(store, this.#copies, () => options.changed('soon'))
    this.#leftAt = saved?.at ?? store.time
    const away = store.time - this.#leftAt
    if (store.tombstoneLife > 0 && away > store.tombstoneLife - 2 * presencePeriod)
      this.#leaving.wereLongAway()
    // T1: a replica deletes only what its master's stream says.
    this.store.onExpired = (partition, digest) => this.masterOf(partition)?.expire(this.#now, digest) ?? false
  }

  report(): CopyReport {
    return reportOf(
      this.#copies,
      (partition) => this.store.isEmpty(partition),
      (partition) => this.#leaving.isStale(partition),
    )
  }

  save(): SavedCopies {
    // A start that finds some of them left over must know how old they are.
    return savedFrom(this.#copies, this.#leaving.hasStale ? this.#leftAt : this.store.time)
  }

  /** The row of the map in the present view. */
  place(partition: number): Place | undefined {
    return this.#view === undefined ? undefined : this.#places[partition]
  }

  masterOf(partition: number): Mastership | undefined {
    const known = this.#masterships[partition]
    if (known || !this.#view || !this.#isMaster(partition)) return known
    return this.#beginMastership(this.#view, partition)
  }

  /** Whether this node's copy may answer reads. */
  answersReads(partition: number): boolean {
    return this.#view !== undefined && (this.#isMaster(partition) || this.#copies[partition]!.wholeNow)
  }

  /** Partitions that this node is master of and whose replicas are not all whole. */
  get unsettled(): number {
    return this.#unsettled
  }

  /** Partitions that another node should be master of. */
  get misplaced(): number {
    return this.#misplaced
  }

  /** Partitions of which this node holds something that it need not hold. */
  get surplus(): number {
    return this.#leaving.count
  }

  /** The view is over: nothing of it is acknowledged any more. */
  leave(): void {
    if (this.#view) this.#streamed = this.#masterships.map((mastership) => mastership?.streamed)
    for (const [partition, mastership] of this.#masterships.entries()) {
      const left = mastership?.close() ?? []
      if (left.length > 0) this.#open.add(partition, left)
    }
    this.#masterships = []
    this.#replicas = []
    this.#awake.clear()
    this.#giving.clear()
    this.#urgent.clear()
    this.#questions.clear()
    this.#view = undefined
  }

  /** Notes which copies take part in the view; to be saved before `begin`. */
  enter(regime: Regime, places: readonly MappedPlace[]): void {
    const shared = new SharedRegimes()
    this.#places = places
    this.#begun = 0
    this.#unsettled = 0
    this.#misplaced = 0
    this.#leaving.beginView()
    for (const [partition, place] of places.entries()) {
      const copy = this.#copies[partition]!
      const takesPart = this.#takesPart(place)
      copy.past = shared.share(wholePast(copy))
      copy.regime = takesPart ? regime : undefined
      copy.applied = 0
      copy.wholeNow = false
      this.#leaving.meet(partition, { takesPart, counts: this.#counts(place) })
      if (!this.#isMaster(partition)) continue
      this.#unsettled++
      if (place.replicas[0] !== place.master) this.#misplaced++
    }
    this.#options.changed('now')
  }

  begin(view: string, regime: Regime): void {
    this.#view = { name: view, regime, flow: new PeerFlow() }
    for (const partition of this.#places.keys()) this.store.enter(partition, regime)
    for (const partition of [...this.#open.partitions]) this.#resume(partition)
    // Other masters learn at once what is open here.
    this.#nextQuery = -Infinity
  }

  receive(now: number, from: NodeId, message: PartitionMessage): void {
    if (message.view !== this.#view?.name) return
    this.#now = now
    const { partition } = message
    // What comes now comes again.
    if (this.#leaving.isEmptying(partition)) return
    if (message.kind === 'settled') {
      if (from === this.#places[partition]?.master) this.#settled(partition, message.past)
      return
    }
    const mastership = this.masterOf(partition)
    if (mastership) {
      if (message.kind === 'query' && message.wantsPast) this.#hurry(mastership)
      return mastership.receive(now, from, message)
    }
    if (from !== this.#places[partition]?.master) return
    if (message.kind === 'take') this.#questions.set(partition, message)
    else this.#replica(this.#view, partition).receive(from, message)
  }

  serve(now: number, request: ClientRequest): void {
    this.#now = now
    const mastership = this.masterOf(request.facts.partition)
    if (!mastership) throw new Error(`${this.#options.self} is no master of ${request.facts.partition}`)
    mastership.serve(now, request)
  }

  tick(now: number): void {
    this.#now = now
    if (now >= this.#nextLook) {
      this.#nextLook = now + lookPeriod
      for (const mastership of this.#awake) {
        mastership.tick(now)
        if (mastership.isIdle) this.#awake.delete(mastership)
      }
    }
    if (now < this.#nextQuery || this.#view === undefined) return
    this.#nextQuery = now + queryPeriod
    if (now >= this.#nextPresence) {
      this.#nextPresence = now + presencePeriod
      this.#options.changed('soon')
    }
    this.#answerOwn(now)
    this.#query()
  }

  /**
   * Fills copies until about so many versions have been looked at. Answers how many were; less than asked for when
   * there is nothing left to do now.
   */
  work(now: number, versions: number): number {
    this.#now = now
    let done = 0
    while (done < versions) {
      const steps = this.#answerQuestion() + this.#beginNext() + this.#give(now) + this.#leaving.forgetSome()
      if (steps === 0) break
      done += steps
    }
    return done
  }

  /** What `save` answered is on disk. */
  saved(): void {
    this.#leaving.saved()
  }

  #beginMastership(view: ServedView, partition: number): Mastership {
    const { self } = this.#options
    const { replicas, holders } = this.#places[partition]!
    const context = this.#context(view, partition, () => this.#awake.add(mastership))
    const mastership = new Mastership(this.#now, context, {
      replicas: replicas.filter((id) => id !== self),
      holders,
      known: this.#knownHolders(partition),
    })
    this.#masterships[partition] = mastership
    this.#awake.add(mastership)
    this.#giving.add(mastership)
    return mastership
  }

  /**
   * What the replicas cover that followed this node in the last regime which its copy, and each of theirs, has been
   * through: all that it has, but for what they had not said they applied (F7 of README.md).
   */
  #knownHolders(partition: number): ReadonlyMap<NodeId, Past> {
    const { alike, holders } = this.#places[partition]!
    const { past } = this.#copies[partition]!
    const streamed = this.#streamed[partition]
    if (!alike || !streamed || past.regimes.at(-1) !== streamed.regime) return nobody
    // Who has lost everything is no holder any more.
    const kept = [...streamed.ends].filter(([id]) => holders.includes(id))
    return new Map(kept.map(([id, end]) => [id, cut(past, streamed.regime, end)]))
  }

  #replica(view: ServedView, partition: number): Replica {
    return (this.#replicas[partition] ??= new Replica(
      this.#context(view, partition, () => undefined),
      this.#places[partition]!.master,
    ))
  }

  #context({ name, regime, flow }: ServedView, partition: number, wake: () => void): PartitionContext {
    const { self, store, clocks, changed } = this.#options
    const send = (to: NodeId, body: PartitionBody) => this.#send(name, partition, to, body)
    const settled = () => {
      this.#unsettled--
      if (this.#open.has(partition)) this.#settled(partition, wholePast(this.#copies[partition]!))
    }
    return {
      self,
      partition,
      regime,
      store,
      copy: this.#copies[partition]!,
      send,
      changed,
      flow,
      clocks,
      migrated: this.migrated,
      wake,
      settled,
    }
  }

  /** Says nothing any more in a view that is over. */
  #send(view: string, partition: number, to: NodeId, body: PartitionBody): void {
    if (this.#view?.name !== view) return
    this.#options.send(to, partitionMessage(view, this.name, partition, body))
  }

  #isMaster(partition: number): boolean {
    return this.#places[partition]?.master === this.#options.self
  }

  #takesPart({ master, replicas }: Place): boolean {
    const { self } = this.#options
    return master === self || replicas.includes(self)
  }

  /** The map knows this node's copy for one that holds something. */
  #counts({ master, holders }: Place): boolean {
    const { self } = this.#options
    return master === self || holders.includes(self)
  }

  #answerQuestion(): number {
    for (const [partition, question] of this.#questions) {
      this.#questions.delete(partition)
      return this.#view ? this.#replica(this.#view, partition).tell(question) : 0
    }
    return 0
  }

  /** Begins the next mastership that nobody needed before. */
  #beginNext(): number {
    while (this.#view && this.#begun < this.#places.length) {
      const partition = this.#begun++
      if (!this.#isMaster(partition) || this.#masterships[partition]) continue
      this.#beginMastership(this.#view, partition)
      return beginningCost
    }
    return 0
  }

  /** Does again, if this node is still the master, what it left open there; what cannot be waits until all is settled. */
  #resume(partition: number): void {
    const mastership = this.masterOf(partition)
    if (!mastership) return
    for (const writes of this.#open.takeByRecord(partition))
      mastership.resume(this.#now, writes, () => {
        this.#open.add(partition, writes)
        this.#hurry(mastership)
      })
  }

  /** Has its replicas filled before others. */
  #hurry(mastership: Mastership): void {
    if (this.#giving.delete(mastership)) this.#urgent.add(mastership)
  }

  /** One step of the next mastership that can give something. */
  #give(now: number): number {
    return this.#giveFrom(this.#urgent, now) || this.#giveFrom(this.#giving, now)
  }

  #giveFrom(giving: Set<Mastership>, now: number): number {
    let left = giving.size
    for (const mastership of giving) {
      if (left-- === 0) return 0
      const steps = mastership.give(now)
      // To the end, also one that can give nothing yet: what comes next is not looked for behind all of these again.
      giving.delete(mastership)
      if (!mastership.hasGiven) giving.add(mastership)
      if (steps > 0) return steps
    }
    return 0
  }

  /** Writes that an older view left open, of partitions that are settled here. */
  #answerOwn(now: number): void {
    this.#open.expire(now)
    for (const partition of [...this.#open.partitions]) {
      const mastership = this.#masterships[partition]
      if (mastership?.isSettled) this.#settled(partition, mastership.past)
    }
  }

  /** Asks masters about what waits for their partitions to be settled: open writes, and data that could go. */
  #query(): void {
    if (!this.#view) return
    let left = queriesAtOnce
    for (const partition of new Set([...this.#open.partitions, ...this.#leaving.surplus])) {
      const { master } = this.#places[partition]!
      if (master === this.#options.self) continue
      if (left-- === 0) return
      this.#send(this.#view.name, partition, master, {
        kind: 'query',
        wantsPast: this.#open.has(partition),
      })
      this.#leaving.toEnd(partition)
    }
  }

  /** All replicas hold everything, and their past is this one; a replica that is not told knows it. */
  #settled(partition: number, told: Past | undefined): void {
    const copy = this.#copies[partition]!
    const past = told ?? (copy.wholeNow ? wholePast(copy) : undefined)
    if (past) this.#open.answer(partition, past)
    // Where writes still wait for the past it is asked for again.
    if (past || !this.#open.has(partition)) this.#leaving.letGo(partition)
    else this.#leaving.toEnd(partition)
  }
}
