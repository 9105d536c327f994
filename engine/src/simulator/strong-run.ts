/**
 * Short schedules of one strongly consistent partition: a storm of views, clients and faults, then a quiet time in which
 * it must serve again if the rules allow it, fill its replicas, and answer what was acknowledged.
 */
import { mayActivate, isSeated, type RosterContent } from '../cluster/strong/roster.ts'
import type { Durability } from '../cluster/strong/activation.ts'
import { contentOf } from '../cluster/strong/master.ts'
import { firstLineage } from '../cluster/strong/lineage.ts'
import { noView } from '../cluster/view-id.ts'
import { Clock } from './clock.ts'
import { Network } from './network.ts'
import { Random } from './random.ts'
import type { RunResult } from './run-result.ts'
import { blankMeta } from './strong-disk.ts'
import { StrongHistory } from './strong-history.ts'
import { StrongNode, type StrongParcel, type StrongWorld } from './strong-node.ts'
import { StrongWitness } from './strong-witness.ts'
import { Transcript } from './transcript.ts'

export interface StrongRunOptions {
  readonly seed: number
  /** Writes down who said what; the run is the same without, and writes it down only when it is asked for. */
  readonly transcript?: boolean
}

const digests = ['A', 'B']

/** How often things happen in a storm, in parts of their sum; each schedule has a taste of its own. */
const weights = [
  ['propose', 9],
  ['rivals', 2],
  ['settle', 3],
  ['tick', 18],
  ['write', 26],
  ['read', 12],
  ['delete', 5],
  ['truncate', 1],
  ['drop', 4],
  ['crash', 4],
  ['start', 6],
  ['stop', 1],
  ['blank', 0.5],
  ['pause', 1],
  ['resume', 2],
  ['cut', 2],
  ['heal', 2],
  ['network', 1],
  ['sync', 2],
  ['roster', 2],
] as const
type Event = (typeof weights)[number][0]

const networks = [
  { delay: 2, loss: 0, repeat: 0 },
  { delay: 6, loss: 0.03, repeat: 0.05 },
  { delay: 25, loss: 0.1, repeat: 0.1 },
]

/** Without these a schedule does nothing. */
const indispensable: readonly Event[] = ['propose', 'tick', 'write', 'start', 'resume', 'heal']

/** Views that the quiet time may take. */
const quietViews = 12

/** @example runStrong({ seed: 7 }).violations // [] */
export function runStrong(options: StrongRunOptions): RunResult {
  const run = new StrongRun(options)
  run.storm()
  run.calm()
  return run.result()
}

class StrongRun {
  readonly #seed: number
  readonly #isWritten: boolean
  readonly #random: Random
  readonly #clock = new Clock()
  readonly #transcript = new Transcript()
  readonly #network: Network<StrongParcel>
  readonly #witness: StrongWitness
  readonly #history: StrongHistory
  readonly #world: StrongWorld
  readonly #nodes: StrongNode[]
  readonly #durability: Durability
  /** Every roster that was asked for. */
  readonly #rosters: RosterContent[] = []
  /** Of a node, to be on a roster that an operator asks for. */
  readonly #seatChance: number
  readonly #weights: readonly [Event, number][]
  #faults = 0
  #dead = 0
  #revived = 0

  constructor({ seed, transcript = false }: StrongRunOptions) {
    this.#seed = seed
    this.#isWritten = transcript
    const random = new Random(seed)
    this.#random = random
    this.#weights = this.#taste()
    this.#seatChance = random.pick([0.4, 0.7, 0.9])
    this.#network = new Network(this.#clock, random, (_from, to, parcel) =>
      this.#nodes.find(({ id }) => id === to)!.receive(parcel),
    )
    this.#network.faults = random.pick(networks)
    this.#durability = random.pick(['flush', 'commit'] as const)
    this.#witness = new StrongWitness(this.#durability, () => this.#nodes, digests)
    const say = (node: string, text: () => string) => {
      if (transcript) this.#transcript.add(`${this.#clock.now.toFixed(1).padStart(7)} ${node} ${text()}`)
    }
    this.#history = new StrongHistory(digests, this.#witness, (text) => say('--', text))
    this.#world = {
      clock: this.#clock,
      random,
      network: this.#network,
      witness: this.#witness,
      durability: this.#durability,
      partition: random.below(64),
      diskDelay: random.pick([0.5, 4, 20]),
      wish: undefined,
      say,
    }
    this.#nodes = this.#found()
  }

  storm(): void {
    const steps = this.#random.pick([40, 70, 110])
    const pace = this.#network.faults.delay + this.#world.diskDelay
    if (this.#random.chance(0.8)) this.#open(pace)
    for (let step = 0; step < steps; step++) {
      this.#guard(() => this.#event())
      this.#wait(this.#random.pick([0, 0, 0.5, 1, 2]) * pace * this.#random.fraction())
    }
  }

  /** A first view of all nodes. */
  #open(pace: number): void {
    this.#guard(() => this.#propose(this.#nodes[0]!))
    for (let i = 0; i < 3; i++) {
      this.#wait(2 * pace)
      this.#guard(() => this.#tick())
    }
  }

  calm(): void {
    this.#quiet()
    if (!this.#settle()) {
      this.#dead++
      if (this.#shouldServe())
        this.#witness.violations.push('D3: the partition does not serve, and no rule forbids it')
      if (!this.#revive()) return
    }
    const master = this.#master!
    for (const digest of digests) {
      this.#guard(() => master.use((partition) => this.#history.append(partition, digest)))
      this.#guard(() => master.use((partition) => this.#history.read(partition, digest)))
    }
    this.#pass(5)
    this.#witness.converged(master)
  }

  result(): RunResult {
    const violations = [...this.#witness.violations, ...this.#history.check()]
    const { acknowledged, reads, gaveUp } = this.#history
    const { regimes } = this.#witness
    const counts = {
      nodes: this.#nodes.length,
      faults: this.#faults,
      regimes,
      acknowledged,
      reads,
      gaveUp,
      dead: this.#dead,
      revived: this.#revived,
    }
    this.#transcript.add(JSON.stringify([counts, violations, this.#clock.now, this.#random.next()]))
    const seed = this.#seed
    const transcript = this.#transcript
    const isWritten = this.#isWritten
    return {
      seed,
      violations,
      checksum: this.#transcript.checksum,
      counts,
      get transcript() {
        return isWritten ? transcript.text() : runStrong({ seed, transcript: true }).transcript
      },
    }
  }

  get #master(): StrongNode | undefined {
    return this.#nodes.find((node) => node.partition?.isServing)
  }

  #found(): StrongNode[] {
    const random = this.#random
    const count = random.pick([2, 3, 3, 3, 4, 5])
    const nodes = Array.from({ length: count }, (_, i) => new StrongNode(`A${i + 1}`, this.#world))
    const replicationFactor = count > 2 && random.chance(0.4) ? 3 : 2
    const listed = random.chance(0.6) ? count : 2 + random.below(count - 1)
    const seats = nodes.slice(0, listed).map(({ id, incarnation }) => ({ id, incarnation }))
    const roster = { seats, replicationFactor, givenUp: [] }
    this.#rosters.push(roster)
    const rosters = { inForce: { ...roster, number: 1, view: noView } }
    for (const node of nodes.slice(0, listed)) {
      node.found({ ...blankMeta, rosters, claims: [noView] }, firstLineage)
    }
    for (const node of nodes) node.start()
    return nodes
  }

  #wait(time: number): void {
    this.#guard(() => this.#clock.runUntil(this.#clock.now + time))
  }

  /** An invariant that the machines themselves assert is a violation, too. */
  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#witness.violations.push(error instanceof Error ? error.message : String(error))
    }
  }

  /** Rare things meet in schedules that do much of a few kinds. */
  #taste(): [Event, number][] {
    const random = this.#random
    return weights.map(([event, weight]) => {
      const factor = random.pick([0, 0.3, 1, 1, 3])
      return [event, weight * (indispensable.includes(event) ? Math.max(0.5, factor) : factor)]
    })
  }

  #event(): void {
    let at = this.#random.fraction() * this.#weights.reduce((sum, [, weight]) => sum + weight, 0)
    const [event] = this.#weights.find(([, weight]) => (at -= weight) < 0) ?? this.#weights[0]!
    const node = this.#random.pick(this.#nodes)
    switch (event) {
      case 'propose':
        return this.#propose(node)
      case 'rivals':
        return this.#nodes.forEach((each) => this.#random.chance(0.6) && this.#propose(each))
      case 'settle':
        return node.settle()
      case 'tick':
        return this.#tick()
      case 'write':
      case 'read':
      case 'delete':
      case 'truncate':
        return this.#request(event)
      case 'drop':
        return node.use((partition) => partition.dropTombstones(2))
      case 'sync':
        return node.disk.whenSynced('data', () => undefined)
      case 'roster':
        return this.#wish()
      default:
        this.#faults++
        return this.#fault(event, node)
    }
  }

  #fault(
    event: 'network' | 'crash' | 'start' | 'stop' | 'blank' | 'pause' | 'resume' | 'cut' | 'heal',
    node: StrongNode,
  ): void {
    switch (event) {
      case 'crash':
        node.crash()
        if (this.#random.chance(0.4)) node.start()
        return
      case 'start':
        return node.start()
      case 'stop':
        return node.stopCleanly()
      case 'blank':
        this.#witness.losses++
        return node.loseDisk()
      case 'pause':
        return node.pause()
      case 'resume':
        return this.#nodes.forEach((each) => each.resume())
      case 'cut':
        return this.#network.split(
          this.#random.pick(['halves', 'one-way', 'isolate']),
          this.#nodes.map(({ id }) => id),
        )
      case 'heal':
        return this.#network.heal()
      case 'network':
        this.#network.faults = this.#random.pick([...networks, { delay: 150, loss: 0, repeat: 0.1 }])
    }
  }

  #propose(leader: StrongNode): void {
    if (!leader.process || leader.isPaused) return
    const few = this.#random.chance(0.4)
    const members = this.#nodes.filter(
      (node) =>
        node === leader ||
        (node.process && this.#network.reaches(leader.id, node.id) && !(few && this.#random.chance(0.4))),
    )
    leader.propose(members.map((member) => member.process!))
  }

  #tick(): void {
    for (const node of this.#nodes) node.tick()
  }

  #request(kind: 'write' | 'read' | 'delete' | 'truncate'): void {
    if (!this.#history.hasRoom()) return
    const serving = this.#nodes.filter((node) => node.partition?.isServing && !node.isPaused)
    if (serving.length === 0) return
    const node = this.#random.pick(serving)
    const digest = this.#random.pick(digests)
    node.use((partition) => {
      if (kind === 'truncate') this.#history.truncate(partition)
      else if (kind === 'write') this.#history.append(partition, digest)
      else this.#history[kind](partition, digest)
    })
  }

  #wish(): void {
    const listed = this.#nodes.filter(() => this.#random.chance(this.#seatChance))
    if (listed.length < 2) return
    const replicationFactor = listed.length > 2 && this.#random.chance(0.4) ? 3 : 2
    const seats = listed.map(({ id, incarnation }) => ({ id, incarnation }))
    const content = { seats, replicationFactor, givenUp: [] }
    this.#rosters.push(content)
    this.#world.wish = { content, revives: false }
    this.#world.say(
      '--',
      () => `an operator wants ${seats.map(({ id }) => id).join(' ')}, RF ${replicationFactor}`,
    )
  }

  /** Ends all faults. */
  #quiet(): void {
    this.#world.say('--', () => 'quiet')
    this.#world.wish = undefined
    this.#network.heal()
    this.#network.faults = { delay: 2, loss: 0, repeat: 0 }
    this.#wait(30)
    for (const node of this.#nodes) {
      this.#guard(() => node.resume())
      node.start()
    }
  }

  /** Views of all nodes until one serves with all replicas filled and no roster pending. */
  #settle(): boolean {
    for (let view = 0; view < quietViews; view++) {
      const leader = this.#nodes.at(-1)!
      this.#guard(() => leader.propose(this.#nodes.map((node) => node.process!)))
      this.#pass(6)
      const plan = this.#master?.partition?.plan
      if (!plan || plan.rosters.pending) continue
      if (view > 1 && plan.complete.length === plan.replicas.length) return true
    }
    return false
  }

  #pass(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      this.#guard(() => this.#tick())
      this.#wait(2 * this.#world.diskDelay + 5)
    }
  }

  /** Whether the faults so far leave the rules no reason to refuse. */
  #shouldServe(): boolean {
    const processes = this.#nodes.map((node) => node.process!)
    const counts = this.#rosters.every((roster) => mayActivate(roster, this.#world.partition, processes))
    return counts && this.#witness.hasComplete()
  }

  /** Gives up the folders that are gone, and makes the rest serve. */
  #revive(): boolean {
    const inForce = this.#rosters.at(-1)!
    const seats = this.#nodes
      .filter((node) => node.disk.lineage.epochs.length > 0)
      .map(({ id, incarnation }) => ({ id, incarnation }))
    if (seats.length === 0) return false
    const gone = this.#rosters
      .flatMap((roster) => roster.seats)
      .filter((seat) => !this.#nodes.some((node) => isSeated({ ...inForce, seats: [seat] }, node)))
    const givenUp = gone.map(({ incarnation }) => incarnation)
    const content = { seats, replicationFactor: Math.min(2, seats.length), givenUp }
    this.#world.wish = { content, revives: true }
    this.#world.say('--', () => `revive with ${seats.map(({ id }) => id).join(' ')}`)
    this.#witness.forgives = true
    if (!this.#settle()) {
      this.#witness.violations.push('D5: the partition does not serve after revive')
      return false
    }
    this.#revived++
    const { disk } = this.#master!
    this.#history.restart((digest) => contentOf(disk.find(digest), disk.truncated))
    return true
  }
}
