/**
 * Faults by chance, the same for every kind of cluster run: links cut in every shape, slow and lossy networks, nodes
 * that crash, stand still, lose their disk or have a slow one. A run adds what only its own nodes can suffer. Each
 * fault is counted when it happens.
 */
import type { Clock } from './clock.ts'
import { calmNetwork, type Network, type NetworkFaults, splitShapes } from './network.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'

/** A node as faults see it. Each call does nothing where it makes no sense. */
export interface FaultyNode {
  readonly id: string
  /** Longest write to its disk in milliseconds. */
  diskDelay: number
  start(): void
  /** The process ends; with the power goes what was not synced. */
  crash(how: 'kill' | 'power'): void
  loseDisk(): void
  pause(): void
  resume(): void
}

export interface StormOptions<Node extends FaultyNode> {
  readonly clock: Clock
  readonly random: Random
  readonly network: Pick<Network<never>, 'faults' | 'split' | 'heal' | 'cut'>
  readonly tally: Tally
  readonly nodes: readonly Node[]
  readonly say: (node: string, text: string) => void
  /** Faults of this kind of run, by name. */
  readonly own: Readonly<Record<string, (node: Node) => void>>
}

/** Milliseconds of the longest write of a disk that is as it should be, and of slow ones. */
export const quickDisk = 3
const disks = [quickDisk, 100, 1000]
export const slowestNetwork: NetworkFaults = { delay: 1500, loss: 0.3, repeat: 0.3 }
const networks: readonly NetworkFaults[] = [
  calmNetwork,
  { delay: 50, loss: 0, repeat: 0.2 },
  { delay: 300, loss: 0.1, repeat: 0.1 },
  slowestNetwork,
]
/** Milliseconds that a node stands still within a storm; longer ones are scenes of their own. */
const pauses = [50, 1000, 5000]

export class Storm<Node extends FaultyNode> {
  readonly #options: StormOptions<Node>
  readonly #acts: ReadonlyMap<string, (node: Node) => void>
  faults = 0

  constructor(options: StormOptions<Node>) {
    this.#options = options
    const { own } = options
    this.#acts = new Map(Object.entries({ ...this.#linkFaults(), ...this.#nodeFaults(), ...own }))
  }

  /** One fault of any kind on any node. */
  strike(): void {
    const { random, nodes } = this.#options
    const node = random.pick(nodes)
    const [kind, act] = random.pick([...this.#acts])
    this.note(kind, node.id)
    act(node)
  }

  /** Counts a fault, also one that a run brings about by itself. */
  note(kind: string, node: string): void {
    this.faults++
    this.#options.tally.add(kind)
    this.#options.say('--', `${kind} ${node}`)
  }

  /** Ends all faults: the network is whole and quick, every node runs. */
  calm(): void {
    const { network, nodes } = this.#options
    network.heal()
    network.faults = { ...calmNetwork }
    for (const node of nodes) {
      node.resume()
      node.start()
      node.diskDelay = quickDisk
    }
  }

  #linkFaults(): Record<string, (node: Node) => void> {
    const { random, network, nodes, tally } = this.#options
    const ids = nodes.map(({ id }) => id)
    return {
      split: () => {
        const shape = random.pick(splitShapes)
        tally.add(`split ${shape}`)
        network.split(shape, ids)
      },
      heal: () => network.heal(),
      flap: ({ id }) => network.cut(id, random.pick(ids)),
      network: () => {
        network.faults = random.pick(networks)
      },
    }
  }

  #nodeFaults(): Record<string, (node: Node) => void> {
    const { clock, random } = this.#options
    const crash = (node: Node) => node.crash(random.pick(['kill', 'power']))
    return {
      crash,
      restart: (node) => {
        crash(node)
        node.start()
      },
      'lost disk': (node) => {
        node.loseDisk()
        node.start()
      },
      pause: (node) => {
        node.pause()
        clock.after(random.pick(pauses), () => node.resume())
      },
      'disk speed': (node) => {
        node.diskDelay = random.pick(disks)
      },
    }
  }
}
