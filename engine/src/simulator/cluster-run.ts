/**
 * A whole AP cluster under clients and faults, from a seed. Kind `losses`: fewer nodes than the replication factor are
 * away at a time, the network is slow but whole: nothing acknowledged may be missing. Kind `splits`: everything may
 * happen; each record must become one version whole, the same everywhere.
 */
import { checkConvergence, checkNothingLost, checkWhole } from './cluster-checks.ts'
import { ClusterClients } from './cluster-clients.ts'
import type { ClusterSimNode } from './cluster-sim-node.ts'
import { ClusterStage } from './cluster-stage.ts'
import type { Durability } from './cluster-world.ts'
import { calmNetwork } from './network.ts'
import { Random } from './random.ts'
import type { RunResult } from './run-result.ts'
import { Storm } from './storm.ts'

export interface ClusterRunOptions {
  readonly seed: number
  readonly kind: 'losses' | 'splits'
  /** Lines of the transcript that are kept. */
  readonly lines?: number | undefined
}

const rounds = 8
const clients = 6

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
  readonly #random: Random
  readonly #stage: ClusterStage
  readonly #storm: Storm<ClusterSimNode>
  readonly #clients: ClusterClients
  readonly #kind: ClusterRunOptions['kind']
  readonly #replicationFactor: number
  /** Nodes that have not joined yet. */
  #spares: readonly ClusterSimNode[]

  constructor(seed: number, kind: ClusterRunOptions['kind'], lines: number | undefined) {
    const random = (this.#random = new Random(seed))
    this.#kind = kind
    const nodes = 3 + random.below(5)
    const replicationFactor = (this.#replicationFactor = random.pick([2, 2, 3]))
    const durability = random.pick<Durability>(['none', 'flush', 'commit'])
    const stage = (this.#stage = new ClusterStage(random, {
      ...{ nodes, partitions: 16, replicationFactor, durability, lines },
    }))
    const spares = kind === 'losses' ? random.below(nodes - replicationFactor) : 0
    this.#spares = stage.nodes.slice(nodes - spares)
    this.#clients = new ClusterClients(stage.world, stage.nodes, 1 + random.below(12))
    this.#storm = new Storm({ ...stage.world, nodes: stage.nodes, own: this.#ownFaults() })
    stage.say('--', `${nodes} nodes, RF ${replicationFactor}, ${durability}`)
  }

  get goesOn(): boolean {
    return this.#stage.goesOn
  }

  async begin(): Promise<void> {
    for (const node of this.#stage.nodes) {
      node.skew = this.#skew()
      if (!this.#spares.includes(node)) node.start()
    }
    await this.#stage.settle(this.#members)
    for (let i = 0; i < clients; i++) this.#clients.start()
    await this.#stage.wait(1000)
  }

  /** Takes fewer than RF nodes away, brings them back, and waits until all copies are whole again. */
  async lose(): Promise<void> {
    const random = this.#random
    const stage = this.#stage
    if (this.#spares.length > 0 && random.chance(0.4)) {
      await this.#add()
      // Copies are under way when the first node goes.
      await stage.wait(random.between(100, 600))
    }
    stage.world.network.faults = random.pick([calmNetwork, { delay: 20, loss: 0, repeat: 0.3 }])
    const victims = random.shuffle(this.#members).slice(0, 1 + random.below(this.#replicationFactor - 1))
    for (const node of victims) {
      await stage.wait(random.pick([0, 5, 300, 2000]) * random.fraction())
      this.#takeAway(node)
    }
    await stage.wait(random.pick([10, 500, 1500, 4000]) * random.fraction())
    for (const node of victims) {
      node.resume()
      node.start()
      await stage.wait(random.pick([0, 100, 1500]) * random.fraction())
    }
    await stage.settle(this.#members)
    await stage.wait(random.pick([0, 500]) * random.fraction())
  }

  async storm(): Promise<void> {
    const faults = 1 + this.#random.below(8)
    for (let i = 0; i < faults; i++) {
      await this.#stage.wait(this.#random.pick([20, 300, 2000]) * this.#random.fraction())
      this.#storm.strike()
    }
    if (this.#random.chance(0.5)) await this.#calm()
  }

  async end(): Promise<void> {
    const stage = this.#stage
    await this.#calm()
    this.#clients.stop()
    await stage.wait(2000)
    if (!this.goesOn) return
    for (const text of checkConvergence(stage.world, stage.nodes)) stage.violate(text)
    const state = await this.#readAll()
    if (!this.goesOn) return
    const { operations } = this.#clients
    for (const text of checkWhole(operations, state)) stage.violate(text)
    if (this.#kind === 'losses') for (const text of checkNothingLost(operations, state)) stage.violate(text)
  }

  result(seed: number): RunResult {
    const { transcript, violations, witness, tally, nodes } = this.#stage
    const { operations, reads } = this.#clients
    const count = (outcome: string) => operations.filter((operation) => operation.outcome === outcome).length
    const proxied = nodes.reduce((sum, { running }) => sum + (running?.node.routing.proxied ?? 0), 0)
    return {
      seed,
      violations,
      checksum: transcript.checksum,
      counts: {
        faults: this.#storm.faults,
        views: witness.views,
        ok: count('ok'),
        inDoubt: count('in doubt'),
        refused: count('refused'),
        reads,
        proxied,
        ...tally.counts,
      },
      transcript: transcript.text(),
    }
  }

  /** Reads every record at every node: all must answer, and the same. */
  async #readAll(): Promise<Map<string, string | undefined>> {
    const { nodes } = this.#stage
    const state = new Map<string, string | undefined>()
    for (const key of this.#clients.keys) {
      const answers = new Map<string, string>()
      for (const node of nodes) {
        this.#clients.read(node, key, ({ code, text }) => {
          answers.set(node.id, `${code} ${text}`)
          state.set(key, text)
        })
      }
      await this.#stage.wait(300)
      const seen = new Set(answers.values())
      const served = [...seen].every((answer) => answer.startsWith('0 ') || answer.startsWith('2 '))
      if (answers.size !== nodes.length || seen.size !== 1 || !served) {
        this.#stage.violate(`service: ${key} is ${JSON.stringify([...answers])}`)
      }
    }
    return state
  }

  async #calm(): Promise<void> {
    this.#spares = []
    this.#storm.calm()
    await this.#stage.settle()
  }

  get #members(): ClusterSimNode[] {
    return this.#stage.nodes.filter((node) => !this.#spares.includes(node))
  }

  async #add(): Promise<void> {
    const node = this.#spares[0]!
    this.#spares = this.#spares.slice(1)
    this.#storm.note('node added', node.id)
    node.start()
    await this.#stage.wait(0)
  }

  #takeAway(node: ClusterSimNode): void {
    const how = this.#random.pick(['kill', 'power', 'lost disk', 'pause'] as const)
    this.#storm.note(how, node.id)
    if (how === 'lost disk') node.loseDisk()
    else if (how === 'pause') node.pause()
    else node.crash(how)
    node.skew = this.#skew()
  }

  #ownFaults(): Record<string, (node: ClusterSimNode) => void> {
    return {
      'clock jump': (node) => {
        node.skew = this.#skew()
      },
    }
  }

  /** Milliseconds that a clock is ahead or behind. */
  #skew(): number {
    return Math.floor(this.#random.between(-1, 1) * this.#random.pick([0, 10, 1000, 7_200_000]))
  }
}
