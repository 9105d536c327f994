/**
 * Runs a ClusterNode on sockets and clocks. Not reachable from the command line yet: a node's promises and copies are
 * kept by whoever starts it (`save`), and no server does so today.
 */
import type { SavedCopy } from '../../cluster/ap-namespace.ts'
import { ClusterNode, type NamespaceSetup, type ViewInput } from '../../cluster/cluster-node.ts'
import type { NodeId } from '../../cluster/node-id.ts'
import type { Process } from '../../cluster/process.ts'
import type { ViewId } from '../../cluster/view-id.ts'
import type { ViewRecord } from '../../cluster/views.ts'
import { Mesh } from './mesh.ts'
import type { MeshAddress } from './parcel.ts'

export interface ClusterHostOptions {
  readonly self: Process
  readonly cluster: string
  readonly host: string
  /** For other nodes; 0 takes any free port. */
  readonly port: number
  readonly seeds: readonly MeshAddress[]
  readonly rack: number
  readonly namespaces: readonly NamespaceSetup[]
  readonly promised: ViewId
  /** Brings it to disk before it resolves; calls come one after the other. */
  readonly save: (
    change: { promised: ViewId } | { copies: Readonly<Record<string, SavedCopy[]>> },
  ) => Promise<void>
  readonly onEnter?: (record: ViewRecord<ViewInput>) => void
  readonly onNote?: (line: string) => void
}

/** Milliseconds, as the real server's defaults. */
export const heartbeat = { interval: 150, timeout: 1500 }
/** Milliseconds between two looks at what is due. */
const tickPeriod = 10

export class ClusterHost {
  readonly node: ClusterNode
  readonly #options: ClusterHostOptions
  #mesh: Mesh | undefined
  #timer: NodeJS.Timeout | undefined
  #saving: Promise<void> = Promise.resolve()

  static async start(options: ClusterHostOptions): Promise<ClusterHost> {
    const host = new ClusterHost(options)
    await host.#open()
    return host
  }

  private constructor(options: ClusterHostOptions) {
    this.#options = options
    const { self, cluster, rack, namespaces, promised } = options
    this.node = new ClusterNode({
      ...{ self, cluster, rack, namespaces, promised, ...heartbeat },
      // Ids are learned from the mesh; a node that has seeds waits for them before it makes a view of its own.
      seeds: options.seeds.map((address) => `?${address}`),
      random: Math.random,
    })
  }

  /** Where other nodes reach this one. */
  get address(): MeshAddress {
    return this.#mesh?.address ?? ''
  }

  /** A client's request; `time` in milliseconds. */
  submit(namespace: string, body: Buffer, time: number, answer: (frame: Buffer) => void): void {
    this.node.routing.submit(performance.now(), namespace, body, time, answer)
    this.#drain()
  }

  /** Stops at once, as a kill would. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    const mesh = this.#mesh
    this.#mesh = undefined
    await mesh?.close()
  }

  async #open(): Promise<void> {
    const { self, cluster, host, port, seeds, onNote = () => undefined } = this.#options
    this.#mesh = await Mesh.open({
      ...{ self, cluster, host, port, seeds, onNote },
      onMessage: (from, message) => {
        this.node.receive(performance.now(), from, message)
        this.#drain()
      },
      onPeer: (id: NodeId) => this.node.membership.meet(id),
      onRefused: (id: NodeId) => this.node.membership.refused(id),
    })
    this.#timer = setInterval(() => {
      this.node.tick(performance.now())
      this.#drain()
    }, tickPeriod)
  }

  #drain(): void {
    for (const output of this.node.take()) {
      switch (output.kind) {
        case 'send':
          this.#mesh?.send(output.to, output.message)
          break
        case 'storePromise': {
          const { promised } = output
          this.#save({ promised }, () => this.node.promiseStored(performance.now(), promised))
          break
        }
        case 'storeCopies': {
          const { copies, number } = output
          this.#save({ copies }, () => this.node.copiesStored(performance.now(), number))
          break
        }
        case 'enter':
          this.#options.onEnter?.(output.record)
      }
    }
  }

  #save(change: Parameters<ClusterHostOptions['save']>[0], done: () => void): void {
    // A save that fails is never answered: the node takes part in nothing any more.
    this.#saving = this.#saving.then(async () => {
      await this.#options.save(change)
      if (!this.#mesh) return
      done()
      this.#drain()
    })
    this.#saving.catch((error: unknown) => {
      this.#options.onNote?.(`cluster: cannot save (${String(error)}); this node has left the cluster`)
      void this.close()
    })
  }
}
