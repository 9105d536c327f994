/** One node of a membership run: the real machine, a disk of one cell that may be slow, crashes and pauses. */
import { Membership, type MembershipMessage, type MembershipOutput } from '../cluster/membership.ts'
import type { Process } from '../cluster/process.ts'
import { noView, viewKey, type ViewId } from '../cluster/view-id.ts'
import type { Clock } from './clock.ts'
import type { Network } from './network.ts'
import type { MembershipWitness } from './membership-witness.ts'
import type { Random } from './random.ts'
import { Standstill } from './standstill.ts'
import { type FaultyNode, quickDisk } from './storm.ts'

/** What a node reports and what a record carries: enough to see who took part. */
export type Report = string
export type Input = readonly string[]

export type Parcel = { readonly from: Process } & (
  | { readonly kind: 'membership'; readonly message: MembershipMessage<Report, Input> }
  | { readonly kind: 'probe'; readonly view: ViewId }
)

export interface MembershipWorld {
  readonly clock: Clock
  readonly random: Random
  readonly network: Network<Parcel>
  readonly witness: MembershipWitness
  readonly ids: readonly string[]
  readonly say: (node: string, text: string) => void
}

export const interval = 100
export const timeout = 600

export class MembershipNode implements FaultyNode {
  readonly id: string
  readonly #world: MembershipWorld
  #incarnation: string
  #durable: ViewId = noView
  #process: Process | undefined
  #machine: Membership<Report, Input> | undefined
  readonly #standstill = new Standstill()
  /** When the disk has written all it was given. */
  #diskFree = 0
  /** Longest sync in milliseconds. */
  diskDelay = quickDisk

  constructor(id: string, world: MembershipWorld) {
    this.id = id
    this.#world = world
    this.#incarnation = world.random.id()
  }

  /** When the last slow write ends. */
  get diskFree(): number {
    return this.#diskFree
  }

  get machine(): Membership<Report, Input> | undefined {
    return this.#machine
  }

  start(): void {
    if (this.#machine) return
    const { random, ids, say } = this.#world
    const self = { id: this.id, incarnation: this.#incarnation, start: random.id() }
    this.#process = self
    this.#machine = new Membership({
      self,
      promised: this.#durable,
      report: () => self.start,
      decide: (members, reports) => members.map((member) => `${member.id} ${[...reports.values()].length}`),
      cluster: 'simulated',
      seeds: ids,
      interval,
      timeout,
      random: () => random.fraction(),
    })
    say(this.id, `starts as ${self.start}, has promised ${viewKey(this.#durable)}`)
    this.#tick(self)
  }

  /** Its disk keeps what was written, however it ends. */
  crash(): void {
    if (!this.#machine) return
    this.#machine = undefined
    this.#process = undefined
    this.#standstill.forget()
    this.#diskFree = 0
    this.#world.say(this.id, 'crashes')
  }

  loseDisk(): void {
    this.crash()
    this.#durable = noView
    this.#incarnation = this.#world.random.id()
    this.#world.say(this.id, 'loses its disk')
  }

  pause(): void {
    if (!this.#machine || this.#standstill.isStill) return
    this.#standstill.begin()
    this.#world.say(this.id, 'stands still')
  }

  resume(): void {
    if (!this.#standstill.isStill) return
    this.#world.say(this.id, 'goes on')
    this.#standstill.end()
  }

  renew(): void {
    this.#machine?.renew()
  }

  receive(parcel: Parcel): void {
    const self = this.#process
    if (self) this.#do(self, () => this.#handle(self, parcel))
  }

  /** Asks all others whether they are still in our view, as a linearizable read does. */
  probe(): void {
    const view = this.#machine?.active?.id
    if (!view || !this.#process) return
    for (const to of this.#world.ids) {
      if (to !== this.id) this.#world.network.send(this.id, to, { from: this.#process, kind: 'probe', view })
    }
  }

  #handle(self: Process, parcel: Parcel): void {
    const { clock, witness } = this.#world
    if (parcel.kind === 'membership') {
      this.#run(self, this.#machine!.receive(clock.now, parcel.from, parcel.message))
    } else {
      const active = this.#machine!.active
      if (active && viewKey(active.id) === viewKey(parcel.view)) witness.acknowledged(self, parcel.view)
    }
  }

  #tick(self: Process): void {
    this.#do(self, () => {
      this.#run(self, this.#machine!.tick(this.#world.clock.now))
      this.#world.clock.after(this.#world.random.between(5, 20), () => this.#tick(self))
    })
  }

  /** Runs it in this start of the node, after the pause if there is one. */
  #do(self: Process, run: () => void): void {
    if (this.#process === self) this.#standstill.run(run)
  }

  #run(self: Process, outputs: MembershipOutput<Report, Input>[]): void {
    const { clock, network, random, witness, say } = this.#world
    for (const output of outputs) {
      if (output.kind === 'send') {
        const { message } = output
        witness.sent(self, this.#durable, message)
        if (message.kind === 'view') say(this.id, `to ${output.to}: ${describe(message)}`)
        network.send(this.id, output.to, { from: self, kind: 'membership', message })
      } else if (output.kind === 'store') {
        const { promised } = output
        // One after the other, as to one file.
        this.#diskFree = Math.max(clock.now, this.#diskFree) + random.between(0.1, this.diskDelay)
        clock.after(this.#diskFree - clock.now, () => {
          // What the process handed to its disk before a pause is written during it; a crash loses it.
          if (this.#process !== self) return
          this.#durable = promised
          this.#do(self, () => this.#run(self, this.#machine!.stored(clock.now, promised)))
        })
      } else {
        witness.entered(self, output.record)
        const members = output.record.members.map((member) => member.id).join(' ')
        say(this.id, `enters ${viewKey(output.record.id)}: ${members}`)
      }
    }
  }
}

function describe(message: MembershipMessage<Report, Input>): string {
  if (message.kind !== 'view') return message.kind
  const inner = message.message
  switch (inner.kind) {
    case 'propose':
      return `propose ${viewKey(inner.view)} with ${inner.members.map((member) => member.id).join(' ')}`
    case 'promise':
      return `promise ${viewKey(inner.view)}`
    case 'refuse':
      return `refuse ${viewKey(inner.view)}, promised ${viewKey(inner.promised)}`
    case 'commit':
      return `commit ${viewKey(inner.record.id)}`
    case 'try':
    case 'tried':
      return `${inner.kind} ${inner.number}`
  }
}
