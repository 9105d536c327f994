/**
 * Where a run of whole nodes takes place: clock, network, disks, the nodes and what watches them. The script, the
 * clients and what they promise each other are the run's own.
 */
import type { ConflictPolicy } from '../namespace/namespace-config.ts'
import { beliefsOf } from './beliefs.ts'
import { ClusterSimNode } from './cluster-sim-node.ts'
import {
  beatTimeout,
  type ClusterParcel,
  type ClusterWorld,
  type Durability,
  namespaceName,
} from './cluster-world.ts'
import { Clock } from './clock.ts'
import { MapWitness } from './map-witness.ts'
import { MembershipWitness } from './membership-witness.ts'
import { Network } from './network.ts'
import type { Random } from './random.ts'
import { Tally } from './tally.ts'
import { Transcript } from './transcript.ts'

export interface StageSetting {
  readonly nodes: number
  readonly partitions: number
  readonly replicationFactor: number
  readonly racks: number
  readonly durability: Durability
  readonly isStrong?: boolean
  /** `generation` by default. */
  readonly conflictPolicy?: ConflictPolicy
  /** 0 by default. */
  readonly clockBound?: number
  /** Lines of the transcript that are kept. */
  readonly lines?: number | undefined
}

/** Promises that a store may go through before it asks its disk. */
const stepsToDisk = 8
/** Milliseconds within which a cluster that nothing disturbs any more has settled. */
const settleTime = 20_000

export class ClusterStage {
  readonly clock = new Clock()
  readonly random: Random
  readonly tally = new Tally()
  readonly witness = new MembershipWitness()
  readonly maps = new MapWitness()
  readonly world: ClusterWorld
  readonly nodes: readonly ClusterSimNode[]
  readonly transcript: Transcript
  readonly #violations: string[] = []
  #disksAwake = false

  constructor(random: Random, setting: StageSetting) {
    const { nodes, partitions, replicationFactor, racks, durability, isStrong = false, lines } = setting
    const { conflictPolicy = 'generation', clockBound = 0 } = setting
    this.random = random
    this.transcript = new Transcript(lines)
    const byId = new Map<string, ClusterSimNode>()
    const deliver = (_from: string, to: string, parcel: ClusterParcel) => byId.get(to)!.receive(parcel)
    this.world = {
      clock: this.clock,
      random,
      network: new Network(this.clock, random, deliver, this.tally),
      witness: this.witness,
      maps: this.maps,
      ids: Array.from({ length: nodes }, (_, i) => `A${i + 1}`),
      partitions,
      durability,
      isStrong,
      conflictPolicy,
      clockBound,
      tally: this.tally,
      say: (node, text) => this.say(node, text),
      violate: (text) => this.violate(text),
      refuse: (node, within) => this.#refuse(node, within),
      wakeDisks: () => {
        this.#disksAwake = true
      },
    }
    this.nodes = this.world.ids.map(
      (id, i) => new ClusterSimNode(id, this.world, { replicationFactor, rack: i % racks }),
    )
    for (const node of this.nodes) byId.set(node.id, node)
  }

  /** False once there is nothing left to find out. */
  get goesOn(): boolean {
    return this.violations.length === 0
  }

  get violations(): readonly string[] {
    return [...this.witness.violations, ...this.maps.violations, ...this.#violations]
  }

  violate(text: string): void {
    this.#violations.push(text)
  }

  say(node: string, text: string): void {
    this.transcript.add(`${this.clock.now.toFixed(1).padStart(9)} ${node} ${text}`)
  }

  /** Who said what; when something does not hold, what each believes of these records' partitions in the end, too. */
  transcriptOf(digests: readonly Buffer[]): string {
    const text = this.transcript.text()
    const store = this.nodes.find(({ running }) => running)?.running?.store
    if (this.goesOn || !store) return text
    const partitions = [...new Set(digests.map((digest) => store.partitionOf(digest, 0)))].sort(
      (a, b) => a - b,
    )
    const beliefs = this.nodes.flatMap((node) => beliefsOf(node, partitions))
    return [text, `\nWhat each believes at ${this.clock.now.toFixed(1)}:`, ...beliefs].join('\n')
  }

  async wait(time: number): Promise<void> {
    const until = this.clock.now + time
    await this.#letDisksWork()
    while (this.clock.next <= until) {
      this.clock.step()
      await this.#letDisksWork()
    }
    this.clock.runUntil(until)
  }

  /** Waits until these nodes are in one view and all copies whole, and says so when that takes too long. */
  async settle(nodes: readonly ClusterSimNode[] = this.nodes): Promise<void> {
    const until = this.clock.now + settleTime
    let calmSince = Infinity
    while (this.clock.now < until && this.goesOn) {
      await this.wait(50)
      if (!this.isSettled(nodes)) calmSince = Infinity
      else if (calmSince === Infinity) calmSince = this.clock.now
      else if (this.clock.now - calmSince >= beatTimeout) return
    }
    if (!this.goesOn) return
    const states = nodes.map(({ id, running }) => {
      const namespace = running?.node.namespaces.get(namespaceName)
      const { unsettled, misplaced, surplus } = namespace ?? {}
      return `${id} in ${running?.node.serving}: ${unsettled} unsettled, ${misplaced} misplaced, ${surplus} surplus`
    })
    this.violate(`settle: not settled after ${settleTime} ms\n  ${states.join('\n  ')}`)
  }

  isSettled(nodes: readonly ClusterSimNode[] = this.nodes): boolean {
    const views = new Set(nodes.map(({ running }) => running?.node.serving))
    if (views.size !== 1 || views.has(undefined)) return false
    return nodes.every(({ running }) => {
      const namespaces = [...(running?.node.namespaces.values() ?? [])]
      return namespaces.every(({ unsettled, misplaced, surplus }) => unsettled + misplaced + surplus === 0)
    })
  }

  /** Disks work between two events, however many steps it takes them; what they finish is acted upon. */
  async #letDisksWork(): Promise<void> {
    do {
      // What the event left for later may be about to ask the disk for something.
      const steps = this.world.durability === 'none' ? 0 : stepsToDisk
      for (let step = 0; step < steps && !this.#disksAwake; step++) await Promise.resolve()
      if (!this.#disksAwake) return
      this.#disksAwake = false
      await new Promise((resolve) => setImmediate(resolve))
      for (const node of this.nodes) node.drain()
    } while (this.world.durability !== 'none')
  }

  #refuse(id: string, within: number): void {
    const { network } = this.world
    const dead = this.nodes.find((node) => node.id === id)
    for (const other of this.nodes) {
      if (other.id === id) continue
      this.clock.after(this.random.between(0.1, within), () => {
        if (dead?.running || !network.reaches(id, other.id) || !network.reaches(other.id, id)) return
        this.tally.add('reconnect refused')
        other.hearRefusal(id)
      })
    }
  }
}
