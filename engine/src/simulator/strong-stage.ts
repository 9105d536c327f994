/**
 * The nodes of one strongly consistent partition, and what can be done to them. In the end all faults cease: the
 * partition must serve if the rules allow it, fill its replicas and answer with what was acknowledged.
 */
import { Rendezvous } from '../cluster/rendezvous.ts'
import type { Durability } from '../cluster/strong/activation.ts'
import { blankMeta } from '../cluster/strong/copy-meta.ts'
import { firstLineage } from '../cluster/strong/lineage.ts'
import { isSeated, mayActivate, type RosterContent } from '../cluster/strong/roster.ts'
import { noView } from '../cluster/view-id.ts'
import { Clock } from './clock.ts'
import { Network, type NetworkFaults } from './network.ts'
import type { Random } from './random.ts'
import type { RunResult } from './run-result.ts'
import { type NewDisk, StrongDisk } from './strong-disk.ts'
import { StrongHistory } from './strong-history.ts'
import { StrongNode, type StrongParcel, type StrongWorld } from './strong-node.ts'
import { StrongWitness } from './strong-witness.ts'
import { Transcript } from './transcript.ts'

export interface StrongSetting {
  readonly nodes: number
  /** The first roster lists the first nodes. */
  readonly seats: number
  readonly replicationFactor: number
  readonly durability: Durability
  readonly partition: number
  /** Longest sync as a rule, in milliseconds. */
  readonly diskDelay: number
  readonly network: NetworkFaults
  /** By default one that is a model. */
  readonly newDisk?: NewDisk | undefined
}

export type StrongResult = Omit<RunResult, 'seed'>

const digests = ['A', 'B']

const calmNetwork = { delay: 2, loss: 0, repeat: 0 }

/** Views that the quiet time may take. */
const quietViews = 12

export class StrongStage {
  readonly nodes: readonly StrongNode[]
  readonly network: Network<StrongParcel>
  readonly witness: StrongWitness
  readonly history: StrongHistory
  readonly #random: Random
  readonly #clock = new Clock()
  readonly #transcript = new Transcript()
  readonly #world: StrongWorld
  /** Every roster that was asked for. */
  readonly #rosters: RosterContent[] = []
  #dead = 0
  #revived = 0

  constructor(setting: StrongSetting, random: Random, writesDown: boolean) {
    const { durability, partition, diskDelay } = setting
    const { newDisk = (process, meta, lineage) => new StrongDisk(process, meta, lineage) } = setting
    this.#random = random
    this.network = new Network(this.#clock, random, (_from, to, parcel) => this.node(to).receive(parcel))
    this.network.faults = { ...setting.network }
    this.witness = new StrongWitness(durability, () => this.nodes, digests)
    const say = (node: string, text: () => string) => {
      if (writesDown) this.#transcript.add(`${this.#clock.now.toFixed(1).padStart(7)} ${node} ${text()}`)
    }
    this.history = new StrongHistory(digests, this.witness, (text) => say('--', text))
    const { network, witness } = this
    const clock = this.#clock
    this.#world = {
      ...{ clock, random, network, witness, durability, partition, diskDelay, newDisk },
      ...{ wish: undefined, say },
    }
    this.nodes = this.#found(setting)
  }

  get digests(): readonly string[] {
    return digests
  }

  /** A node that serves. */
  get master(): StrongNode | undefined {
    return this.nodes.find((node) => node.partition?.isServing)
  }

  node(id: string): StrongNode {
    return this.nodes.find((node) => node.id === id)!
  }

  wait(time: number): void {
    this.guard(() => this.#clock.runUntil(this.#clock.now + time))
  }

  /** An invariant that the machines themselves assert is a violation, too. */
  guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.witness.violations.push(error instanceof Error ? error.message : String(error))
    }
  }

  tick(): void {
    for (const node of this.nodes) this.guard(() => node.tick())
  }

  /** Time for that many rounds of messages and syncs. */
  pass(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      this.tick()
      this.wait(2 * this.#world.diskDelay + 5)
    }
  }

  propose(leader: StrongNode, members: readonly StrongNode[]): void {
    this.guard(() => leader.propose(members.map((member) => member.process!)))
  }

  wish(listed: readonly StrongNode[], replicationFactor: number): void {
    const seats = listed.map(({ id, incarnation }) => ({ id, incarnation, rack: 0 }))
    const content = { seats, replicationFactor, givenUp: [] }
    this.#rosters.push(content)
    this.#world.wish = { content, revives: false }
    this.say(() => `an operator wants ${listed.map(({ id }) => id).join(' ')}, RF ${replicationFactor}`)
  }

  /** The next view that may makes these serve without the folders that are given up. */
  wishRevival(left: readonly StrongNode[], givenUp: readonly string[]): void {
    const seats = left.map(({ id, incarnation }) => ({ id, incarnation, rack: 0 }))
    const content = { seats, replicationFactor: Math.min(2, seats.length), givenUp }
    this.#world.wish = { content, revives: true }
    this.say(() => `revive with ${seats.map(({ id }) => id).join(' ')}`)
    this.witness.forgives = true
  }

  /** What this node has is the truth from now on. */
  accept({ disk }: StrongNode): void {
    this.#revived++
    this.witness.accept()
    this.history.restart((digest) => disk.read(digest))
  }

  say(text: () => string): void {
    this.#world.say('--', text)
  }

  /** Ends all faults and sees what is left. */
  calm(): void {
    this.#quiet()
    if (!this.#settle()) {
      this.#dead++
      const violation = 'D3: the partition does not serve, and no rule forbids it'
      if (this.#shouldServe()) this.witness.violations.push(violation)
      if (!this.#revive()) return
    }
    const master = this.master!
    for (const digest of digests) {
      this.guard(() => master.use((copy, now) => this.history.append(now, copy, digest)))
      this.guard(() => master.use((copy, now) => this.history.read(now, copy, digest)))
    }
    this.pass(5)
    this.witness.converged(master)
  }

  result(faults: number): StrongResult {
    const violations = [...this.witness.violations, ...this.history.check()]
    const { acknowledged, reads, gaveUp } = this.history
    const { regimes } = this.witness
    const [dead, revived] = [this.#dead, this.#revived]
    const counts = { nodes: this.nodes.length, faults, regimes, acknowledged, reads, gaveUp, dead, revived }
    this.#transcript.add(JSON.stringify([counts, violations, this.#clock.now, this.#random.next()]))
    return { violations, checksum: this.#transcript.checksum, counts, transcript: this.#transcript.text() }
  }

  #found({ nodes: count, seats: listed, replicationFactor }: StrongSetting): StrongNode[] {
    const nodes = Array.from({ length: count }, (_, i) => new StrongNode(`A${i + 1}`, this.#world))
    const founders = nodes.slice(0, listed)
    const seats = founders.map(({ id, incarnation }) => ({ id, incarnation, rack: 0 }))
    const roster = { seats, replicationFactor, givenUp: [] }
    this.#rosters.push(roster)
    const rosters = { inForce: { ...roster, number: 1, view: noView } }
    for (const node of founders) node.found({ ...blankMeta, rosters, claims: [noView] }, firstLineage)
    for (const node of nodes) node.start()
    return nodes
  }

  #quiet(): void {
    this.say(() => 'quiet')
    this.#world.wish = undefined
    this.network.heal()
    this.network.faults = { ...calmNetwork }
    this.wait(30)
    for (const node of this.nodes) {
      this.guard(() => node.resume())
      node.start()
    }
  }

  /** Views of all nodes until one serves with all replicas filled and no roster pending. */
  #settle(): boolean {
    for (let view = 0; view < quietViews; view++) {
      this.propose(this.nodes.at(-1)!, this.nodes)
      this.pass(6)
      const plan = this.master?.partition?.plan
      if (!plan || plan.rosters.pending) continue
      if (view > 1 && plan.complete.length === plan.replicas.length) return true
    }
    return false
  }

  /** Whether the faults so far leave the rules no reason to refuse. */
  #shouldServe(): boolean {
    const processes = this.nodes.map((node) => node.process!)
    const order = new Rendezvous(this.nodes.map(({ id }) => id)).order(this.#world.partition)
    const counts = this.#rosters.every((roster) => mayActivate(roster, order, processes))
    return counts && this.witness.hasComplete()
  }

  /** Gives up the folders that are gone, and makes the rest serve. */
  #revive(): boolean {
    const left = this.nodes.filter((node) => node.disk.lineage.epochs.length > 0)
    if (left.length === 0) return false
    const givenUp = this.#rosters
      .flatMap((roster) => roster.seats)
      .filter(
        (seat) =>
          !this.nodes.some((node) => isSeated({ seats: [seat], replicationFactor: 1, givenUp: [] }, node)),
      )
      .map(({ incarnation }) => incarnation)
    this.wishRevival(left, givenUp)
    if (!this.#settle()) {
      this.witness.violations.push('D5: the partition does not serve after revive')
      return false
    }
    this.accept(this.master!)
    return true
  }
}
