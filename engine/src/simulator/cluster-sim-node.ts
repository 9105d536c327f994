/**
 * One node of a simulated cluster: the production machines over a real namespace, whose store is in memory or on a
 * simulated disk; with crashes, power failures, lost disks, pauses and a clock of its own.
 */
import { ClusterNode, type NodeOutput } from '../cluster/cluster-node.ts'
import type { SavedCopy } from '../cluster/ap-namespace.ts'
import { NamespaceCopies } from '../cluster/namespace-copies.ts'
import type { Process } from '../cluster/process.ts'
import { noView, viewKey, type ViewId } from '../cluster/view-id.ts'
import { Namespace } from '../namespace/namespace.ts'
import { newView } from '../storage/record.ts'
import { RecordStore } from '../storage/record-store.ts'
import {
  beatInterval,
  beatTimeout,
  type ClusterParcel,
  type ClusterWorld,
  epoch,
  namespaceName,
} from './cluster-world.ts'
import { describeMessage } from './describe-message.ts'
import { SimulatedDisk } from './disk.ts'

interface Running {
  readonly self: Process
  readonly node: ClusterNode
  readonly copies: NamespaceCopies
  readonly store: RecordStore
}

/** What stands in the node's own file. */
interface Saved {
  promised: ViewId
  copies: Readonly<Record<string, SavedCopy[]>>
}

const tombstoneLife = 86_400_000

export class ClusterSimNode {
  readonly id: string
  readonly #world: ClusterWorld
  #incarnation: string
  #saved: Saved = { promised: noView, copies: {} }
  #disk: SimulatedDisk
  #running: Running | undefined
  #starting: object | undefined
  #paused: (() => void)[] | undefined
  /** When the node's file has all it was given. */
  #fileFree = 0
  /** Milliseconds that its clock is ahead. */
  skew = 0
  /** Longest write to its file in milliseconds. */
  diskDelay = 3

  constructor(id: string, world: ClusterWorld) {
    this.id = id
    this.#world = world
    this.#incarnation = world.random.id()
    this.#disk = new SimulatedDisk({ random: () => world.random.fraction() })
  }

  get running(): Running | undefined {
    return this.#running
  }

  get isPaused(): boolean {
    return this.#paused !== undefined
  }

  get fileFree(): number {
    return this.#fileFree
  }

  async start(): Promise<void> {
    if (this.#running || this.#starting) return
    const { random, ids, durability, say, clock } = this.#world
    const token = (this.#starting = {})
    const self = { id: this.id, incarnation: this.#incarnation, start: random.id() }
    const store = await this.#openStore()
    if (this.#starting !== token) return
    this.#starting = undefined
    const copies = new NamespaceCopies(this.#namespace(store), this.#world.partitions)
    // Only what was synced before it was acknowledged is what the file says it is.
    const saved = durability === 'commit' ? this.#saved.copies[namespaceName] : undefined
    const node = new ClusterNode({
      self,
      cluster: 'simulated',
      seeds: ids,
      interval: beatInterval,
      timeout: beatTimeout,
      random: () => random.fraction(),
      promised: this.#saved.promised,
      rack: 0,
      namespaces: [
        {
          name: namespaceName,
          store: copies,
          replicationFactor: this.#world.replicationFactor,
          ...(saved ? { saved } : {}),
        },
      ],
    })
    this.#running = { self, node, copies, store }
    this.#fileFree = clock.now
    say(
      this.id,
      `starts as ${self.start}, has promised ${viewKey(this.#saved.promised)}, ${store.objects} records`,
    )
    this.#tick(this.#running)
  }

  /** The process ends; with a power failure also what was not synced. */
  crash(how: 'kill' | 'power'): void {
    if (!this.#running && !this.#starting) return
    const options = { random: () => this.#world.random.fraction() }
    this.#disk = how === 'power' ? this.#disk.losePower(options) : this.#disk.endProcess(options)
    this.#running = undefined
    this.#starting = undefined
    this.#paused = undefined
    this.#world.say(this.id, how === 'power' ? 'loses power' : 'is killed')
  }

  loseDisk(): void {
    this.crash('kill')
    this.#saved = { promised: noView, copies: {} }
    this.#incarnation = this.#world.random.id()
    this.#disk = new SimulatedDisk({ random: () => this.#world.random.fraction() })
    this.#world.say(this.id, 'loses its disk')
  }

  pause(): void {
    if (!this.#running || this.#paused) return
    this.#paused = []
    this.#world.say(this.id, 'stands still')
  }

  resume(): void {
    const waiting = this.#paused
    this.#paused = undefined
    if (!waiting) return
    this.#world.say(this.id, 'goes on')
    for (const run of waiting) run()
  }

  receive(parcel: ClusterParcel): void {
    this.#do(this.#running, ({ node }) => {
      const { kind } = parcel.message
      if (kind !== 'heartbeat') this.#say(`from ${parcel.from.id}: ${describeMessage(parcel.message)}`)
      node.receive(this.#world.clock.now, parcel.from, parcel.message)
    })
  }

  /** A client's request; it gets no answer when the node ends before. */
  submit(body: Buffer, time: number, answer: (frame: Buffer) => void): void {
    const running = this.#running
    this.#do(running, ({ node }) => {
      node.routing.submit(this.#world.clock.now, namespaceName, body, time, (frame) => {
        if (this.#running === running) answer(frame)
      })
    })
  }

  /** Carries out what the node wants done; also after its disk has done something. */
  drain(): void {
    const running = this.#running
    if (!running || this.#paused) return
    for (const output of running.node.take()) this.#carryOut(running, output)
  }

  async #openStore(): Promise<RecordStore> {
    const { durability, partitions, random } = this.#world
    const files = {
      disk: this.#disk,
      folder: '/data',
      namespace: namespaceName,
      durability: durability === 'commit' ? ('commit' as const) : ('flush' as const),
      flushMs: 500,
      newIncarnation: () => random.id(),
    }
    return RecordStore.open({
      clock: () => this.#wallClock(),
      stopwatch: () => 0,
      memoryLimit: 1 << 28,
      partitions,
      segmentBytes: 1 << 16,
      tombstoneLife,
      ...(durability === 'none' ? {} : { files }),
    })
  }

  #namespace(store: RecordStore): Namespace {
    const settings = {
      defaultTtl: 0,
      nsupPeriod: 0,
      allowTtlWithoutNsup: false,
      maxRecordSize: 1 << 20,
      disallowNullSetname: false,
      rejectNonXdrWrites: false,
      rejectXdrWrites: false,
      defaultReadTouchTtlPct: 0,
    }
    return new Namespace(namespaceName, settings, store, () => this.#wallClock(), newView())
  }

  #wallClock(): number {
    return Math.floor(epoch + this.#world.clock.now + this.skew)
  }

  #tick(running: Running): void {
    this.#do(running, ({ node, store }) => {
      const { clock, random } = this.#world
      node.tick(clock.now)
      store.runSlice(this.#wallClock(), 1)
      clock.after(random.between(5, 20), () => this.#tick(running))
    })
  }

  /** Runs it in this start of the node, after the pause if there is one. */
  #do(running: Running | undefined, run: (running: Running) => void): void {
    if (!running || this.#running !== running) return
    if (this.#paused) this.#paused.push(() => this.#do(running, run))
    else {
      run(running)
      this.drain()
    }
  }

  #carryOut(running: Running, output: NodeOutput): void {
    const { clock, network, witness } = this.#world
    const { self, node } = running
    switch (output.kind) {
      case 'send': {
        const { message } = output
        if (message.kind === 'heartbeat' || message.kind === 'view') {
          witness.sent(self, this.#saved.promised, message)
        }
        return network.send(this.id, output.to, { from: self, message })
      }
      case 'storePromise': {
        const { promised } = output
        return this.#write(running, { promised }, () => node.promiseStored(clock.now, promised))
      }
      case 'storeCopies':
        return this.#write(running, { copies: output.copies }, () =>
          node.copiesStored(clock.now, output.number),
        )
      case 'enter': {
        witness.entered(self, output.record)
        const members = output.record.members.map((member) => member.id).join(' ')
        this.#say(`enters ${viewKey(output.record.id)}: ${members}`)
      }
    }
  }

  /** To the node's file, one write after the other. */
  #write(running: Running, change: Partial<Saved>, done: () => void): void {
    const { clock, random } = this.#world
    this.#fileFree = Math.max(clock.now, this.#fileFree) + random.between(0.1, this.diskDelay)
    clock.after(this.#fileFree - clock.now, () => {
      if (this.#running !== running) return
      this.#saved = { ...this.#saved, ...change }
      this.#do(running, done)
    })
  }

  #say(text: string): void {
    this.#world.say(this.id, text)
  }
}
