/** Runs a ClusterNode on sockets and clocks. Its promises and copies are kept by whoever starts it. */
import { ClusterNode, type NamespaceSetup, type ViewInput } from '../../cluster/cluster-node.ts'
import type { NodeId } from '../../cluster/node-id.ts'
import type { Process } from '../../cluster/process.ts'
import type { RoutedRequest } from '../../cluster/request-routing.ts'
import type { SavedCopies } from '../../cluster/saved-copies.ts'
import type { StrongSetup } from '../../cluster/strong/strong-namespaces.ts'
import type { MetadataEntry, SettingState } from '../../cluster/system-metadata.ts'
import type { ViewId } from '../../cluster/view-id.ts'
import type { ViewRecord } from '../../cluster/views.ts'
import { defaultHeartbeat } from '../cluster-config.ts'
import { Mesh } from './mesh.ts'
import type { MeshAddress } from './parcel.ts'

export interface ClusterHostOptions {
  readonly self: Process
  readonly cluster: string
  readonly host: string
  /** For other nodes; 0 takes any free port. */
  readonly port: number
  /** Told to other nodes in place of its own. */
  readonly advertise?: MeshAddress
  readonly seeds: readonly MeshAddress[]
  readonly rack: number
  readonly namespaces: readonly NamespaceSetup[]
  readonly strong?: readonly StrongSetup[]
  readonly promised: ViewId
  /** Milliseconds between beats, and of silence after which a node counts as gone. */
  readonly heartbeat?: { readonly interval: number; readonly timeout: number }
  /** ms since 1970; the system's by default. */
  readonly clock?: () => number
  /** Milliseconds by which clocks may differ; 0, the default, = any. */
  readonly clockBound?: number
  /** Where clients reach this node, once that is known. */
  readonly serviceAddresses?: () => readonly string[]
  /** Bring it to disk before they resolve; calls of each come one after the other. */
  readonly savePromise: (promised: ViewId) => Promise<void>
  readonly saveCopies: (copies: Readonly<Record<string, SavedCopies>>) => Promise<void>
  readonly saveMetadata: (entries: readonly MetadataEntry[]) => Promise<void>
  /** What was saved of it. */
  readonly metadata?: readonly MetadataEntry[]
  /** Makes a setting what the cluster says; may be called at once. */
  readonly adopt?: (setting: SettingState) => void
  readonly onEnter?: (record: ViewRecord<ViewInput>) => void
  /** This node serves in the view from now on. */
  readonly onServing?: (record: ViewRecord<ViewInput>) => void
  readonly onNote?: (line: string) => void
  /** What the node must not forget cannot be saved, and why: it takes part in nothing any more. */
  readonly onLost?: (line: string) => void
}

/** Milliseconds between two looks at what is due. */
const tickPeriod = 10
/** How much longer filling copies rests than it works: it takes a quarter of the node's time. */
const fillingRest = 3

export class ClusterHost {
  readonly node: ClusterNode
  /** Told of a defect that ended a request. */
  onFault: ((error: unknown) => void) | undefined
  readonly #options: ClusterHostOptions
  #mesh: Mesh | undefined
  #timer: NodeJS.Timeout | undefined
  #filling: NodeJS.Timeout | undefined
  #closed = false
  #isWoken = false
  #served: string | undefined
  /** The saves of each kind that were asked for, one behind the other. */
  readonly #saving = {
    promise: Promise.resolve(),
    copies: Promise.resolve(),
    metadata: Promise.resolve(),
  }

  static async start(options: ClusterHostOptions): Promise<ClusterHost> {
    const host = new ClusterHost(options)
    await host.open()
    return host
  }

  /** The node exists from here on; it says and hears nothing before `open`. */
  constructor(options: ClusterHostOptions) {
    this.#options = options
    const { self, cluster, rack, namespaces, promised, serviceAddresses = () => [] } = options
    this.node = new ClusterNode({
      ...{ self, cluster, rack, namespaces, promised, serviceAddresses },
      metadata: options.metadata ?? [],
      adopt: (setting) => options.adopt?.(setting),
      clock: options.clock ?? Date.now,
      clockBound: options.clockBound ?? 0,
      ...(options.strong ? { strong: options.strong } : {}),
      ...(options.heartbeat ?? defaultHeartbeat),
      // Ids are learned from the mesh; a node that has seeds waits for them before it makes a view of its own.
      seeds: options.seeds.map((address) => `?${address}`),
      random: Math.random,
      onFault: (error) => {
        if (!this.onFault) throw error
        this.onFault(error)
      },
    })
  }

  /** Where other nodes reach this one. */
  get address(): MeshAddress {
    return this.#mesh?.address ?? ''
  }

  /** A client's request; answers what `cancel` of the routing takes. */
  submit(request: RoutedRequest): number {
    this.wake()
    return this.node.routing.submit(performance.now(), request)
  }

  /** Something may have to be sent: when what goes on now is over, it is. */
  wake(): void {
    if (this.#isWoken) return
    this.#isWoken = true
    queueMicrotask(() => {
      this.#isWoken = false
      this.#drain()
    })
  }

  /** Tries to reach a node there. */
  tip(address: MeshAddress): void {
    this.#mesh?.tip(address)
  }

  /** Stops at once, as a kill would; saves that have begun end first. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    clearTimeout(this.#filling)
    const mesh = this.#mesh
    this.#mesh = undefined
    await mesh?.close()
    await Promise.allSettled(Object.values(this.#saving))
  }

  /** Rejects when the port cannot be opened. */
  async open(): Promise<void> {
    const { self, cluster, host, port, seeds, advertise, onNote = () => undefined } = this.#options
    this.#mesh = await Mesh.open({
      ...(advertise === undefined ? {} : { advertise }),
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
      for (const line of this.node.clocks.takeNotes()) onNote(line)
      if (this.node.hasWork && !this.#filling) this.#fillLater(fillingRest)
    }, tickPeriod)
  }

  /** Fills copies between ticks, and rests for some times as long as that took, so that requests come first. */
  #fillLater(rest: number): void {
    this.#filling = setTimeout(() => {
      this.#filling = undefined
      const began = performance.now()
      this.node.work(began)
      this.#drain()
      if (this.node.hasWork) this.#fillLater(fillingRest * (performance.now() - began))
    }, rest)
  }

  #drain(): void {
    for (const output of this.node.take()) {
      switch (output.kind) {
        case 'send':
          this.#mesh?.send(output.to, output.message)
          break
        case 'storePromise': {
          const { promised } = output
          this.#save(
            'promise',
            () => this.#options.savePromise(promised),
            () => this.node.promiseStored(performance.now(), promised),
          )
          break
        }
        case 'storeMetadata': {
          const { entries, revision } = output
          this.#save(
            'metadata',
            () => this.#options.saveMetadata(entries),
            () => this.node.metadata.stored(revision),
          )
          break
        }
        case 'storeCopies': {
          const { copies, number } = output
          this.#save(
            'copies',
            () => this.#options.saveCopies(copies),
            () => this.node.copiesStored(performance.now(), number),
          )
          break
        }
        case 'enter':
          this.#options.onEnter?.(output.record)
      }
    }
    const { serving, membership } = this.node
    if (serving === undefined || serving === this.#served || !membership.active) return
    this.#served = serving
    this.#options.onServing?.(membership.active)
  }

  #save(kind: 'promise' | 'copies' | 'metadata', run: () => Promise<void>, done: () => void): void {
    // A save that fails is never answered: the node takes part in nothing any more.
    this.#saving[kind] = this.#saving[kind].then(async () => {
      if (this.#closed) return
      await run()
      if (this.#closed) return
      done()
      this.#drain()
    })
    this.#saving[kind].catch((error: unknown) => {
      if (this.#closed) return
      this.#options.onLost?.(`cluster: cannot save (${String(error)})`)
      void this.close()
    })
  }
}
