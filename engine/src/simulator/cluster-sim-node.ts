/**
 * One node of a simulated cluster: the production machines over a real namespace, whose store is in memory or on a
 * simulated disk; with crashes, power failures, lost and failing disks, pauses and a clock of its own.
 */
import { ClusterNode, type NodeOutput } from '../cluster/cluster-node.ts'
import type { SavedCopies } from '../cluster/saved-copies.ts'
import { NamespaceCopies } from '../cluster/namespace-copies.ts'
import type { Process } from '../cluster/process.ts'
import { StrongCopies } from '../cluster/strong/strong-copies.ts'
import { StrongRecords } from '../cluster/strong/strong-records.ts'
import type { MetadataEntry } from '../cluster/system-metadata.ts'
import { noView, viewKey, type ViewId } from '../cluster/view-id.ts'
import { Namespace } from '../namespace/namespace.ts'
import { newNamespaceSettings } from '../namespace/namespace-config.ts'
import { newView } from '../storage/record.ts'
import { RecordStore } from '../storage/record-store.ts'
import { StorageError } from '../storage/storage-error.ts'
import { readWhole, writeWhole } from '../storage/whole-file.ts'
import {
  beatInterval,
  beatTimeout,
  type ClusterParcel,
  type ClusterWorld,
  epoch,
  namespaceName,
} from './cluster-world.ts'
import { describeMessage } from './describe-message.ts'
import { NodeDisk } from './node-disk.ts'
import { Standstill } from './standstill.ts'
import type { FaultyNode } from './storm.ts'

interface Running {
  readonly self: Process
  readonly node: ClusterNode
  readonly copies: NamespaceCopies
  readonly store: RecordStore
  /** Of a strong namespace. */
  readonly strong: StrongCopies | undefined
  /** What the cluster said of settings, by name. */
  readonly settings: ReadonlyMap<string, string>
}

/** What stands in the node's own file. */
interface Saved {
  readonly promised: ViewId
  readonly copies: Readonly<Record<string, SavedCopies>>
  readonly metadata: readonly MetadataEntry[]
}

/** What a node is configured with. */
export interface NodePlan {
  readonly replicationFactor: number
  readonly rack: number
}

const tombstoneLife = 86_400_000
/** Seconds. */
const expiryPeriod = 1
const strongFile = 'strong'
/** Milliseconds after which peers learn that nobody listens any more where a process was killed. */
const refusedAfter = 10

export class ClusterSimNode implements FaultyNode {
  readonly id: string
  readonly disk: NodeDisk<Saved>
  readonly #world: ClusterWorld
  readonly #rack: number
  readonly #standstill = new Standstill()
  #incarnation: string
  #running: Running | undefined
  #starting: object | undefined
  #stillSince = 0
  #skew = 0
  /** What this node is configured with; the leader's counts. */
  replicationFactor: number
  /** Ends of its process and standstills so far. */
  interruptions = 0

  constructor(id: string, world: ClusterWorld, { replicationFactor, rack }: NodePlan) {
    this.id = id
    this.#rack = rack
    this.#world = world
    this.replicationFactor = replicationFactor
    this.#incarnation = world.random.id()
    const { clock, random, tally, wakeDisks: wake } = world
    const blank: Saved = { promised: noView, copies: {}, metadata: [] }
    this.disk = new NodeDisk(blank, { clock, random, tally, standstill: this.#standstill, wake })
  }

  get running(): Running | undefined {
    return this.#running
  }

  get isPaused(): boolean {
    return this.#standstill.isStill
  }

  get diskDelay(): number {
    return this.disk.delay
  }

  set diskDelay(delay: number) {
    this.disk.delay = delay
  }

  /** Milliseconds that its clock is ahead. */
  get skew(): number {
    return this.#skew
  }

  set skew(skew: number) {
    if (Math.abs(skew - this.#skew) >= 3_600_000) this.#world.tally.add('clock jumped by hours')
    this.#skew = skew
  }

  start(): void {
    if (this.#running || this.#starting) return
    const token = (this.#starting = {})
    this.#open(token).then(
      () => undefined,
      (error: unknown) => {
        if (this.#starting === token) this.#starting = undefined
        if (error instanceof StorageError) this.#say(`cannot start: ${error.message}`)
        else this.#world.violate(`start: ${this.id} ${String(error)}`)
      },
    )
    this.#world.wakeDisks()
  }

  async #open(token: object): Promise<void> {
    const store = await this.#openStore()
    let mine: Running | undefined
    const turn = (partition: number, run: () => void) =>
      this.#do(mine, ({ node }) => node.strong.namespaces.get(namespaceName)!.turn(partition, run))
    const strong = this.#world.isStrong ? await this.#openStrong(store, turn) : undefined
    if (this.#starting === token) mine = this.#run(store, strong)
  }

  #openStrong(store: RecordStore, turn: (partition: number, run: () => void) => void): Promise<StrongCopies> {
    const { partitions } = this.#world
    const { data } = this.disk
    return StrongCopies.open({
      ...{ store, partitions, turn },
      file: {
        read: () => readWhole(data, `/data/${strongFile}`),
        write: (bytes) => writeWhole(data, '/data', strongFile, bytes),
      },
      onFault: (error) => this.#say(`cannot write what its copies are: ${String(error)}`),
    })
  }

  #run(store: RecordStore, strong: StrongCopies | undefined): Running {
    const { random, ids, durability, clock, partitions, tally } = this.#world
    this.#starting = undefined
    const self = { id: this.id, incarnation: this.#incarnation, start: random.id() }
    const namespace = this.#namespace(store)
    const copies = new NamespaceCopies(namespace, partitions)
    const { saved } = this.disk
    // Only what was synced before it was acknowledged is what the file says it is.
    const kept = durability === 'commit' ? saved.copies[namespaceName] : undefined
    const wasLongAway = kept !== undefined && random.chance(0.2)
    if (wasLongAway) tally.add('away for longer than deletes are remembered')
    const trusted = wasLongAway ? { ...kept, at: kept.at - 2 * tombstoneLife } : kept
    const replicationFactor = () => this.replicationFactor
    const settings = new Map<string, string>()
    const node = new ClusterNode({
      self,
      cluster: 'simulated',
      seeds: ids,
      interval: beatInterval,
      timeout: beatTimeout,
      random: () => random.fraction(),
      promised: saved.promised,
      metadata: saved.metadata,
      adopt: ({ name, value }) => void settings.set(name, value),
      clock: () => this.#wallClock(),
      clockBound: this.#world.clockBound,
      rack: this.#rack,
      namespaces: strong
        ? []
        : [
            {
              name: namespaceName,
              store: copies,
              get replicationFactor() {
                return replicationFactor()
              },
              ...(trusted ? { saved: trusted } : {}),
            },
          ],
      strong: strong
        ? [
            {
              name: namespaceName,
              store: new StrongRecords(namespace, strong, partitions),
              durability: durability === 'commit' ? 'commit' : 'flush',
              get replicationFactor() {
                return replicationFactor()
              },
            },
          ]
        : [],
    })
    const running = (this.#running = { self, node, copies, store, strong, settings })
    this.#say(`starts as ${self.start}, has promised ${viewKey(saved.promised)}, ${store.objects} records`)
    clock.after(0, () => this.#tick(running))
    return running
  }

  /** The process ends; with a power failure also what was not synced. */
  crash(how: 'kill' | 'power'): void {
    if (!this.#running && !this.#starting) return
    this.interruptions++
    const unsynced = this.#running ? this.#running.store.position - this.#running.store.synced : 0
    if (unsynced > 0) this.#world.tally.add('unsynced write forgotten', unsynced)
    this.disk.endProcess(how)
    this.#running = undefined
    this.#starting = undefined
    this.#standstill.forget()
    this.#say(how === 'power' ? 'loses power' : 'is killed')
    // A dead machine refuses nothing.
    if (how === 'kill') this.#world.refuse(this.id, refusedAfter)
  }

  loseDisk(): void {
    this.crash('kill')
    this.disk.replace()
    this.#incarnation = this.#world.random.id()
    this.#say('loses its disk')
  }

  pause(): void {
    if (!this.#running || this.isPaused) return
    this.interruptions++
    this.#stillSince = this.#world.clock.now
    this.#standstill.begin()
    this.#say('stands still')
  }

  resume(): void {
    if (!this.isPaused) return
    const { clock, tally } = this.#world
    const time = clock.now - this.#stillSince
    if (time >= 60_000) tally.add('stood still for a minute')
    else if (time >= 1000) tally.add('stood still for a second')
    this.#say('goes on')
    this.#standstill.end()
  }

  /** A connection to the node was refused. */
  hearRefusal(id: string): void {
    this.#do(this.#running, ({ node }) => node.membership.refused(id))
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
      node.routing.submit(this.#world.clock.now, {
        namespace: namespaceName,
        body,
        time,
        answer: (frame) => {
          if (this.#running === running) answer(frame)
        },
      })
    })
  }

  /** Hides what the set holds so far, on all nodes. Answers the moment, in ms since 1970. */
  truncate(set: string): number {
    const before = this.#wallClock()
    this.#do(this.#running, ({ node }) => node.metadata.truncate(namespaceName, set, before))
    return before
  }

  /** Deletes what the set of a strong namespace holds; answers the code, 0 when it is done. */
  truncateStrongly(set: string, answer: (code: number) => void): void {
    const running = this.#running
    this.#do(running, ({ node }) =>
      node.truncation.truncate(namespaceName, set, (refusal) => {
        if (this.#running === running) answer(refusal?.code ?? 0)
      }),
    )
  }

  /** What an operator asks of a running node. */
  operate(command: (node: ClusterNode) => void): void {
    this.#do(this.#running, ({ node }) => command(node))
  }

  /** Carries out what the node wants done; also after its disk has done something. */
  drain(): void {
    const running = this.#running
    if (!running || this.isPaused) return
    for (const output of running.node.take()) this.#carryOut(running, output)
  }

  async #openStore(): Promise<RecordStore> {
    const { durability, partitions, random } = this.#world
    const files = {
      disk: this.disk.data,
      folder: '/data',
      namespace: namespaceName,
      durability: durability === 'commit' ? ('commit' as const) : ('flush' as const),
      flushMs: 500,
      newIncarnation: () => random.id(),
      onNote: (line: string) => this.#say(line),
      onFault: ({ message }: StorageError) => this.#fail(message),
    }
    return RecordStore.open({
      clock: () => this.#wallClock(),
      stopwatch: () => 0,
      memoryLimit: 1 << 28,
      partitions,
      segmentBytes: 1 << 16,
      idleBytes: 0,
      tombstoneLife,
      expiryPeriod: () => expiryPeriod,
      strong: this.#world.isStrong,
      ...(durability === 'none' ? {} : { files }),
    })
  }

  /** The process ends when its disk does, and what the system had not written is as good as lost. */
  #fail(message: string): void {
    this.#say(message)
    this.crash('power')
  }

  #namespace(store: RecordStore): Namespace {
    const settings = newNamespaceSettings({
      nsupPeriod: expiryPeriod,
      conflictResolutionPolicy: this.#world.conflictPolicy,
    })
    return new Namespace(namespaceName, settings, store, () => this.#wallClock(), newView())
  }

  #wallClock(): number {
    return Math.floor(epoch + this.#world.clock.now + this.skew)
  }

  #tick(running: Running | undefined): void {
    this.#do(running, ({ node, store, strong }) => {
      const { clock, random } = this.#world
      node.tick(clock.now)
      for (const line of node.clocks.takeNotes()) this.#say(line)
      strong?.tick()
      store.runSlice(this.#wallClock(), 1)
      clock.after(random.between(5, 20), () => this.#tick(running))
    })
  }

  /** Runs it in this start of the node, after the standstill if there is one. */
  #do(running: Running | undefined, run: (running: Running) => void): void {
    if (!running || this.#running !== running) return
    this.#standstill.run(() => {
      try {
        run(running)
        this.drain()
      } catch (error) {
        this.#world.violate(`threw: ${this.id} ${error instanceof Error ? error.stack : String(error)}`)
      }
    })
  }

  #carryOut(running: Running, output: NodeOutput): void {
    const { clock, network, witness, maps } = this.#world
    const { self, node } = running
    switch (output.kind) {
      case 'send': {
        const { message } = output
        if (message.kind === 'heartbeat' || message.kind === 'view') {
          witness.sent(self, this.disk.saved.promised, message)
        }
        return network.send(this.id, output.to, { from: self, message })
      }
      case 'storePromise': {
        const { promised } = output
        return this.#save(running, { promised }, () => node.promiseStored(clock.now, promised))
      }
      case 'storeMetadata':
        return this.#save(running, { metadata: output.entries }, () => node.metadata.stored(output.revision))
      case 'storeCopies':
        return this.#save(running, { copies: output.copies }, () => {
          const before = node.serving
          node.copiesStored(clock.now, output.number)
          if (node.serving !== before) this.#checkMap(node)
        })
      case 'enter': {
        witness.entered(self, output.record)
        maps.entered(output.record)
        const members = output.record.members.map((member) => member.id).join(' ')
        this.#say(`enters ${viewKey(output.record.id)}: ${members}`)
      }
    }
  }

  #checkMap({ serving, namespaces }: ClusterNode): void {
    const namespace = namespaces.get(namespaceName)
    if (!serving || !namespace) return
    this.#world.maps.serving(this.id, serving, namespaceName, (partition) => namespace.place(partition))
  }

  #save(running: Running, change: Partial<Saved>, done: () => void): void {
    this.disk.save(change, {
      done: () => this.#do(running, done),
      failed: (how) => this.crash(how),
    })
  }

  #say(text: string): void {
    this.#world.say(this.id, text)
  }
}
