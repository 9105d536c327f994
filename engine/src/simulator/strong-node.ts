/** One node of a short schedule: the real view and partition machines on a disk that may lose what was not synced. */
import { processKey, sameProcess, type Process } from '../cluster/process.ts'
import { viewNumberOf } from '../cluster/regime.ts'
import { type CopyReport, type Durability, planOf, type SingleInput } from '../cluster/strong/activation.ts'
import type { CopyMeta } from '../cluster/strong/copy-disk.ts'
import { blankMeta, closed } from '../cluster/strong/copy-meta.ts'
import type { Lineage } from '../cluster/strong/lineage.ts'
import type { StrongMessage } from '../cluster/strong/message.ts'
import { StrongPartition } from '../cluster/strong/partition.ts'
import type { RosterWish } from '../cluster/strong/roster.ts'
import { compareViewIds, noView, viewKey, type ViewId } from '../cluster/view-id.ts'
import { Views, type ViewMessage, type ViewRecord } from '../cluster/views.ts'
import { Standstills } from '../cluster/strong/standstill.ts'
import type { Clock } from './clock.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import { type NewDisk, type ScheduledDisk } from './strong-disk.ts'
import { noLineage } from '../cluster/strong/lineage.ts'
import type { Copy } from './strong-history.ts'
import type { StrongWitness } from './strong-witness.ts'

export type StrongParcel = { readonly from: Process; readonly toStart: string } & (
  | { readonly kind: 'view'; readonly message: ViewMessage<CopyReport, SingleInput> }
  | { readonly kind: 'strong'; readonly message: StrongMessage<string> }
)

export interface StrongWorld {
  readonly clock: Clock
  readonly random: Random
  readonly network: Network<StrongParcel>
  readonly witness: StrongWitness
  readonly durability: Durability
  readonly partition: number
  /** Longest sync, but for one in twenty, which may take six times as long. */
  readonly diskDelay: number
  readonly newDisk: NewDisk
  /** What an operator has asked for; whoever leads next takes it. */
  wish: RosterWish | undefined
  say: (node: string, text: () => string) => void
}

/** Milliseconds that a slow promise takes in addition. */
const slowPromise = 100_000

export class StrongNode {
  readonly id: string
  readonly #world: StrongWorld
  incarnation: string
  disk: ScheduledDisk
  #promised: ViewId = noView
  #process: Process | undefined
  #views: Views<CopyReport, SingleInput> | undefined
  #standstills = new Standstills(100)
  #partition: StrongPartition<string> | undefined
  #paused: (() => void)[] | undefined
  #wasServing = false
  /** Its promises reach the disk later than anything else. */
  promisesSlowly = false

  constructor(id: string, world: StrongWorld) {
    this.id = id
    this.#world = world
    this.incarnation = world.random.id()
    this.disk = this.#newDisk(blankMeta, noLineage)
  }

  get process(): Process | undefined {
    return this.#process
  }

  get views(): Views<CopyReport, SingleInput> | undefined {
    return this.#views
  }

  get partition(): StrongPartition<string> | undefined {
    return this.#partition
  }

  get isPaused(): boolean {
    return this.#paused !== undefined
  }

  /** Puts a copy on its disk as it is when the namespace begins. */
  found(meta: CopyMeta, lineage: Lineage): void {
    this.disk = this.#newDisk(meta, lineage)
  }

  start(): void {
    if (this.#process) return
    const { random, say } = this.#world
    const self = { id: this.id, incarnation: this.incarnation, start: random.id() }
    this.#process = self
    this.#standstills = new Standstills(100)
    this.#partition = new StrongPartition({
      self,
      durability: this.#world.durability,
      disk: this.disk,
      standstills: this.#standstills,
      mayFill: () => true,
      given: () => undefined,
      weigh: (content) => content.length,
    })
    this.#views = new Views({
      self,
      promised: this.#promised,
      report: () => this.#partition!.report(),
      decide: (members, reports) => this.#decide(members, reports),
    })
    say(this.id, () => `starts as ${self.incarnation}.${self.start}, ${this.#belief()}`)
  }

  /** The process ends, and the disk loses what chance wills. */
  crash(): void {
    if (!this.#process) return
    this.#world.say(this.id, () => 'crashes')
    this.#end()
    this.#world.witness.stopsUncleanly(this.disk)
    this.disk.losePower(this.#world.random)
  }

  stopCleanly(): void {
    if (!this.#process || this.#paused) return
    this.#world.say(this.id, () => 'stops cleanly')
    this.#end()
    this.disk.keep(closed(this.disk.meta))
    this.disk.syncAll()
  }

  loseDisk(): void {
    this.#end()
    this.incarnation = this.#world.random.id()
    this.disk = this.#newDisk(blankMeta, noLineage)
    this.#promised = noView
    this.#world.say(this.id, () => `lost its disk, now ${this.incarnation}`)
  }

  pause(): void {
    if (this.#process) this.#paused ??= []
  }

  resume(): void {
    const held = this.#paused ?? []
    this.#paused = undefined
    for (const run of held) this.#run(run)
  }

  propose(members: readonly Process[]): void {
    const { say } = this.#world
    this.#turn(() => {
      this.#views!.propose(members)
      say(
        this.id,
        () => `proposes ${viewKey(this.#views!.promised)} to ${members.map(({ id }) => id).join(' ')}`,
      )
    })
  }

  /** Ends the round this node leads with those who have promised. */
  settle(): void {
    this.#turn(() => this.#views!.settle())
  }

  tick(): void {
    this.#turn(() => {
      const views = this.#views!
      views.repeat()
      const record = views.active
      for (const member of record?.members ?? []) {
        if (record!.id.leader === this.id && !sameProcess(member, this.#process!)) views.repeatCommit(member)
      }
      this.#standstills.tick(this.#world.clock.now)
      this.#partition!.advance()
      this.#partition!.repeat()
    })
  }

  /** Does something with the partition, and sends what comes of it. */
  use(run: (copy: Copy, now: number) => void): void {
    this.#turn(() => run({ partition: this.#partition!, disk: this.disk }, this.#world.clock.now))
  }

  receive(parcel: StrongParcel): void {
    this.#turn(() => {
      if (parcel.toStart !== this.#process!.start) return
      if (parcel.kind === 'view') this.#views!.receive(parcel.from, parcel.message)
      else this.#partition!.receive(parcel.from, parcel.message)
    })
  }

  #turn(run: () => void): void {
    if (!this.#process) return
    this.#run(() => {
      run()
      this.#settleTurn()
    })
  }

  #run(run: () => void): void {
    if (this.#paused) this.#paused.push(run)
    else run()
  }

  /** Runs it later in this process, if that lives then. */
  #later(delay: number, run: () => void): void {
    const self = this.#process
    this.#world.clock.after(delay, () => {
      if (this.#process !== self || !self) return
      this.#run(() => {
        if (this.#process === self) run()
        this.#settleTurn()
      })
    })
  }

  #settleTurn(): void {
    const views = this.#views
    const partition = this.#partition
    if (!views || !partition) return
    const { network, say, witness } = this.#world
    if (!views.active) partition.leave()
    for (const output of views.take()) {
      if (output.kind === 'send') {
        const { to, message } = output
        network.send(this.id, to.id, { from: this.#process!, toStart: to.start, kind: 'view', message })
      } else if (output.kind === 'store') {
        this.#later(this.#syncTime() + (this.promisesSlowly ? slowPromise : 0), () => {
          if (compareViewIds(output.promised, this.#promised) > 0) this.#promised = output.promised
          views.stored(output.promised)
        })
      } else this.#enter(output.record)
    }
    for (const { to, message } of partition.take()) {
      say(this.id, () => `to ${to.id}: ${describe(message)}`)
      network.send(this.id, to.id, { from: this.#process!, toStart: to.start, kind: 'strong', message })
    }
    if (partition.isServing && !this.#wasServing) witness.serves(this)
    this.#wasServing = partition.isServing
  }

  #enter(record: ViewRecord<SingleInput>): void {
    const { say, witness } = this.#world
    const partition = this.#partition!
    this.#wasServing = false
    const { members, input } = record
    const plan = planOf(record, this.#world.partition, this.#world.durability)
    const lineageOf = (process: Process) =>
      input.reports[members.findIndex((member) => sameProcess(member, process))]!.lineage
    partition.enter(plan && { plan, members, lineageOf })
    witness.enters(record.id, plan)
    say(this.id, () => {
      const ids = (processes: readonly Process[]) => processes.map(({ id }) => id).join(' ')
      const role = plan
        ? `master ${plan.master.id}, complete ${ids(plan.complete)} of ${ids(plan.replicas)}, starts from ${plan.source.id} at ${plan.start.state.sequence} of ${viewNumberOf(plan.start.state.regime)}`
        : 'may not serve'
      return `enters ${viewKey(record.id)} with ${ids(record.members)}: ${role}`
    })
  }

  #decide(members: readonly Process[], reports: ReadonlyMap<string, CopyReport>): SingleInput {
    const { wish } = this.#world
    this.#world.wish = undefined
    return { reports: members.map((member) => reports.get(processKey(member))!), ...(wish && { wish }) }
  }

  #newDisk(meta: CopyMeta, lineage: Lineage): ScheduledDisk {
    const later = (run: () => void) => this.#later(this.#syncTime(), run)
    return this.#world.newDisk({ later, turn: (run) => this.#turn(run) }, meta, lineage)
  }

  #syncTime(): number {
    const { random, diskDelay } = this.#world
    return random.between(0.1, random.chance(0.05) ? 6 * diskDelay : diskDelay)
  }

  #end(): void {
    this.#process = undefined
    this.#views = undefined
    this.#partition = undefined
    this.#paused = undefined
    this.#wasServing = false
  }

  #belief(): string {
    const { lineage, meta } = this.disk
    const claims = meta.claims.map(({ number }) => number).join(' ')
    return `at ${lineage.state.sequence} of ${viewNumberOf(lineage.state.regime)}, complete as of ${claims}${meta.unclean ? ', unclean' : ''}`
  }
}

function describe({ view, body }: StrongMessage<string>): string {
  const { kind, ...rest } = body
  return `${kind} (${view.number}) ${JSON.stringify(rest, (key, value: unknown) => (key === 'regime' && typeof value === 'number' ? viewNumberOf(value) : value))}`
}
