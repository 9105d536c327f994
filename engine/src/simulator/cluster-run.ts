/**
 * A whole AP cluster under clients and faults, from a seed. Kind `losses`: fewer nodes than the replication factor are
 * away at a time, the network is slow but whole: nothing acknowledged may be missing. Kind `splits`: everything may
 * happen; each record must become one version whole, the same everywhere.
 */
import { checkConvergence, checkNothingLost, checkWhole } from './cluster-checks.ts'
import { ClusterClients } from './cluster-clients.ts'
import { ClusterSimNode } from './cluster-sim-node.ts'
import {
  beatTimeout,
  type ClusterParcel,
  type ClusterWorld,
  type Durability,
  namespaceName,
} from './cluster-world.ts'
import { Clock } from './clock.ts'
import { MembershipWitness } from './membership-witness.ts'
import { calmNetwork, Network, type NetworkFaults, splitShapes } from './network.ts'
import { Random } from './random.ts'
import type { RunResult } from './run-result.ts'
import { Transcript } from './transcript.ts'

export interface ClusterRunOptions {
  readonly seed: number
  readonly kind: 'losses' | 'splits'
  /** Lines of the transcript that are kept. */
  readonly lines?: number | undefined
}

/** Milliseconds within which a cluster that nothing disturbs any more has settled. */
const settleTime = 20_000
const rounds = 8
const clients = 6
const slowestNetwork: NetworkFaults = { delay: 1000, loss: 0.2, repeat: 0.2 }

export async function runCluster({ seed, kind, lines }: ClusterRunOptions): Promise<RunResult> {
  const run = new ClusterRun(seed, kind, lines)
  await run.begin()
  for (let round = 0; round < rounds && run.goesOn; round++) {
    if (kind === 'losses') await run.lose()
    else await run.storm()
  }
  await run.end()
  return run.result(seed)
}

class ClusterRun {
  readonly #clock = new Clock()
  readonly #transcript: Transcript
  readonly #witness = new MembershipWitness()
  readonly #random: Random
  readonly #world: ClusterWorld
  readonly #nodes: ClusterSimNode[]
  /** Nodes that have not joined yet. */
  #spares: ClusterSimNode[]
  readonly #clients: ClusterClients
  readonly #kind: ClusterRunOptions['kind']
  readonly #violations: string[] = []
  #faults = 0

  constructor(seed: number, kind: ClusterRunOptions['kind'], lines: number | undefined) {
    this.#transcript = new Transcript(lines)
    this.#kind = kind
    const random = (this.#random = new Random(seed))
    const byId = new Map<string, ClusterSimNode>()
    const network = new Network<ClusterParcel>(this.#clock, random, (_from, to, parcel) =>
      byId.get(to)!.receive(parcel),
    )
    const count = 3 + random.below(4)
    this.#world = {
      clock: this.#clock,
      random,
      network,
      witness: this.#witness,
      ids: Array.from({ length: count }, (_, i) => `A${i + 1}`),
      partitions: 16,
      replicationFactor: random.pick([2, 2, 3]),
      durability: random.pick<Durability>(['none', 'flush', 'commit']),
      say: (node, text) => this.#say(node, text),
    }
    this.#nodes = this.#world.ids.map((id) => new ClusterSimNode(id, this.#world))
    for (const node of this.#nodes) byId.set(node.id, node)
    const spares = kind === 'losses' ? random.below(count - this.#world.replicationFactor) : 0
    this.#spares = this.#nodes.slice(count - spares)
    this.#clients = new ClusterClients(this.#world, this.#nodes, 1 + random.below(12))
    this.#say('--', `${count} nodes, RF ${this.#world.replicationFactor}, ${this.#world.durability}`)
  }

  /** False once there is nothing left to find out. */
  get goesOn(): boolean {
    return this.#violations.length === 0 && this.#witness.violations.length === 0
  }

  async begin(): Promise<void> {
    for (const node of this.#nodes) {
      node.skew = this.#skew()
      if (!this.#spares.includes(node)) void node.start()
    }
    await this.#settle()
    for (let i = 0; i < clients; i++) this.#clients.start()
    await this.#wait(1000)
  }

  /** Takes fewer than RF nodes away, brings them back, and waits until all copies are whole again. */
  async lose(): Promise<void> {
    const random = this.#random
    if (this.#spares.length > 0 && random.chance(0.4)) {
      void this.#spares.pop()!.start()
      // Copies are under way when the first node goes.
      await this.#wait(random.between(100, 600))
    }
    this.#world.network.faults = random.pick([calmNetwork, { delay: 20, loss: 0, repeat: 0.3 }])
    const victims = random
      .shuffle(this.#members)
      .slice(0, 1 + random.below(this.#world.replicationFactor - 1))
    for (const node of victims) {
      await this.#wait(random.pick([0, 5, 300, 2000]) * random.fraction())
      const how = random.pick(['kill', 'power', 'blank', 'pause'] as const)
      this.#faults++
      if (how === 'blank') node.loseDisk()
      else if (how === 'pause') node.pause()
      else node.crash(how)
      node.skew = this.#skew()
    }
    await this.#wait(random.pick([10, 500, 1500, 4000]) * random.fraction())
    for (const node of victims) {
      node.resume()
      void node.start()
      await this.#wait(random.pick([0, 100, 1500]) * random.fraction())
    }
    await this.#settle()
    await this.#wait(random.pick([0, 500]) * random.fraction())
  }

  async storm(): Promise<void> {
    const faults = 1 + this.#random.below(8)
    for (let i = 0; i < faults; i++) {
      await this.#wait(this.#random.pick([20, 300, 2000]) * this.#random.fraction())
      this.#fault()
    }
    if (this.#random.chance(0.5)) await this.#calm()
  }

  async end(): Promise<void> {
    await this.#calm()
    this.#clients.stop()
    await this.#wait(2000)
    if (!this.goesOn) return
    this.#violations.push(...checkConvergence(this.#world, this.#nodes))
    const state = await this.#readAll()
    if (!this.goesOn) return
    const { operations } = this.#clients
    this.#violations.push(...checkWhole(operations, state))
    if (this.#kind === 'losses') this.#violations.push(...checkNothingLost(operations, state))
  }

  result(seed: number): RunResult {
    const { operations, reads } = this.#clients
    const count = (outcome: string) => operations.filter((operation) => operation.outcome === outcome).length
    const proxied = this.#nodes.reduce((sum, { running }) => sum + (running?.node.routing.proxied ?? 0), 0)
    return {
      seed,
      violations: [...this.#witness.violations, ...this.#violations],
      checksum: this.#transcript.checksum,
      counts: {
        faults: this.#faults,
        views: this.#witness.views,
        ok: count('ok'),
        inDoubt: count('in doubt'),
        refused: count('refused'),
        reads,
        proxied,
      },
      transcript: this.#transcript.text(),
    }
  }

  /** Reads every record at every node: all must answer, and the same. */
  async #readAll(): Promise<Map<string, string | undefined>> {
    const state = new Map<string, string | undefined>()
    for (const key of this.#clients.keys) {
      const answers = new Map<string, string>()
      for (const node of this.#nodes) {
        this.#clients.read(node, key, ({ code, text }) => {
          answers.set(node.id, `${code} ${text}`)
          state.set(key, text)
        })
      }
      await this.#wait(300)
      const seen = new Set(answers.values())
      const served = [...seen].every((answer) => answer.startsWith('0 ') || answer.startsWith('2 '))
      if (answers.size !== this.#nodes.length || seen.size !== 1 || !served) {
        this.#violations.push(`service: ${key} is ${JSON.stringify([...answers])}`)
      }
    }
    return state
  }

  async #calm(): Promise<void> {
    const { network } = this.#world
    network.heal()
    network.faults = { ...calmNetwork }
    this.#spares = []
    for (const node of this.#nodes) {
      node.resume()
      void node.start()
      node.diskDelay = 3
    }
    await this.#settle()
  }

  /** Waits until all nodes are in one view and all copies whole, and says so when that takes too long. */
  async #settle(): Promise<void> {
    const until = this.#clock.now + settleTime
    let calmSince = Infinity
    while (this.#clock.now < until && this.goesOn) {
      await this.#wait(50)
      if (!this.#isSettled()) calmSince = Infinity
      else if (calmSince === Infinity) calmSince = this.#clock.now
      else if (this.#clock.now - calmSince >= beatTimeout) return
    }
    if (!this.goesOn) return
    const states = this.#nodes.map(({ id, running }) => {
      const namespace = running?.node.namespaces.get(namespaceName)
      const { unsettled, misplaced, surplus } = namespace ?? {}
      return `${id} in ${running?.node.serving}: ${unsettled} unsettled, ${misplaced} misplaced, ${surplus} surplus`
    })
    this.#violations.push(`settle: not settled after ${settleTime} ms\n  ${states.join('\n  ')}`)
  }

  get #members(): ClusterSimNode[] {
    return this.#nodes.filter((node) => !this.#spares.includes(node))
  }

  #isSettled(): boolean {
    const views = new Set(this.#members.map(({ running }) => running?.node.serving))
    if (views.size !== 1 || views.has(undefined)) return false
    return this.#members.every(({ running }) => {
      const namespaces = [...(running?.node.namespaces.values() ?? [])]
      return namespaces.every(({ unsettled, misplaced, surplus }) => unsettled + misplaced + surplus === 0)
    })
  }

  async #wait(time: number): Promise<void> {
    const until = this.#clock.now + time
    while (this.#clock.next <= until) {
      this.#clock.step()
      if (this.#world.durability !== 'none') await this.#letDisksWork()
    }
    await this.#letDisksWork()
    this.#clock.runUntil(until)
  }

  /** Disks work between two events, however long it takes them; what they finish is acted upon. */
  async #letDisksWork(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    for (const node of this.#nodes) node.drain()
  }

  #fault(): void {
    const random = this.#random
    const { network } = this.#world
    const node = random.pick(this.#nodes)
    const ids = this.#nodes.map((each) => each.id)
    const kinds = [
      'split',
      'heal',
      'flap',
      'crash',
      'restart',
      'blank',
      'pause',
      'network',
      'disk',
      'clock',
    ] as const
    const kind = random.pick(kinds)
    this.#faults++
    this.#say('--', `${kind} ${node.id}`)
    switch (kind) {
      case 'split':
        return network.split(random.pick(splitShapes), ids)
      case 'heal':
        return network.heal()
      case 'flap':
        return network.cut(node.id, random.pick(ids))
      case 'crash':
        return node.crash(random.pick(['kill', 'power']))
      case 'restart':
        node.crash(random.pick(['kill', 'power']))
        return void node.start()
      case 'blank':
        node.loseDisk()
        return void node.start()
      case 'pause':
        node.pause()
        return this.#clock.after(random.pick([50, 1000, 5000]), () => node.resume())
      case 'network':
        network.faults = random.pick([calmNetwork, { delay: 50, loss: 0.05, repeat: 0.2 }, slowestNetwork])
        return
      case 'disk':
        node.diskDelay = random.pick([3, 100, 1000])
        return
      case 'clock':
        node.skew = this.#skew()
    }
  }

  /** Milliseconds that a clock is ahead or behind. */
  #skew(): number {
    return Math.floor(this.#random.between(-1, 1) * this.#random.pick([0, 10, 1000, 7_200_000]))
  }

  #say(node: string, text: string): void {
    this.#transcript.add(`${this.#clock.now.toFixed(1).padStart(9)} ${node} ${text}`)
  }
}
