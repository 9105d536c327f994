/** What only whole nodes can suffer, and what operators do to them, for storms in which everything may happen. */
import { type ClusterClients, usualThought } from './cluster-clients.ts'
import type { ClusterSimNode } from './cluster-sim-node.ts'
import type { ClusterStage } from './cluster-stage.ts'
import type { Random } from './random.ts'

/** Milliseconds for which nodes stand still now and then, and that clients then think at most. */
const longPauses = [20_000, 60_000, 60_000, 600_000]
const slowThought = 5000
/** Milliseconds after which a store has tried again to write to a disk that was full (group-commit). */
export const fullDiskTime = 1100
/** Milliseconds that a disk has no room. */
const fullFor = 3000

export function clusterFaults(stage: ClusterStage): Record<string, (node: ClusterSimNode) => void> {
  const { random, nodes, clock } = stage
  return {
    'clock jump': (node) => {
      node.skew = anySkew(random)
    },
    'disk failure': (node) => {
      node.disk.failsNext = random.pick(['write', 'sync'])
    },
    'disk full': (node) => {
      node.disk.isFull = true
      clock.after(random.between(0, fullFor), () => {
        node.disk.isFull = false
      })
    },
    'power loss between saves': (node) => {
      node.disk.writesLeft = 1 + random.below(3)
    },
    'power loss of all': () => {
      for (const node of nodes) {
        node.crash('power')
        clock.after(random.between(0, 2000), () => node.start())
      }
    },
    'replication factor': () => {
      const factor = 1 + random.below(3)
      for (const node of random.some(nodes)) node.replicationFactor = factor
      recluster(nodes)
    },
    quiesce: (node) => {
      node.operate((each) => {
        each.quiesced = !each.quiesced
      })
      recluster(nodes)
    },
  }
}

/** Lets nodes stand still for long, with clients that take their time meanwhile. */
export async function standLongStill(
  stage: ClusterStage,
  clients: ClusterClients,
  nodes: readonly ClusterSimNode[],
): Promise<void> {
  for (const node of nodes) node.pause()
  clients.longestThought = slowThought
  await stage.wait(stage.random.pick(longPauses))
  clients.longestThought = usualThought
  for (const node of nodes) node.resume()
}

/** What an operator says to all nodes so that what was changed comes into force. */
export function recluster(nodes: readonly ClusterSimNode[]): void {
  for (const node of nodes) node.operate((each) => each.recluster())
}

/** Milliseconds that a clock is ahead or behind. */
export function anySkew(random: Random): number {
  return Math.floor(random.between(-1, 1) * random.pick([0, 10, 1000, 7_200_000]))
}
