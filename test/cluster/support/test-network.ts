/**
 * A network of its own for the nodes of a test: a network namespace for each host, and a switch in another one to
 * which all are plugged. Nothing of it is reachable from outside, and nothing outside from it. Needs Linux and root.
 */
import { execFileSync } from 'node:child_process'

/** The range that is kept for tests of networks (RFC 2544). */
const addressOf = (host: number) => `198.18.0.${host + 1}`

export interface TestHost {
  readonly namespace: string
  readonly address: string
  /** The switch's end of its cable. */
  readonly port: string
}

export class TestNetwork {
  readonly hosts: readonly TestHost[]
  readonly #switch: string

  /** Takes over a network that another process has made and will remove. */
  constructor(names: { readonly switch: string; readonly hosts: readonly TestHost[] }) {
    this.hosts = names.hosts
    this.#switch = names.switch
  }

  /** Why there can be none on this machine; undefined where it can. */
  static missing(): string | undefined {
    const name = `larder-probe-${process.pid}`
    try {
      ip('netns', 'add', name)
      ip('-n', name, 'link', 'add', 'bridge0', 'type', 'bridge')
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message.split('\n')[0]! : String(error)
    } finally {
      try {
        ip('netns', 'del', name)
      } catch {
        // It was never there.
      }
    }
  }

  static create(count: number): TestNetwork {
    const name = `larder-${process.pid}`
    const hosts = Array.from({ length: count }, (_, i) => ({
      namespace: `${name}-${i}`,
      address: addressOf(i),
      port: `port${i}`,
    }))
    const network = new TestNetwork({ switch: `${name}-switch`, hosts })
    try {
      network.#build()
    } catch (error) {
      network.remove()
      throw error
    }
    return network
  }

  get names(): { readonly switch: string; readonly hosts: readonly TestHost[] } {
    return { switch: this.#switch, hosts: this.hosts }
  }

  /** What runs a command on a host. */
  within(host: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.#host(host).namespace]
  }

  /** Pulls a host's cable: nothing passes, and nobody is told. */
  unplug(host: number): void {
    ip('-n', this.#switch, 'link', 'set', this.#host(host).port, 'down')
  }

  plug(host: number): void {
    ip('-n', this.#switch, 'link', 'set', this.#host(host).port, 'up')
  }

  /** Narrows what a host sends; `rate` as tc takes it. */
  narrow(host: number, rate: string): void {
    this.#tc(host, ['root', 'tbf', 'rate', rate, 'burst', '32kb', 'latency', '50ms'])
  }

  /** Delays what a host sends; false where the kernel has no such discipline. */
  delay(host: number, time: string): boolean {
    try {
      this.#tc(host, ['root', 'netem', 'delay', time])
      return true
    } catch {
      return false
    }
  }

  /** Undoes `narrow` and `delay`. */
  widen(host: number): void {
    run('tc', ['-n', this.#host(host).namespace, 'qdisc', 'del', 'dev', 'eth0', 'root'])
  }

  remove(): void {
    for (const namespace of [this.#switch, ...this.hosts.map((host) => host.namespace)])
      try {
        ip('netns', 'del', namespace)
      } catch {
        // Not all were made.
      }
  }

  #build(): void {
    ip('netns', 'add', this.#switch)
    ip('-n', this.#switch, 'link', 'add', 'bridge0', 'type', 'bridge')
    ip('-n', this.#switch, 'link', 'set', 'bridge0', 'up')
    for (const { namespace, address, port } of this.hosts) {
      ip('netns', 'add', namespace)
      const ends = ['name', port, 'netns', this.#switch, 'type', 'veth', 'peer', 'name', 'eth0']
      ip('link', 'add', ...ends, 'netns', namespace)
      ip('-n', this.#switch, 'link', 'set', port, 'master', 'bridge0', 'up')
      ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
      ip('-n', namespace, 'link', 'set', 'eth0', 'up')
      ip('-n', namespace, 'link', 'set', 'lo', 'up')
    }
  }

  #host(index: number): TestHost {
    const host = this.hosts[index]
    if (!host) throw new Error(`there is no host ${index}; there are ${this.hosts.length}`)
    return host
  }

  #tc(host: number, discipline: readonly string[]): void {
    run('tc', ['-n', this.#host(host).namespace, 'qdisc', 'add', 'dev', 'eth0', ...discipline])
  }
}

const ip = (...args: string[]) => run('ip', args)

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
