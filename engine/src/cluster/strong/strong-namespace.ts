/**
 * One strong namespace on one node: a machine for each of its partitions, what they say to other nodes, and the requests
 * that they serve. Only partitions in which something is under way are looked at again.
 */
import { ResultCode } from '../../values/result-code.ts'
import { bareAnswer, type ClientRequest } from '../client-request.ts'
import type { ClusteredNamespace, ServingMaster } from '../clustered-namespace.ts'
import { StrongRead } from '../copy-store.ts'
import type { NodeId } from '../node-id.ts'
import type { Place } from '../partition-map.ts'
import { PeerFlow } from '../peer-flow.ts'
import { sameProcess, type Process } from '../process.ts'
import { viewKey } from '../view-id.ts'
import type { Durability } from './activation.ts'
import type { CopyDisk } from './copy-disk.ts'
import type { Operation } from './master.ts'
import type { StrongBody } from './message.ts'
import { isAlike } from './alike.ts'
import { ActivationSyncs } from './activation-syncs.ts'
import { type NamespaceReport, namespaceReport } from './namespace-report.ts'
import { Orders } from './orders.ts'
import { StrongPartition } from './partition.ts'
import type { Position } from './position.ts'
import { Plans, type StrongInput, type StrongView } from './plans.ts'
import type { Seat } from './roster.ts'
import { Standstills } from './standstill.ts'
import type { StrongBatch } from './strong-message.ts'
import type { StrongStore } from './strong-store.ts'
import { Truncating } from './truncating.ts'

/** Milliseconds after which what led to nothing is said again. */
const repeatPeriod = 200
/** The longest such wait while a view begins. */
const longestRepeat = 1600
/** Pieces of fills that are read in one tick, of all partitions together. */
const piecesPerTick = 32
/** Milliseconds between two partitions that are swept, and what of one is swept at once. */
const sweepPeriod = 10
const sweptAtOnce = 64
/** Milliseconds for which partitions that are ready to write their activations wait for others, so that one sync does. */
const longestHold = 100
/** Bodies of one message. */
const bodiesPerMessage = 256

export interface StrongNamespaceOptions<Content> {
  readonly name: string
  readonly self: Process
  readonly store: StrongStore<Content>
  readonly durability: Durability
  /** Milliseconds without a tick that count as a standstill (rule L3). */
  readonly standstill: number
  readonly send: (to: NodeId, message: StrongBatch<Content>) => void
}

export class StrongNamespace<Content> implements ClusteredNamespace {
  readonly name: string
  readonly store: StrongStore<Content>
  readonly durability: Durability
  readonly #options: StrongNamespaceOptions<Content>
  readonly #partitions: readonly StrongPartition<Content>[]
  readonly #orders: Orders
  readonly #standstills: Standstills
  #plans: Plans | undefined
  #view: string | undefined
  /** For people and tools: that of the last view while there is no other. */
  #shown: Plans | undefined
  #leftAt: number | undefined
  /** Partitions that may have something to say. */
  readonly #touched = new Set<number>()
  /** Partitions in which something is under way. */
  readonly #busy = new Set<number>()
  /** Those of them in which this node fills. */
  readonly #filling = new Set<number>()
  /** Partitions that are not at the starting state yet. */
  readonly #bringingUp = new Set<number>()
  readonly #syncs: ActivationSyncs
  /** Partitions that this node leads and in which it does not serve yet, or fills. */
  readonly #unsettled = new Set<number>()
  #misplaced = 0
  readonly #truncating: Truncating<Content>
  /** From the first tick in the view on. */
  #heldSince: number | undefined
  #pieces = piecesPerTick
  /** What is under way in fills in this view. */
  #flow = new PeerFlow()
  #nextRepeat = -Infinity
  #repeatWait = repeatPeriod
  #nextSweep = -Infinity
  #swept = 0

  constructor(options: StrongNamespaceOptions<Content>) {
    const { name, store, self, durability, standstill } = options
    this.#options = options
    this.name = name
    this.store = store
    this.durability = durability
    this.#orders = new Orders(store.partitions)
    // The copies of a namespace share their files.
    this.#syncs = new ActivationSyncs((file, done) => store.disk(0).whenSynced(file, done))
    const standstills = new Standstills(standstill)
    this.#standstills = standstills
    const mayFill = ({ id }: Process) => this.#flow.takesGifts(id) && this.#pieces-- > 0
    const given = ({ id }: Process, bytes: number) => this.#flow.give(id, bytes)
    const weigh = (content: Content) => store.weigh(content)
    this.#partitions = Array.from({ length: store.partitions }, (_, partition) => {
      const disk = store.disk(partition)
      const whenActivationSynced = (file: 'data' | 'meta', done: () => void) =>
        this.#syncs.whenSynced(file, () => this.turn(partition, done))
      const options = { self, durability, disk, standstills, mayFill, given, weigh, whenActivationSynced }
      return new StrongPartition(options)
    })
    this.#truncating = new Truncating({
      machine: (partition) => this.#partitions[partition]!,
      disk: (partition) => store.disk(partition),
      touch: (partition) => this.#touched.add(partition),
    })
  }

  /** The same, or those of the last view until the node has been without one for the length of a standstill. */
  get shown(): Plans | undefined {
    return this.#shown
  }

  /** The plans of the view in which this node acts. */
  get plans(): Plans | undefined {
    return this.#plans
  }

  report(): NamespaceReport {
    const { store } = this.#options
    const copies = this.#partitions.map((_, partition) => store.disk(partition))
    const isEarlier = (copy: CopyDisk<Content>) =>
      copy.lineage.epochs.length === 0 && copy.digestsAfter(undefined, 1).length > 0
    return namespaceReport(copies, copies.some(isEarlier))
  }

  /** The view has begun: its record says what is to be done. */
  enter(view: StrongView, input: StrongInput): void {
    this.leave()
    const plans = new Plans(view, input, this.#orders)
    this.#plans = plans
    this.#shown = plans
    this.#view = viewKey(view.id)
    this.#misplaced = plans.misplaced(this.#options.self) + (plans.isPending ? 1 : 0)
    this.#syncs.hold()
    this.#repeatWait = repeatPeriod
    this.#heldSince = undefined
    for (const [partition, machine] of this.#partitions.entries()) {
      const plan = plans.at(partition)
      const lineageOf = (process: Process) => plans.lineageOf(partition, process)
      machine.enter(plan && { plan, members: view.members, lineageOf })
      this.#touched.add(partition)
      if (machine.isBringingUp) this.#bringingUp.add(partition)
      if (machine.leads) this.#unsettled.add(partition)
    }
    this.#truncating.begin(this.#led())
  }

  /** Each partition's master deletes what the set holds, without a name everything (rule T1). */
  truncate(set: string, number: number): void {
    if (this.#truncating.know(set, number)) this.#truncating.begin(this.#led())
  }

  /** Some partition led here has not done a truncation that is known. */
  get truncates(): boolean {
    return !this.#truncating.isOver
  }

  /** This node's next promise begins: nothing of the view is done any more. */
  leave(): void {
    this.#view = undefined
    this.#plans = undefined
    this.#busy.clear()
    this.#filling.clear()
    this.#bringingUp.clear()
    this.#unsettled.clear()
    this.#misplaced = 0
    this.#truncating.begin([])
    this.#flow = new PeerFlow()
    this.#syncs.leave()
    for (const machine of this.#partitions) machine.leave()
  }

  receive(from: Process, { view, bodies, alike }: StrongBatch<Content>): void {
    if (!this.#plans || view !== this.#view) return
    const member = this.#plans.view.members.find((process) => sameProcess(process, from))
    if (!member) return
    for (const [partition, body] of bodies) this.#hear(member, partition, body)
    for (const [partitions, body] of alike) {
      for (let at = 0; at + 1 < partitions.length; at += 2)
        this.#hear(member, partitions.readUInt16LE(at), body)
    }
  }

  /** Runs what waited for the disk. */
  turn(partition: number, run: () => void): void {
    run()
    this.#touched.add(partition)
  }

  tick(now: number): void {
    this.#standstills.tick(now)
    this.#leftAt = this.#plans ? undefined : (this.#leftAt ?? now)
    if (this.#leftAt !== undefined && now - this.#leftAt > this.#options.standstill) this.#shown = undefined
    this.#heldSince ??= now
    if (now - this.#heldSince >= longestHold) this.#syncs.release()
    this.#pieces = piecesPerTick
    // Only fills go on by themselves.
    for (const partition of this.#filling) {
      this.#partitions[partition]!.advance()
      this.#touched.add(partition)
    }
    if (now >= this.#nextRepeat) this.#repeat(now)
    this.#truncating.tick()
    if (now >= this.#nextSweep) {
      this.#nextSweep = now + sweepPeriod
      this.#swept = (this.#swept + 1) % this.#partitions.length
      this.#sweep(now, this.#swept)
    }
  }

  /** While a view begins everything is under way at once, and nodes that are only slow are not to be flooded. */
  #repeat(now: number): void {
    const isBeginning = this.#bringingUp.size > 0 || this.#unsettled.size > this.#filling.size
    this.#repeatWait = isBeginning ? Math.min(2 * this.#repeatWait, longestRepeat) : repeatPeriod
    this.#nextRepeat = now + this.#repeatWait
    for (const partition of this.#busy) {
      this.#partitions[partition]!.repeat()
      this.#touched.add(partition)
    }
  }

  /** Sends what has gathered; to be called at the end of each turn. */
  flush(): void {
    if (this.#touched.size > 0) {
      const mail = new Map<NodeId, Mail<Content>>()
      for (const partition of this.#touched) this.#collect(partition, mail)
      this.#touched.clear()
      for (const [to, each] of mail) this.#send(to, each)
    }
    if (this.#bringingUp.size === 0) this.#syncs.release()
    this.#syncs.flush()
  }

  place(partition: number): Place | undefined {
    if (this.#view === undefined) return undefined
    const plan = this.#partitions[partition]!.plan
    return plan ? plan.place : nowhere
  }

  masterOf(partition: number): ServingMaster | undefined {
    if (this.#view === undefined) return undefined
    const plan = this.#partitions[partition]!.plan
    return !plan || sameProcess(plan.master, this.#options.self) ? this : undefined
  }

  /** A strong copy is never asked alone. */
  answersReads(): boolean {
    return false
  }

  serve(now: number, request: ClientRequest): void {
    const { facts } = request
    const machine = this.#partitions[facts.partition]!
    if (!machine.plan) return this.#serveUnavailable(request)
    if (!machine.isServing) return request.refuse()
    machine.execute(now, this.#operationOf(request))
    this.#touched.add(facts.partition)
  }

  /** Partitions that this node leads and in which it does not serve yet, or fills. */
  get unsettled(): number {
    return this.#unsettled.size
  }

  /** Partitions that another view would leave with fewer copies, or to another master. */
  get misplaced(): number {
    return this.#misplaced
  }

  /** Deletes what has expired, and drops tombstones that nobody can need for a delta. */
  #sweep(now: number, partition: number): void {
    const machine = this.#partitions[partition]!
    const { plan } = machine
    if (!plan) return
    if (machine.isServing) {
      for (const digest of this.store.expired(partition, sweptAtOnce)) {
        const run = (position: Position) => this.store.expire(partition, digest, position)
        machine.execute(now, { digest, kind: 'write', run, answer: () => undefined })
      }
    }
    const { inForce, pending } = plan.rosters
    const members = this.#plans?.view.members ?? []
    const isHere = ({ id, incarnation }: Seat) =>
      members.some((member) => member.id === id && member.incarnation === incarnation)
    if (!pending && inForce.seats.every(isHere)) machine.dropTombstones(sweptAtOnce)
    this.#touched.add(partition)
  }

  /** Partitions whose master in this view is this node. */
  *#led(): Iterable<number> {
    for (const [partition, { leads }] of this.#partitions.entries()) if (leads) yield partition
  }

  #operationOf(request: ClientRequest): Operation {
    const { facts, request: body } = request
    let frame: Buffer | undefined
    return {
      digest: facts.digest.toString('latin1'),
      kind: facts.writes ? 'write' : facts.strongRead === StrongRead.LINEARIZE ? 'read' : 'session read',
      run: (position) => {
        const { answer, wrote } = this.store.run(body, facts.partition, position)
        frame = answer
        return wrote
      },
      answer: (answer) => {
        if (answer.kind === 'ok') request.answer(frame!)
        else if (answer.kind === 'in doubt') request.answer(bareAnswer(ResultCode.TIMEOUT))
        else if (answer.why === 'unavailable') request.refuse()
        else if (answer.why === 'key busy') request.answer(bareAnswer(ResultCode.KEY_BUSY))
        else request.answer(bareAnswer(ResultCode.DEVICE_OVERLOAD))
      },
    }
  }

  #serveUnavailable(request: ClientRequest): void {
    const { facts } = request
    const mayBeStale = !facts.writes && facts.strongRead === StrongRead.ALLOW_UNAVAILABLE
    request.answer(
      mayBeStale ? this.store.execute(request.request).answer : bareAnswer(ResultCode.PARTITION_UNAVAILABLE),
    )
  }

  #hear(from: Process, partition: number, body: StrongBody<Content>): void {
    const machine = this.#partitions[partition]
    if (!machine) return
    machine.hear(from, body)
    machine.advance()
    this.#touched.add(partition)
  }

  /** Takes what the partition has to say. */
  #collect(partition: number, mail: Map<NodeId, Mail<Content>>): void {
    const machine = this.#partitions[partition]!
    for (const { to, message } of machine.take()) {
      let each = mail.get(to.id)
      if (!each) mail.set(to.id, (each = { bodies: [], alike: new Map<StrongBody<Content>, number[]>() }))
      const { body } = message
      if (!isAlike(body)) {
        each.bodies.push([partition, body])
        continue
      }
      const known = each.alike.get(body)
      if (known) known.push(partition)
      else each.alike.set(body, [partition])
    }
    if (machine.isIdle) this.#busy.delete(partition)
    else this.#busy.add(partition)
    if (this.#bringingUp.size > 0 && !machine.isBringingUp) this.#bringingUp.delete(partition)
    // Within a view what is filled stays so.
    if (this.#unsettled.has(partition)) {
      if (machine.isFilled) {
        this.#unsettled.delete(partition)
        this.#filling.delete(partition)
      } else if (machine.isServing) this.#filling.add(partition)
    }
  }

  #send(to: NodeId, { bodies, alike }: Mail<Content>): void {
    const view = this.#view
    if (view === undefined) return
    const batch = { kind: 'strong', view, namespace: this.name } as const
    if (alike.size > 0) {
      const same = [...alike].map(([body, partitions]) => [packed(partitions), body] as const)
      this.#options.send(to, { ...batch, bodies: [], alike: same })
    }
    for (let at = 0; at < bodies.length; at += bodiesPerMessage) {
      const some = bodies.slice(at, at + bodiesPerMessage)
      this.#options.send(to, { ...batch, bodies: some, alike: [] })
    }
  }
}

/** What is to go to one node. */
interface Mail<Content> {
  readonly bodies: [number, StrongBody<Content>][]
  readonly alike: Map<StrongBody<Content>, number[]>
}

function packed(partitions: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(2 * partitions.length)
  for (const [i, partition] of partitions.entries()) bytes.writeUInt16LE(partition, 2 * i)
  return bytes
}

/** Of a partition that may not serve. */
const nowhere: Place = { order: [], replicas: [], master: '', holders: [] }
