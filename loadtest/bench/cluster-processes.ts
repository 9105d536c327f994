/** Nodes of one cluster under load, all on one core, the generator on another. */
import { setTimeout as sleep } from 'node:timers/promises'
import { requestInfo } from '../../engine/src/cli/info-request.ts'
import { CpuQuota } from './cpu-quota.ts'
import { freePort, load, type Measured, ServerProcess } from './processes.ts'

export interface ClusterOptions {
  readonly size: number
  /** As the server's flag takes them. */
  readonly namespaces: readonly string[]
  /** Each node's CPU can be limited. */
  readonly hasQuota?: boolean
  /** The nodes take any core; else they share one. */
  readonly floats?: boolean
}

export interface ClusterMeasured extends Measured {
  /** Share of the periods in which a node had used up its quota, over all nodes. */
  readonly throttled: number
}

const host = '127.0.0.1'
const stableMs = 300_000

interface Member {
  readonly id: string
  readonly port: number
  readonly meshPort: number
  readonly quota: CpuQuota | undefined
  process: ServerProcess | undefined
}

export class ClusterProcesses {
  readonly #options: ClusterOptions
  readonly #members: Member[] = []
  #share = 1

  private constructor(options: ClusterOptions) {
    this.#options = options
  }

  static async start(options: ClusterOptions): Promise<ClusterProcesses> {
    const cluster = new ClusterProcesses(options)
    try {
      for (let i = 0; i < options.size; i++) await cluster.add()
      await cluster.whenStable()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  get ports(): number[] {
    return this.#running().map(({ port }) => port)
  }

  /** Starts one node more; it has not joined yet. */
  async add(): Promise<number> {
    const quota = this.#options.hasQuota ? CpuQuota.create() : undefined
    quota?.limit(this.#share)
    const member = {
      id: `A${this.#members.length + 1}`,
      port: await freePort(),
      meshPort: await freePort(),
      ...{ quota, process: undefined },
    }
    this.#members.push(member)
    await this.start(this.#members.length - 1)
    return member.port
  }

  /** The share of a core that each node has from now on, those included that are added later. */
  limit(share: number): void {
    this.#share = share
    for (const { quota } of this.#members) quota?.limit(share)
  }

  async start(index: number): Promise<void> {
    const member = this.#members[index]!
    const { id, port, meshPort, quota } = member
    const flags = ['--node-id', id, '--mesh-port', String(meshPort)]
    for (const other of this.#running()) flags.push('--seed', `${host}:${other.meshPort}`)
    for (const namespace of this.#options.namespaces) flags.push('--namespace', namespace)
    const { floats = false } = this.#options
    member.process = await ServerProcess.larder(flags, { port, floats, ...(quota ? { quota } : {}) })
  }

  async kill(index: number): Promise<void> {
    const member = this.#members[index]!
    await member.process?.stop('SIGKILL')
    member.process = undefined
  }

  /** Until all nodes agree and nothing moves; answers how long that took, in seconds. */
  async whenStable(): Promise<number> {
    const began = performance.now()
    const size = this.#running().length
    while (performance.now() - began < stableMs) {
      const answers = await Promise.all(this.ports.map((port) => info(port, `cluster-stable:size=${size}`)))
      if (new Set(answers).size === 1 && !/^ERROR|^$/.test(answers[0]!))
        return (performance.now() - began) / 1000
      await sleep(20)
    }
    throw new Error(`${size} nodes were not stable after ${stableMs / 1000} s`)
  }

  /** The sum of a namespace's statistic over all nodes. */
  async sum(namespace: string, statistic: string): Promise<number> {
    const answers = await Promise.all(this.ports.map((port) => info(port, `namespace/${namespace}`)))
    const form = new RegExp(`(?:^|;)${statistic}=(\\d+)`)
    return answers.reduce((sum, answer) => sum + Number(form.exec(answer)?.[1] ?? 0), 0)
  }

  /** Runs the generator against the masters of all nodes. */
  async load(flags: Record<string, string | number | true>, countsErrors = false): Promise<ClusterMeasured> {
    const members = this.#running()
    const before = this.#throttling()
    const servers = { cpuSeconds: () => sum(members.map((member) => member.process!.cpuSeconds())) }
    const run = await load(servers, { ports: this.ports.join(','), ...flags }, countsErrors)
    const after = this.#throttling()
    const periods = after.periods - before.periods
    return { ...run, throttled: periods === 0 ? 0 : (after.throttled - before.throttled) / periods }
  }

  async stop(): Promise<void> {
    for (const member of this.#members) {
      await member.process?.stop('SIGKILL')
      member.process = undefined
      member.quota?.remove()
    }
  }

  #running(): Member[] {
    return this.#members.filter(({ process }) => process !== undefined)
  }

  #throttling(): { periods: number; throttled: number } {
    const all = this.#members.flatMap(({ quota }) => (quota ? [quota.throttling()] : []))
    return {
      periods: sum(all.map(({ periods }) => periods)),
      throttled: sum(all.map(({ throttled }) => throttled)),
    }
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

async function info(port: number, command: string): Promise<string> {
  return (await requestInfo({ host, port }, [command])).get(command) ?? ''
}
