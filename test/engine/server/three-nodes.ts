/** Three nodes of one cluster in this process, and who of them holds what. */
import type { NamespaceConfig, Node } from '@larder/engine'
import { startNode } from '@larder/engine'
import { requestInfo } from '../../../engine/src/cli/info-request.ts'
import { PARTITIONS } from '../../../engine/src/values/digest.ts'
import { Wire } from './wire.ts'

/** For one partition: indexes of nodes. */
export interface Roles {
  readonly master: number
  readonly replica: number
  readonly none: number
}

export class ThreeNodes {
  readonly nodes: Node[] = []
  readonly #wires: Wire[] = []

  /** All of them are in one view, and nothing moves any more. */
  static async start(namespaces: readonly NamespaceConfig[]): Promise<ThreeNodes> {
    const three = new ThreeNodes()
    for (const nodeId of ['a1', 'a2', 'a3']) {
      const [first] = three.nodes
      const seeds = first?.meshAddress === undefined ? [] : [first.meshAddress]
      // They share an event loop: what one does holds the others up.
      const cluster = { seeds, timeoutMs: 6000 }
      // Nor shall a busy machine make requests time out that do not say how long they wait.
      const transactionMaxMs = 20_000
      three.nodes.push(await startNode({ port: 0, nodeId, cluster, namespaces, transactionMaxMs }))
    }
    await three.whenStable(3)
    return three
  }

  async whenStable(size: number): Promise<void> {
    for (const end = Date.now() + 40_000; ;) {
      const answers = await Promise.all(
        this.nodes.map((node) => this.ask(node, `cluster-stable:size=${size}`)),
      )
      if (new Set(answers).size === 1 && /^[0-9A-F]{1,12}$/.test(answers[0]!)) return
      if (Date.now() > end) throw new Error(`not stable within 40 s: ${answers.join(' ')}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async ask(node: Node, name: string): Promise<string> {
    return (await requestInfo({ host: '127.0.0.1', port: node.port }, [name])).get(name) ?? ''
  }

  async statistic(index: number, namespace: string, name: string): Promise<number> {
    const text = await this.ask(this.nodes[index]!, `namespace/${namespace}`)
    const pair = text.split(';').find((each) => each.startsWith(`${name}=`))
    return Number(pair?.slice(name.length + 1))
  }

  /** By partition; of a namespace with two replicas. */
  async roles(namespace: string): Promise<Roles[]> {
    const maps = await Promise.all(
      this.nodes.map(async (node) => {
        const all = await this.ask(node, 'replicas')
        const part = all.split(';').find((each) => each.startsWith(`${namespace}:`))!
        const [, , ...bitmaps] = part.slice(namespace.length + 1).split(',')
        return bitmaps.map((bitmap) => Buffer.from(bitmap, 'base64'))
      }),
    )
    const holder = (replica: number, partition: number): number =>
      maps.findIndex((bitmaps) => (bitmaps[replica]![partition >> 3]! & (0x80 >> (partition & 7))) !== 0)
    return Array.from({ length: PARTITIONS }, (_, partition) => {
      const [master, replica] = [holder(0, partition), holder(1, partition)]
      return { master, replica, none: 3 - master - replica }
    })
  }

  async open(index: number): Promise<Wire> {
    const wire = await Wire.open(this.nodes[index]!.port)
    this.#wires.push(wire)
    return wire
  }

  async close(): Promise<void> {
    for (const wire of this.#wires.splice(0)) wire.close()
    for (const node of this.nodes.splice(0)) await node.close()
  }
}

/** A digest of the partition; equal numbers give equal digests. */
export function digestIn(partition: number, number: number): Buffer {
  const digest = Buffer.alloc(20, 3)
  digest.writeUInt16LE(partition)
  digest.writeUInt32BE(number, 4)
  return digest
}
