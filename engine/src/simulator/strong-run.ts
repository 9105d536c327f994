/**
 * Short schedules of one strongly consistent partition: a storm of views by rival leaders, clients, faults and roster
 * changes, and then a quiet time.
 */
import { Random } from './random.ts'
import type { RunResult } from './run-result.ts'
import type { NewDisk } from './strong-disk.ts'
import type { StrongNode } from './strong-node.ts'
import { StrongStage, type StrongSetting } from './strong-stage.ts'

export interface StrongRunOptions {
  readonly seed: number
  /** Writes down who said what; the run is the same without, and writes it down only when it is asked for. */
  readonly transcript?: boolean
  /** Another disk than the model of one. */
  readonly newDisk?: NewDisk
}

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

const faultKinds: readonly Event[] = ['crash', 'stop', 'blank', 'pause', 'cut', 'network']

/** Without these a schedule does nothing. */
const indispensable: readonly Event[] = ['propose', 'tick', 'write', 'start', 'resume', 'heal']

/** @example runStrong({ seed: 7 }).violations // [] */
export function runStrong({ seed, transcript = false, newDisk }: StrongRunOptions): RunResult {
  const { violations, checksum, counts, transcript: text } = new StrongRun(seed, transcript, newDisk).run()
  return {
    seed,
    violations,
    checksum,
    counts,
    get transcript() {
      return transcript ? text : runStrong({ seed, transcript: true, ...(newDisk && { newDisk }) }).transcript
    },
  }
}

class StrongRun {
  readonly #random: Random
  readonly #setting: StrongSetting
  readonly #stage: StrongStage
  /** Of a node, to be on a roster that an operator asks for. */
  readonly #seatChance: number
  /** Of a view, to be proposed to some only. */
  readonly #fewChance: number
  readonly #weights: readonly [Event, number][]
  #faults = 0

  constructor(seed: number, transcript: boolean, newDisk: NewDisk | undefined) {
    const random = new Random(seed)
    this.#random = random
    this.#weights = this.#taste()
    this.#fewChance = random.pick([0.1, 0.4, 0.8])
    this.#seatChance = random.pick([0.4, 0.7, 0.9])
    const nodes = random.pick([2, 3, 3, 3, 4, 5])
    this.#setting = {
      nodes,
      seats: random.chance(0.6) ? nodes : 2 + random.below(nodes - 1),
      replicationFactor: nodes > 2 && random.chance(0.4) ? 3 : 2,
      durability: random.pick(['flush', 'commit']),
      partition: random.below(64),
      diskDelay: random.pick([0.5, 4, 20]),
      network: random.pick(networks),
      newDisk,
    }
    this.#stage = new StrongStage(this.#setting, random, transcript)
  }

  run(): ReturnType<StrongStage['result']> {
    const { network, diskDelay } = this.#setting
    const pace = network.delay + diskDelay
    const steps = this.#random.pick([40, 70, 110])
    if (this.#random.chance(0.8)) this.#open(pace)
    for (let step = 0; step < steps; step++) {
      this.#stage.guard(() => this.#event())
      this.#stage.wait(this.#random.pick([0, 0, 0.5, 1, 2]) * pace * this.#random.fraction())
    }
    this.#stage.calm()
    return this.#stage.result(this.#faults)
  }

  /** A first view of all nodes. */
  #open(pace: number): void {
    this.#propose(this.#stage.nodes[0]!)
    for (let i = 0; i < 3; i++) {
      this.#stage.wait(2 * pace)
      this.#stage.tick()
    }
  }

  /** Rare things meet in schedules that do much of a few kinds. */
  #taste(): [Event, number][] {
    const random = this.#random
    const faults = random.pick([0, 0.3, 1, 1])
    return weights.map(([event, weight]) => {
      const factor = random.pick([0, 0.3, 1, 1, 3]) * (faultKinds.includes(event) ? faults : 1)
      return [event, weight * (indispensable.includes(event) ? Math.max(0.5, factor) : factor)]
    })
  }

  #event(): void {
    let at = this.#random.fraction() * this.#weights.reduce((sum, [, weight]) => sum + weight, 0)
    const [event] = this.#weights.find(([, weight]) => (at -= weight) < 0) ?? this.#weights[0]!
    const node = this.#random.pick(this.#stage.nodes)
    switch (event) {
      case 'propose':
        return this.#propose(node)
      case 'rivals':
        return this.#stage.nodes.forEach((each) => this.#random.chance(0.6) && this.#propose(each))
      case 'settle':
        return node.settle()
      case 'tick':
        return this.#stage.tick()
      case 'write':
      case 'read':
      case 'delete':
      case 'truncate':
        return this.#request(event)
      case 'drop':
        return node.use(({ partition }) => partition.dropTombstones(2))
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
        this.#stage.witness.losses++
        return node.loseDisk()
      case 'pause':
        return node.pause()
      case 'resume':
        return this.#stage.nodes.forEach((each) => each.resume())
      case 'cut':
        return this.#stage.network.split(
          this.#random.pick(['halves', 'one-way', 'isolate']),
          this.#stage.nodes.map(({ id }) => id),
        )
      case 'heal':
        return this.#stage.network.heal()
      case 'network':
        this.#stage.network.faults = this.#random.pick([...networks, { delay: 150, loss: 0, repeat: 0.1 }])
    }
  }

  #propose(leader: StrongNode): void {
    const { nodes, network } = this.#stage
    if (!leader.process || leader.isPaused) return
    const few = this.#random.chance(this.#fewChance)
    const members = nodes.filter(
      (node) =>
        node === leader ||
        (node.process && network.reaches(leader.id, node.id) && !(few && this.#random.chance(0.4))),
    )
    this.#stage.propose(leader, members)
  }

  #request(kind: 'write' | 'read' | 'delete' | 'truncate'): void {
    const { nodes, history, digests } = this.#stage
    if (!history.hasRoom()) return
    const serving = nodes.filter((node) => node.partition?.isServing && !node.isPaused)
    if (serving.length === 0) return
    const node = this.#random.pick(serving)
    const digest = this.#random.pick(digests)
    node.use((copy, now) => {
      if (kind === 'truncate') history.truncate(copy, digest)
      else if (kind === 'write') history.append(now, copy, digest)
      else history[kind](now, copy, digest)
    })
  }

  #wish(): void {
    const listed = this.#stage.nodes.filter(() => this.#random.chance(this.#seatChance))
    if (listed.length < 2) return
    this.#stage.wish(listed, listed.length > 2 && this.#random.chance(0.4) ? 3 : 2)
  }
}
