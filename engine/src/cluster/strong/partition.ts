/**
 * One node's copy of one strongly consistent partition, view after view. It reports to promises, writes the activation
 * of a view that may serve, is brought to the starting state, and then leads or follows. From the node's next promise on
 * it does nothing of the view (rules V2, V3): `leave` is called as the promise begins.
 */
import { sameProcess, type Process } from '../process.ts'
import type { NodeId } from '../node-id.ts'
import { regimeOf } from '../regime.ts'
import { sameView } from '../view-id.ts'
import { serving, written } from './alike.ts'
import { includesProcess, type CopyReport, type Durability, type Plan } from './activation.ts'
import { BringUp } from './bring-up.ts'
import type { CopyDisk } from './copy-disk.ts'
import { isServed, recovered, withActivation, withServed } from './copy-meta.ts'
import { holds, type Lineage } from './lineage.ts'
import { type Answer, Master, type Operation, type PendingWrite } from './master.ts'
import type { StrongBody, StrongMessage } from './message.ts'
import type { PartitionContext } from './partition-context.ts'
import { laterPosition, type Position } from './position.ts'
import { Replica } from './replica.ts'
import type { Standstills } from './standstill.ts'
import { isTruncated } from './truncation.ts'

export interface StrongPartitionOptions<Content> {
  readonly self: Process
  readonly durability: Durability
  readonly disk: CopyDisk<Content>
  /** As the disk's, for what is written before a view serves; it may wait for other partitions. */
  readonly whenActivationSynced?: CopyDisk<Content>['whenSynced']
  readonly standstills: Standstills
  /** Whether another piece of a fill may be read for that replica now. */
  readonly mayFill: (to: Process) => boolean
  /** So many bytes more of fills are on their way to that replica, or fewer. */
  readonly given: (to: Process, bytes: number) => void
  /** Bytes that it takes on the way, about. */
  readonly weigh: (content: Content) => number
}

/** What a partition has to know of a view that activates it. */
export interface PartitionView {
  readonly plan: Plan
  readonly members: readonly Process[]
  /** As reported with the promise. */
  readonly lineageOf: (process: Process) => Lineage
}

export interface StrongOutput<Content> {
  readonly to: Process
  readonly message: StrongMessage<Content>
}

/** What a machine has in one view that activates the partition. */
interface Acting<Content> extends PartitionView {
  readonly bringUp: BringUp<Content>
  /** Ids of members whose activation is on disk; the master's. */
  readonly written: Set<NodeId>
  readonly replica: Replica<Content>
  /** This process is the master. */
  readonly leads: boolean
  isWritten: boolean
  /** It is known that the regime has served. */
  isServed: boolean
  master: Master<Content> | undefined
}

export class StrongPartition<Content> {
  readonly #options: StrongPartitionOptions<Content>
  #acting: Acting<Content> | undefined
  /** Of an earlier view: answered when a later one serves (rule W2). */
  #limbo: PendingWrite[] = []
  /** How often the process had stood still when the view was last confirmed (rule L3). */
  #trusted = 0
  #outputs: StrongOutput<Content>[] = []

  constructor(options: StrongPartitionOptions<Content>) {
    this.#options = options
    const { disk, durability } = options
    const meta = recovered(disk.meta, durability)
    if (meta !== disk.meta) disk.keep(meta)
  }

  get plan(): Plan | undefined {
    return this.#acting?.plan
  }

  /** It is the master of the view, whether or not it serves yet. */
  get leads(): boolean {
    return this.#acting?.leads === true
  }

  get isServing(): boolean {
    return this.#acting?.master !== undefined
  }

  /** All replicas are complete: a view of the same members may drop copies that are no longer needed. */
  get isFilled(): boolean {
    return this.#acting?.master?.isFilled === true
  }

  report(): CopyReport {
    const { disk } = this.#options
    const { rosters, activations, claims, served, unclean } = disk.meta
    return { rosters, activations, claims, served, unclean, lineage: disk.lineage }
  }

  /** Without a view: the partition may not serve in the one that begins. */
  enter(view: PartitionView | undefined): void {
    const { self, standstills } = this.#options
    this.leave()
    if (!view) return
    const { plan, lineageOf } = view
    const context = this.#context(plan)
    const acting: Acting<Content> = {
      ...view,
      bringUp: new BringUp(context, lineageOf, () => this.#write(plan)),
      written: new Set(),
      replica: new Replica(context),
      leads: sameProcess(plan.master, self),
      isWritten: false,
      isServed: isServed(this.#options.disk.meta, plan.activation.regime),
      master: undefined,
    }
    this.#acting = acting
    this.#trusted = standstills.count
    if (!includesProcess(plan.complete, self)) this.#write(plan)
    acting.bringUp.tick()
  }

  /** The node has promised another view. */
  leave(): void {
    const acting = this.#acting
    if (!acting) return
    this.#acting = undefined
    this.#limbo.push(...(acting.master?.leave() ?? []))
  }

  /** This copy is to get to the starting state and is not there yet. */
  get isBringingUp(): boolean {
    return this.#acting?.bringUp.isOver === false
  }

  /** Nothing is to be repeated and nothing to be filled. */
  get isIdle(): boolean {
    const acting = this.#acting
    if (!acting) return true
    return acting.isServed && acting.bringUp.isOver && (acting.master?.isIdle ?? true)
  }

  /** Goes on with fills. */
  advance(): void {
    this.#acting?.master?.advance()
  }

  /** Says again what has not been answered; to be called now and then while it is not idle. */
  repeat(): void {
    const acting = this.#acting
    if (!acting) return
    acting.bringUp.tick()
    acting.master?.repeat()
    if (acting.isWritten && !acting.isServed) this.#sayWritten(acting)
  }

  /** From another process; dropped unless it is of the view that this one acts in, and between its members. */
  receive(from: Process, message: StrongMessage<Content>): void {
    const acting = this.#acting
    if (!acting || !sameView(message.view, acting.plan.activation.regime)) return
    if (includesProcess(acting.members, from)) this.#receive(acting, from, message.body)
  }

  /** The same from a member of the view that this process acts in, said in that view. */
  hear(from: Process, body: StrongBody<Content>): void {
    if (this.#acting) this.#receive(this.#acting, from, body)
  }

  /** A session read is never older than what its session has read in this or a later regime; a client compares them. */
  execute(now: number, operation: Operation): void {
    const master = this.#acting?.master
    if (!master) return operation.answer({ kind: 'refused', why: 'unavailable' })
    if (operation.kind !== 'session read') return master.execute(operation)
    const standstills = this.#options.standstills.look(now)
    if (standstills === this.#trusted) return master.execute(operation)
    master.whenConfirmed(() => (this.#trusted = standstills))
    master.execute({ ...operation, kind: 'read' })
  }

  truncate(set: string, number: number, answer: (answer: Answer) => void): void {
    const master = this.#acting?.master
    if (master) master.truncate(set, number, answer)
    else answer({ kind: 'refused', why: 'unavailable' })
  }

  /** All replicas have what was written with this position, which this copy has. */
  hasAcknowledged({ regime, sequence }: Position): boolean {
    const acting = this.#acting
    if (!acting?.master) return false
    return regime < regimeOf(acting.plan.activation.regime) || sequence <= acting.master.acknowledged
  }

  /** Drops deletes, and what is truncated, that every complete copy has acknowledged (rules F5, T1); up to that many. */
  dropTombstones(count: number): void {
    const acting = this.#acting
    const { disk } = this.#options
    if (!acting?.isServed || !(acting.master || acting.replica.follows)) return
    // A delta under way would not say that the record is gone.
    if (acting.master && !acting.master.isFilled) return
    const sequence = acting.master?.acknowledged ?? acting.replica.acknowledgedByAll
    const limit = { regime: regimeOf(acting.plan.activation.regime), sequence }
    const dropped = disk.droppable(limit, count)
    if (dropped.length === 0) return
    let { horizon } = disk
    for (const digest of dropped) {
      const version = disk.find(digest)
      // Whoever gets a delta gets the truncation, too: what one of all sets hides is not missed. Of one set it may be,
      // by a copy that has the record in another.
      if (version && !isTruncated(disk.truncations, '', version.position))
        horizon = laterPosition(horizon, version.position)
    }
    disk.apply({ entries: dropped.map((digest) => [digest, undefined] as const), horizon })
    acting.master?.sayAcknowledged()
  }

  /** What is to be sent; to be called at the end of each turn. */
  take(): readonly StrongOutput<Content>[] {
    this.#acting?.master?.flush()
    const outputs = this.#outputs
    if (outputs.length > 0) this.#outputs = []
    return outputs
  }

  #receive(acting: Acting<Content>, from: Process, body: StrongBody<Content>): void {
    const isFromMaster = sameProcess(from, acting.plan.master)
    switch (body.kind) {
      case 'held':
        return acting.bringUp.held(from, body.digests)
      case 'unit':
        return acting.bringUp.unit(body.unit)
      case 'written':
        return this.#memberWrote(acting, from)
      case 'serving':
        return this.#serves(acting)
      case 'stream':
        if (!isFromMaster) return
        this.#serves(acting)
        return acting.replica.receive(body.first, body.items, body.acknowledged)
      case 'acknowledge':
        return acting.master?.acknowledge(from, body.item, body.held)
      case 'confirm':
        return this.#send(acting.plan, from, { kind: 'confirmed', round: body.round })
      case 'confirmed':
        return acting.master?.confirmed(from, body.round)
    }
  }

  /** Writes the activation; a complete copy has reached the starting state. */
  #write(plan: Plan): void {
    const { self, disk } = this.#options
    const isComplete = includesProcess(plan.complete, self)
    const write = () => {
      disk.keep(withActivation(disk.meta, plan, isComplete))
      this.#whenActivationSynced(plan, 'meta', () => this.#written())
    }
    if (isComplete && plan.activation.synced) this.#whenActivationSynced(plan, 'data', write)
    else write()
  }

  #written(): void {
    const acting = this.#acting!
    acting.isWritten = true
    this.#sayWritten(acting)
  }

  #sayWritten(acting: Acting<Content>): void {
    if (acting.leads) this.#memberWrote(acting, this.#options.self)
    else this.#send(acting.plan, acting.plan.master, written)
  }

  #memberWrote(acting: Acting<Content>, from: Process): void {
    const { self } = this.#options
    const { plan, members, written } = acting
    if (acting.master) return this.#send(plan, from, serving)
    if (!acting.leads) return
    written.add(from.id)
    if (written.size < members.length) return
    this.#serves(acting)
    acting.master = new Master(this.#context(plan), acting.lineageOf)
    for (const member of members) if (!sameProcess(member, self)) this.#send(plan, member, serving)
  }

  /** It is known now that this regime has served. */
  #serves(acting: Acting<Content>): void {
    if (acting.isServed) return
    acting.isServed = true
    const { disk } = this.#options
    disk.keep(withServed(disk.meta, acting.plan.activation.regime))
    this.#doubt(acting.plan)
  }

  /** Answers what an earlier view left open: ok if the regime that serves now began with it. */
  #doubt({ start }: Plan): void {
    if (this.#limbo.length === 0) return
    for (const { position, answer } of this.#limbo.splice(0))
      answer(holds(start, position) ? { kind: 'ok', position } : { kind: 'in doubt' })
  }

  /** What comes before the view serves, while it is the one that the node acts in. */
  #whenActivationSynced(plan: Plan, file: 'data' | 'meta', done: () => void): void {
    const { disk, whenActivationSynced } = this.#options
    const run = () => {
      if (this.#acting?.plan === plan) done()
    }
    if (whenActivationSynced) whenActivationSynced(file, run)
    else disk.whenSynced(file, run)
  }

  #context(plan: Plan): PartitionContext<Content> {
    const { self, disk, mayFill, given, weigh } = this.#options
    return {
      ...{ self, plan, disk, mayFill, given, weigh },
      send: (to, body) => this.#send(plan, to, body),
      whenSynced: (file, done) =>
        disk.whenSynced(file, () => {
          if (this.#acting?.plan === plan) done()
        }),
    }
  }

  #send(plan: Plan, to: Process, body: StrongBody<Content>): void {
    this.#outputs.push({ to, message: { version: 1, view: plan.activation.regime, body } })
  }
}
