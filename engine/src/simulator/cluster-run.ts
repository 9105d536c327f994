/**
 * A whole AP cluster under clients and faults, from a seed. Kind `losses`: fewer nodes than the replication factor are
 * away at a time, the network is slow but whole: nothing acknowledged may be missing. Kind `splits`: everything may
 * happen; each record must become one version whole, the same everywhere.
 */
import { conflictPolicies } from '../namespace/namespace-config.ts'
import {
  checkConvergence,
  checkTruncation,
  checkNothingLost,
  checkReads,
  checkWhole,
} from './cluster-checks.ts'
import { ClusterClients, mortalSet } from './cluster-clients.ts'
import { anySkew, clusterFaults, fullDiskTime, recluster, standLongStill } from './cluster-faults.ts'
import { ClusterLosses } from './cluster-losses.ts'
import type { ClusterSimNode } from './cluster-sim-node.ts'
import { ClusterStage } from './cluster-stage.ts'
import type { Durability } from './cluster-world.ts'
import { Random } from './random.ts'
import type { RunResult } from './run-result.ts'
import { checkClocks, setClocksRight } from './clock-outlier.ts'
import { checkConflicts } from './split-conflicts.ts'
import { checkLastSetting } from './split-settings.ts'
import { Storm } from './storm.ts'

export interface ClusterRunOptions {
  readonly seed: number
  readonly kind: 'losses' | 'splits'
  /** 16 by default. */
  readonly partitions?: number | undefined
  /** Lines of the transcript that are kept. */
  readonly lines?: number | undefined
}

/** Most of what goes wrong does so within few rounds of faults, and some of it only after many. */
const roundsOf = (seed: number): number => (seed % 4 === 0 ? 8 : 4)
const clients = 6
/** Milliseconds. */
const usualBound = 40_000

export async function runCluster(options: ClusterRunOptions): Promise<RunResult> {
  const run = new ClusterRun(options)
  await run.begin()
  for (let round = roundsOf(options.seed); round > 0 && run.goesOn; round--) {
    await run.round()
  }
  await run.end()
  return run.result(options.seed)
}

class ClusterRun {
  readonly #random: Random
  readonly #stage: ClusterStage
  readonly #storm: Storm<ClusterSimNode>
  readonly #clients: ClusterClients
  readonly #replicationFactor: number
  /** Of kind `losses`. */
  readonly #losses: ClusterLosses | undefined

  constructor({ seed, kind, partitions = 16, lines }: ClusterRunOptions) {
    const random = (this.#random = new Random(seed))
    const nodes = 3 + random.below(5)
    const replicationFactor = (this.#replicationFactor = random.pick([2, 2, 3]))
    const durability = random.pick<Durability>(['none', 'flush', 'commit'])
    const racks = random.pick([1, 1, 2, 3])
    // Not by chance, so that the known seeds stay what they are.
    const conflictPolicy = conflictPolicies[seed % conflictPolicies.length]!
    const clockBound = kind === 'splits' && seed % 3 === 0 ? usualBound : 0
    const policies = { conflictPolicy, clockBound }
    const setting = { nodes, partitions, replicationFactor, racks, durability, ...policies, lines }
    const stage = (this.#stage = new ClusterStage(random, setting))
    this.#clients = new ClusterClients(stage.world, stage.nodes, 1 + random.below(12))
    this.#storm = new Storm({ ...stage.world, nodes: stage.nodes, own: clusterFaults(stage) })
    if (kind === 'losses')
      this.#losses = new ClusterLosses(stage, this.#clients, this.#storm, replicationFactor)
    stage.say(
      '--',
      `${nodes} nodes in ${racks} racks, RF ${replicationFactor}, ${durability}, by ${conflictPolicy}`,
    )
  }

  get goesOn(): boolean {
    return this.#stage.goesOn
  }

  async begin(): Promise<void> {
    const members = this.#losses?.members ?? this.#stage.nodes
    for (const node of this.#stage.nodes) node.skew = anySkew(this.#random)
    for (const node of members) node.start()
    await this.#stage.settle(members)
    for (let i = 0; i < clients; i++) this.#clients.start()
    await this.#stage.wait(1000)
  }

  async round(): Promise<void> {
    if (this.#losses) return this.#losses.round()
    const random = this.#random
    const stage = this.#stage
    for (let faults = 1 + random.below(8); faults > 0; faults--) {
      await stage.wait(random.pick([20, 300, 2000]) * random.fraction())
      this.#storm.strike()
    }
    if (random.chance(0.01)) await standLongStill(stage, this.#clients, random.some(stage.nodes))
    if (random.chance(0.5)) await this.#calm()
  }

  async end(): Promise<void> {
    const stage = this.#stage
    await this.#calm()
    this.#clients.stop()
    // The last of what lives only for a while goes, too.
    await stage.wait(4000)
    if (!this.goesOn) return
    for (const text of checkConvergence(stage.world, stage.nodes)) stage.violate(text)
    const said = this.#losses ? this.#clients.truncatedBefore : 0
    for (const text of checkTruncation(stage.nodes, mortalSet, said)) stage.violate(text)
    const state = await this.#readAll()
    if (!this.goesOn) return
    const { operations, reads } = this.#clients
    const found = [
      ...checkWhole(operations, [...reads.map(({ key, text }) => [key, text] as const), ...state]),
      ...checkReads(operations, reads, this.#losses === undefined),
      ...(this.#losses ? checkNothingLost(operations, state) : []),
    ]
    for (const text of found) stage.violate(text)
    if (!this.#losses && this.goesOn) await checkConflicts(stage, this.#clients.digests)
    if (!this.#losses && this.goesOn) await checkLastSetting(stage)
    if (!this.#losses && this.goesOn) await checkClocks(stage, this.#clients.digests)
  }

  result(seed: number): RunResult {
    const { transcript, violations, witness, maps, tally, nodes } = this.#stage
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
        reads: reads.length,
        quietReads: reads.filter(({ quietSince }) => quietSince !== undefined).length,
        proxied,
        moves: maps.moves,
        ...tally.counts,
      },
      transcript: this.#stage.transcriptOf(this.#clients.digests),
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
    const { nodes } = this.#stage
    this.#storm.calm()
    if (this.#stage.world.clockBound > 0) await setClocksRight(this.#stage)
    for (const node of nodes) {
      node.disk.repair()
      node.replicationFactor = this.#losses?.replicationFactor ?? this.#replicationFactor
      node.operate((each) => {
        each.quiesced = false
      })
    }
    // Who stood still when its disk failed ends only now.
    await this.#stage.wait(1)
    for (const node of nodes) node.start()
    recluster(nodes)
    await this.#stage.settle()
    await this.#stage.wait(fullDiskTime)
    this.#clients.beginQuiet({ settled: true })
    await this.#stage.wait(this.#random.between(0, 500))
    this.#clients.endQuiet()
  }
}
