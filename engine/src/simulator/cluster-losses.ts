/**
 * The script of kind `losses`: again and again fewer nodes than the replication factor go away, in any way, while the
 * network may be slow but is whole; then all copies become whole again. In between nodes join and are taken out in
 * good order, and the replication factor changes. What nodes with `commit` have acknowledged survives all of them at
 * once losing power, too.
 */
import type { ClusterClients } from './cluster-clients.ts'
import { anySkew, fullDiskTime, recluster, standLongStill } from './cluster-faults.ts'
import type { ClusterSimNode } from './cluster-sim-node.ts'
import type { ClusterStage } from './cluster-stage.ts'
import { beatTimeout } from './cluster-world.ts'
import { calmNetwork } from './network.ts'
import { quickDisk, type Storm } from './storm.ts'

/**
 * Milliseconds of the longest sync of a node that joins with a slow disk, so that filling it takes a while. Slower ones
 * do not promise in time and are left out of views, as if they were away.
 */
const slowFill = 60
/** Of nodes that are about to lose power. */
const slowSync = 100
/** Milliseconds after the last fault within which every partition serves again (M6 of cluster/README.md, and a round). */
const servesWithin = 4 * beatTimeout

export class ClusterLosses {
  readonly #stage: ClusterStage
  readonly #clients: ClusterClients
  readonly #storm: Storm<ClusterSimNode>
  /** Nodes that have not joined yet, or have left. */
  #spares: readonly ClusterSimNode[]
  #replicationFactor: number
  #wasFull = false

  constructor(
    stage: ClusterStage,
    clients: ClusterClients,
    storm: Storm<ClusterSimNode>,
    replicationFactor: number,
  ) {
    this.#stage = stage
    this.#clients = clients
    this.#storm = storm
    this.#replicationFactor = replicationFactor
    const { nodes, random } = stage
    this.#spares = nodes.slice(nodes.length - random.below(nodes.length - replicationFactor))
  }

  get replicationFactor(): number {
    return this.#replicationFactor
  }

  get members(): readonly ClusterSimNode[] {
    return this.#stage.nodes.filter((node) => !this.#spares.includes(node))
  }

  async round(): Promise<void> {
    const { random, world } = this.#stage
    const atMost = Math.min(await this.#operate(), this.#replicationFactor) - 1
    world.network.faults = random.pick([calmNetwork, { delay: 20, loss: 0, repeat: 0.3 }])
    if (world.durability === 'commit' && random.chance(0.15)) await this.#blackout(atMost)
    else await this.#lose(random.shuffle(this.members).slice(0, 1 + random.below(atMost)))
    for (const node of this.members) node.diskDelay = quickDisk
    await this.#stage.settle(this.members)
    await this.#stage.wait(this.#wasFull ? fullDiskTime : 0)
    this.#wasFull = false
    this.#clients.beginQuiet({ settled: true })
    await this.#stage.wait(random.pick([0, 500]) * random.fraction())
    this.#clients.endQuiet()
  }

  /** Now and then something that operators do; answers the replication factor that all data has for certain. */
  async #operate(): Promise<number> {
    const { random } = this.#stage
    const before = this.#replicationFactor
    if (this.#spares.length > 0 && random.chance(0.4)) await this.#add()
    else if (this.members.length > before + 1 && random.chance(0.2)) await this.#remove()
    else if (random.chance(0.15)) await this.#changeFactor()
    return before
  }

  async #add(): Promise<void> {
    const { random } = this.#stage
    const node = random.pick(this.#spares)
    this.#spares = this.#spares.filter((each) => each !== node)
    this.#storm.note('node added', node.id)
    if (random.chance(0.3)) node.diskDelay = slowFill
    node.start()
    // Copies are under way when the first node goes.
    if (random.chance(0.5)) await this.#untilServing(node)
    else await this.#stage.wait(random.between(100, 1500))
  }

  async #untilServing(node: ClusterSimNode): Promise<void> {
    const { clock } = this.#stage
    const latest = clock.now + servesWithin
    while (clock.now < latest && node.running?.node.serving === undefined) await this.#stage.wait(1)
  }

  /** In good order: first it gives its data away. It may come back, with all that it had. */
  async #remove(): Promise<void> {
    const { random } = this.#stage
    const node = random.pick(this.members)
    this.#storm.note('node removed', node.id)
    node.operate((each) => {
      each.quiesced = true
    })
    recluster(this.members)
    await this.#stage.wait(beatTimeout)
    await this.#stage.settle(this.members)
    if (!this.#stage.goesOn) return
    this.#spares = [...this.#spares, node]
    node.crash('kill')
    await this.#stage.settle(this.members)
  }

  async #changeFactor(): Promise<void> {
    const factor = this.#replicationFactor === 2 ? 3 : 2
    this.#storm.note('replication factor', `${factor}`)
    this.#replicationFactor = factor
    for (const node of this.#stage.nodes) node.replicationFactor = factor
    recluster(this.members)
    await this.#stage.wait(this.#stage.random.between(0, 1500))
  }

  async #lose(victims: readonly ClusterSimNode[]): Promise<void> {
    const { random } = this.#stage
    for (const node of victims) {
      await this.#stage.wait(random.pick([0, 5, 300, 2000]) * random.fraction())
      this.#takeAway(node)
    }
    if (random.chance(0.25)) await this.#checkService(victims)
    else if (random.chance(0.02)) await standLongStill(this.#stage, this.#clients, victims)
    else await this.#stage.wait(random.pick([10, 500, 1500, 4000]) * random.fraction())
    for (const node of victims) {
      node.disk.repair()
      node.resume()
      node.start()
      await this.#stage.wait(random.pick([0, 100, 1500]) * random.fraction())
    }
  }

  #takeAway(node: ClusterSimNode): void {
    const { random } = this.#stage
    const how = random.pick([
      'kill',
      'power',
      'lost disk',
      'pause',
      'disk failure',
      'disk full',
      'power loss between saves',
    ] as const)
    this.#storm.note(how, node.id)
    node.skew = anySkew(random)
    switch (how) {
      case 'lost disk':
        return node.loseDisk()
      case 'pause':
        return node.pause()
      case 'disk failure':
        node.disk.failsNext = random.pick(['write', 'sync'])
        return
      case 'disk full':
        node.disk.isFull = true
        this.#wasFull = true
        return
      case 'power loss between saves':
        node.disk.writesLeft = 1 + random.below(3)
        return
      default:
        return node.crash(how)
    }
  }

  /** Every partition serves at the nodes that are left, soon after the others have gone. */
  async #checkService(victims: readonly ClusterSimNode[]): Promise<void> {
    const { random, tally } = this.#stage
    // What is only ill still takes part.
    const isIll = victims.some((node) => node.running && !node.isPaused)
    if (isIll || this.members.some((node) => node.diskDelay > quickDisk)) {
      return this.#stage.wait(random.between(0, 3000))
    }
    await this.#stage.wait(servesWithin)
    tally.add('service checked')
    this.#clients.beginQuiet({ settled: false })
    await this.#stage.wait(random.between(200, 800))
    this.#clients.endQuiet()
  }

  /**
   * All lose power, and some lose their disks. Nobody writes before all are back: the first ones would take writes
   * without what the others hold.
   */
  async #blackout(atMost: number): Promise<void> {
    const { random, clock } = this.#stage
    this.#storm.note('power loss of all', 'all nodes')
    // What is acknowledged without being on disk is much with slow disks.
    for (const node of this.members) node.diskDelay = random.pick([quickDisk, slowSync])
    await this.#stage.wait(2 * slowSync)
    const bare = random.shuffle(this.members).slice(0, random.below(atMost + 1))
    this.#clients.held = true
    for (const node of this.members) {
      clock.after(random.pick([0, 1, 300]) * random.fraction(), () => {
        if (bare.includes(node)) node.loseDisk()
        else node.crash('power')
        clock.after(random.between(300, 2000), () => node.start())
      })
    }
    await this.#stage.wait(2300)
    for (const node of this.members) node.diskDelay = quickDisk
    await this.#stage.settle(this.members)
    this.#clients.held = false
  }
}
