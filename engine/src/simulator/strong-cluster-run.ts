/**
 * A whole cluster with a strong namespace, under clients, faults and operators who change its roster, from a seed.
 * Histories must be linearizable whatever happens; in the end, when nothing is broken any more, all partitions serve if
 * no rule forbids it, and what was acknowledged is there.
 */
import { anySkew } from './cluster-faults.ts'
import type { ClusterSimNode } from './cluster-sim-node.ts'
import { ClusterStage } from './cluster-stage.ts'
import { beatTimeout, namespaceName } from './cluster-world.ts'
import { Random } from './random.ts'
import type { RunResult } from './run-result.ts'
import { Storm } from './storm.ts'
import { StrongClusterClients } from './strong-cluster-clients.ts'

export interface StrongClusterOptions {
  readonly seed: number
  /** 16 by default. */
  readonly partitions?: number | undefined
  /** Lines of the transcript that are kept. */
  readonly lines?: number | undefined
}

const rounds = 8
const clients = 6
/** Milliseconds within which a cluster that nothing disturbs any more serves, and has filled its copies. */
const settleTime = 30_000

export async function runStrongCluster(options: StrongClusterOptions): Promise<RunResult> {
  const run = new StrongClusterRun(options)
  await run.begin()
  for (let round = 0; round < rounds && run.goesOn; round++) await run.round()
  await run.end()
  return run.result(options.seed)
}

class StrongClusterRun {
  readonly #random: Random
  readonly #stage: ClusterStage
  readonly #storm: Storm<ClusterSimNode>
  readonly #clients: StrongClusterClients
  readonly #durability: 'flush' | 'commit'
  #rosters = 0
  #revived = 0
  /** Nobody has anything left of what the roster lists. */
  #isOver = false
  /** Those that lost their disk and have not been told since of what there was. */
  readonly #blank = new Set<ClusterSimNode>()
  #lostDisks = 0

  constructor({ seed, partitions = 16, lines }: StrongClusterOptions) {
    const random = (this.#random = new Random(seed))
    const nodes = 3 + random.below(3)
    const replicationFactor = random.pick([2, 2, 3])
    const durability = (this.#durability = random.pick(['flush', 'commit']))
    const racks = random.pick([1, 1, 2])
    const setting = { nodes, partitions, replicationFactor, racks, durability, isStrong: true, lines }
    const stage = (this.#stage = new ClusterStage(random, setting))
    this.#clients = new StrongClusterClients(stage, 1 + random.below(6))
    this.#storm = new Storm({ ...stage.world, nodes: stage.nodes, own: this.#faults(random.chance(0.5)) })
    stage.say('--', `${nodes} nodes, RF ${replicationFactor}, ${durability}`)
  }

  get goesOn(): boolean {
    return this.#stage.goesOn && !this.#isOver
  }

  async begin(): Promise<void> {
    const { nodes } = this.#stage
    for (const node of nodes) {
      node.skew = anySkew(this.#random)
      node.start()
    }
    await this.#settle(({ members }) => members === nodes.length, 'nodes do not find each other')
    this.#setRoster(nodes[0]!, nodes.length > 3 && this.#random.chance(0.3) ? nodes.length - 1 : nodes.length)
    await this.#settle(isCalm, 'the first roster does not serve')
    for (let i = 0; i < clients; i++) this.#clients.start()
    await this.#stage.wait(1000)
  }

  async round(): Promise<void> {
    const random = this.#random
    for (let faults = 1 + random.below(6); faults > 0; faults--) {
      await this.#stage.wait(random.pick([20, 300, 2000]) * random.fraction())
      this.#storm.strike()
    }
    if (random.chance(0.5)) await this.#calm()
  }

  async end(): Promise<void> {
    await this.#calm()
    this.#clients.stop()
    await this.#stage.wait(2000)
    if (!this.goesOn) return
    if (!this.#isOver) await this.#readAll()
    for (const text of this.#clients.check()) this.#stage.violate(text)
  }

  result(seed: number): RunResult {
    const { transcript, violations, witness, tally, nodes } = this.#stage
    const { acknowledged, refused, inDoubt, reads, truncated, gaveUp } = this.#clients
    return {
      seed,
      violations,
      checksum: transcript.checksum,
      counts: {
        faults: this.#storm.faults,
        views: witness.views,
        ...{ acknowledged, refused, inDoubt, reads, truncated, gaveUp },
        rosters: this.#rosters,
        revived: this.#revived,
        over: Number(this.#isOver),
        proxied: nodes.reduce((sum, { running }) => sum + (running?.node.routing.proxied ?? 0), 0),
        ...tally.counts,
      },
      transcript: this.#stage.transcriptOf([]),
    }
  }

  #faults(losesDisks: boolean): Record<string, (node: ClusterSimNode) => void> {
    const { nodes, clock } = this.#stage
    const random = this.#random
    return {
      'power loss of all': () => {
        for (const node of nodes) {
          node.crash('power')
          clock.after(random.between(0, 2000), () => node.start())
        }
      },
      'disk failure': (node) => {
        node.disk.failsNext = random.pick(['write', 'sync'])
      },
      'power loss between saves': (node) => {
        node.disk.writesLeft = 1 + random.below(3)
      },
      'clock jump': (node) => {
        node.skew = anySkew(random)
      },
      quiesce: (node) => {
        node.operate((each) => {
          each.quiesced = !each.quiesced
          each.recluster()
        })
      },
      roster: (node) => this.#setRoster(node, 2 + random.below(nodes.length - 1)),
      'lost disk': (node) => {
        if (!losesDisks) return
        // Where nobody remembers anything, a new cluster begins, and no rule can tell.
        const remember = nodes.filter((each) => each !== node && !this.#blank.has(each))
        if (remember.length === 0) return
        this.#blank.add(node)
        this.#lostDisks++
        node.loseDisk()
        node.start()
      },
    }
  }

  /** An operator lists that many of the nodes that are seen. */
  #setRoster(node: ClusterSimNode, count: number): void {
    node.operate((each) => {
      const observed = [...(each.strong.rosterOf(namespaceName)?.observed ?? [])]
      if (observed.length < 2) return
      while (observed.length > count) observed.splice(this.#random.below(observed.length), 1)
      const refusal = each.strong.setRoster(namespaceName, observed)
      this.#stage.say(node.id, `roster ${observed.map(({ id }) => id).join(' ')}: ${refusal ?? 'noted'}`)
      if (refusal === undefined) this.#rosters++
      each.recluster()
    })
  }

  async #calm(): Promise<void> {
    const { nodes } = this.#stage
    this.#storm.calm()
    for (const node of nodes) {
      node.disk.repair()
      node.operate((each) => {
        each.quiesced = false
      })
    }
    // Who stood still when its disk failed ends only now.
    await this.#stage.wait(1)
    for (const node of nodes) node.start()
    const { length } = nodes
    await this.#settle(({ members }) => members === length, 'nodes do not find each other')
    this.#blank.clear()
    this.#setRoster(nodes[0]!, length)
    if (this.#mustServe) return this.#settle(isCalm, 'a partition does not serve, and no rule forbids it')
    for (let i = 0; i < 100 && this.goesOn && !isCalm(this.#state()); i++) await this.#stage.wait(100)
    if (this.goesOn && !isCalm(this.#state())) await this.#revive()
  }

  /** Makes dead partitions serve with what there is; what else was acknowledged may be gone. */
  async #revive(): Promise<void> {
    const { nodes } = this.#stage
    for (const text of this.#clients.restart()) this.#stage.violate(text)
    let refusal: string | undefined
    nodes[0]!.operate((node) => {
      refusal = node.strong.revive(namespaceName)
      node.recluster()
    })
    this.#stage.say('--', `revive: ${refusal ?? 'noted'}`)
    if (refusal !== undefined) {
      this.#isOver = true
      return
    }
    this.#revived++
    await this.#settle(({ left }) => left.every(({ unavailable }) => unavailable === 0), 'dead after revive')
    this.#setRoster(nodes[0]!, nodes.length)
    await this.#settle(isCalm, 'not calm after revive')
  }

  /** Reads every record at some node: who serves must answer. */
  async #readAll(): Promise<void> {
    const { nodes } = this.#stage
    for (const key of this.#clients.keys) {
      let code: number | undefined
      this.#clients.read(this.#random.pick(nodes), key, (answer) => {
        code = answer
      })
      for (let i = 0; i < 12 && code === undefined; i++) await this.#stage.wait(100)
      if (code === 0 || code === 2) continue
      this.#stage.violate(`service: in the end a read of ${key} is answered ${code}`)
    }
  }

  get #mustServe(): boolean {
    return this.#lostDisks === 0 && this.#durability === 'commit'
  }

  async #settle(isFine: (state: State) => boolean, what: string): Promise<void> {
    const until = this.#stage.clock.now + settleTime
    let since = Infinity
    while (this.#stage.clock.now < until && this.goesOn) {
      await this.#stage.wait(50)
      if (!isFine(this.#state())) since = Infinity
      else if (since === Infinity) since = this.#stage.clock.now
      else if (this.#stage.clock.now - since >= beatTimeout) return
    }
    if (this.goesOn) this.#stage.violate(`settle: ${what}: ${JSON.stringify(this.#state())}`)
  }

  #state(): State {
    const nodes = this.#stage.nodes.map(({ running }) => running?.node)
    const views = new Set(nodes.map((node) => node?.serving))
    const isOne = views.size === 1 && !views.has(undefined)
    const namespaces = nodes.map((node) => node?.strong.namespaces.get(namespaceName))
    const left = namespaces.map((namespace) => ({
      unavailable: namespace?.plans?.unavailable,
      unsettled: namespace?.unsettled,
      misplaced: namespace?.misplaced,
    }))
    const calm =
      isOne &&
      left.every(
        ({ unavailable, unsettled, misplaced }) => unavailable === 0 && unsettled === 0 && misplaced === 0,
      )
    return { calm, members: isOne ? nodes.length : 0, left }
  }
}

interface State {
  /** All are in one view, everything serves and every replica is filled. */
  readonly calm: boolean
  /** In one view. */
  readonly members: number
  readonly left: readonly { readonly unavailable: number | undefined }[]
}

function isCalm({ calm }: State): boolean {
  return calm
}
