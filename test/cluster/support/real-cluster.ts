import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, connect, type ConnectOptions, type NamespaceConfig } from '@larder/engine'
import { eventually } from '../../support/eventually.ts'
import { fixedPort } from './fixed-port.ts'
import { MeshRelays } from './mesh-relay.ts'
import { NodeProcess } from './node-process.ts'

export interface ClusterSetup {
  readonly size: number
  readonly namespaces: readonly NamespaceConfig[]
  /** Puts a relay in front of every mesh port, so that links can be broken. */
  readonly relays?: boolean
  /** Hosts of another network, one for each node; all on the loopback unless told. */
  readonly hosts?: readonly ClusterHost[]
}

export interface ClusterHost {
  readonly address: string
  /** What runs a command there. */
  readonly within: readonly string[]
}

interface MeshPorts {
  readonly id: string
  readonly host: ClusterHost
  /** Where the node listens for others, and where others are told that it does. */
  readonly own: number
  readonly told: number
}

const loopback: ClusterHost = { address: '127.0.0.1', within: [] }
const stableMs = 30_000
/** Clients look for changes every second: until then they still come to a node that has given everything away. */
const drainMs = 2000

/** Nodes of one cluster as processes on this machine. Whoever starts one closes it, whatever happens in between. */
export class RealCluster {
  readonly nodes: NodeProcess[] = []
  readonly relays: MeshRelays | undefined
  readonly #setup: ClusterSetup
  readonly #folder = mkdtempSync(join(tmpdir(), 'larder-cluster-'))
  readonly #mesh: MeshPorts[] = []
  readonly #clients: Client[] = []

  private constructor(setup: ClusterSetup) {
    this.#setup = setup
    if (setup.relays) this.relays = new MeshRelays()
  }

  static async start(setup: ClusterSetup): Promise<RealCluster> {
    const cluster = new RealCluster(setup)
    try {
      for (let i = 0; i < setup.size; i++) await cluster.#allot()
      for (const ports of cluster.#mesh) await cluster.#make(ports)
      await Promise.all(cluster.nodes.map((node) => node.start()))
      await cluster.whenStable({ ignoreMigrations: true })
      await cluster.setRoster(cluster.nodes)
      await cluster.whenStable()
      return cluster
    } catch (error) {
      await cluster.close()
      throw error
    }
  }

  get running(): NodeProcess[] {
    return this.nodes.filter((node) => node.isRunning && !node.isPaused)
  }

  node(index: number): NodeProcess {
    const node = this.nodes[index]
    if (!node) throw new Error(`there is no node ${index}; there are ${this.nodes.length}`)
    return node
  }

  /** Starts one node more, which knows the others as seeds. */
  async add(): Promise<NodeProcess> {
    const node = await this.#make(await this.#allot())
    await node.start()
    return node
  }

  /** As an operator does it: the node gives its partitions away, ends, comes back, and is waited for. */
  async restart(node: NodeProcess): Promise<void> {
    await node.info('quiesce:')
    await this.#recluster()
    await this.whenStable()
    await sleep(drainMs)
    await node.stop()
    await this.whenStable({ ignoreMigrations: true })
    await node.start()
    await this.whenStable()
  }

  /** Makes these nodes the roster of every strong namespace. */
  async setRoster(nodes: readonly NodeProcess[]): Promise<void> {
    const strong = this.#setup.namespaces.filter(({ consistency }) => consistency === 'strong')
    if (strong.length === 0) return
    const ids = nodes.map(({ id }) => id).join(',')
    for (const { name } of strong) {
      const [asked] = this.running
      const answer = await asked!.info(`roster-set:namespace=${name};nodes=${ids}`)
      if (answer !== 'ok') throw new Error(`roster-set: ${answer}`)
      await eventually(
        async () => (await asked!.info(`roster:namespace=${name}`)).includes(`pending_roster=${ids}`),
        {
          what: `the roster of ${name} to be pending`,
          ms: stableMs,
          seen: () => asked!.info(`roster:namespace=${name}`),
        },
      )
    }
    await this.#recluster()
    for (const { name } of strong) for (const node of this.running) await this.#serves(node, name, ids)
  }

  /** Until all nodes that run agree that the cluster is they, and nothing moves any more. */
  whenStable({ ms = stableMs, ignoreMigrations = false } = {}): Promise<string> {
    const { running } = this
    const command = `cluster-stable:size=${running.length}${ignoreMigrations ? ';ignore-migrations=true' : ''}`
    const ask = () => Promise.all(running.map((node) => node.info(command)))
    return eventually(
      async () => {
        const answers = await ask()
        return new Set(answers).size === 1 && !answers[0]!.startsWith('ERROR') && answers[0]
      },
      { what: `${running.length} nodes to be stable`, ms, seen: async () => `${await ask()}` },
    )
  }

  /** A client that is closed with the cluster. */
  async connect(options: ConnectOptions = {}): Promise<Client> {
    const client = await connect({ hosts: this.running.map(({ address }) => address), ...options })
    this.#clients.push(client)
    return client
  }

  /** What the nodes said last, for a failure. */
  lines(count = 30): string {
    return this.nodes.map(({ id, lines }) => [`-- ${id}`, ...lines.slice(-count)].join('\n')).join('\n')
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()))
    await Promise.all(this.nodes.map((node) => node.kill()))
    this.relays?.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Until the node knows this roster as the one in force, and every partition is served. */
  async #serves(node: NodeProcess, namespace: string, roster: string): Promise<void> {
    const told = () => node.info(`roster:namespace=${namespace}`)
    await eventually(
      async () => {
        const unavailable = await node.statistic('unavailable_partitions', `namespace/${namespace}`)
        return unavailable === '0' && (await told()).startsWith(`roster=${roster}:`)
      },
      { what: `${node.id} to have all partitions of ${namespace}`, ms: stableMs, seen: told },
    )
  }

  /** Asks every node, as operators do: the one that leads heeds it. */
  async #recluster(): Promise<void> {
    const answers = await Promise.all(this.running.map((node) => node.info('recluster:')))
    if (!answers.includes('ok')) throw new Error(`recluster: ${answers}`)
  }

  async #allot(): Promise<MeshPorts> {
    const own = await fixedPort()
    const ports = {
      id: `A${this.#mesh.length + 1}`,
      host: this.#setup.hosts?.[this.#mesh.length] ?? loopback,
      own,
      told: this.relays ? await fixedPort() : own,
    }
    this.#mesh.push(ports)
    this.relays?.open({ id: ports.id, port: ports.told, target: own })
    return ports
  }

  async #make({ id, host, own, told }: MeshPorts): Promise<NodeProcess> {
    const folder = join(this.#folder, id)
    const seeds = this.#mesh
      .filter((other) => other.id !== id)
      .map((other) => `${other.host.address}:${other.told}`)
    const cluster = { port: own, seeds, ...(told === own ? {} : { advertise: `${host.address}:${told}` }) }
    const { namespaces } = this.#setup
    const port = await fixedPort()
    const config = { port, folder: join(folder, 'data'), clusterName: 'test', namespaces, cluster }
    const node = new NodeProcess({ id, folder, config, host: host.address, within: host.within })
    this.nodes.push(node)
    return node
  }
}
