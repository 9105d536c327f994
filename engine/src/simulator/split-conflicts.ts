/**
 * The last act of a run with splits: two sides write the same records, apart from each other, and meet again. Of each
 * record the version must stay that the namespace's rule names (C5 of cluster/README.md).
 */
import type { StoredVersion } from '../cluster/stored-version.ts'
import type { ClusterSimNode } from './cluster-sim-node.ts'
import type { ClusterStage } from './cluster-stage.ts'
import { beatTimeout, type ClusterWorld, epoch, namespaceName } from './cluster-world.ts'
import { describeVersion } from './describe-message.ts'
import { checkSettings, setApart } from './split-settings.ts'
import { countRequest, deleteRequest, readAnswer } from './request-body.ts'

const requestTime = 1000
const okCode = 0

export async function checkConflicts(stage: ClusterStage, digests: readonly Buffer[]): Promise<void> {
  const { random, nodes, world } = stage
  const order = random.shuffle(nodes)
  const half = 1 + random.below(order.length - 1)
  const sides = [order.slice(0, half), order.slice(half)] as const
  stage.say('--', `${sides.map((side) => side.map(({ id }) => id).join(' ')).join(' apart from ')}`)
  for (const { id } of sides[0]) {
    for (const other of sides[1]) {
      world.network.cut(id, other.id)
      world.network.cut(other.id, id)
    }
  }
  await stage.wait(4 * beatTimeout)
  for (const side of sides) await stage.settle(side)
  const settings = setApart(stage, sides)
  const wrote = [await writeOn(stage, sides[0], digests), await writeOn(stage, sides[1], digests)] as const
  const both = digests.filter((digest) => wrote.every((written) => written.has(digest)))
  const pairs = both.map((digest) => [versionOn(sides[0], digest), versionOn(sides[1], digest)] as const)
  world.network.heal()
  await stage.settle()
  checkSettings(stage, settings)
  if (!stage.goesOn) return
  for (const [index, [one, other]] of pairs.entries()) {
    const kept = versionOn(nodes, both[index]!)
    const due = one && other && staying(world, one, other)
    if (!due) continue
    stage.tally.add(`conflict by ${world.conflictPolicy}`)
    if (kept?.deleted === due.deleted && kept.bins.equals(due.bins)) continue
    const [a, b, c] = [one, other, kept].map((version) => (version ? textOf(version) : 'nothing'))
    stage.violate(`conflict: of ${a} and ${b} ${c} stays by ${world.conflictPolicy}`)
  }
}

/** Up to three operations on each record; answers those of which one was acknowledged. */
async function writeOn(
  stage: ClusterStage,
  side: readonly ClusterSimNode[],
  digests: readonly Buffer[],
): Promise<Set<Buffer>> {
  const { random } = stage
  const written = new Set<Buffer>()
  for (const digest of digests) {
    const name = { namespace: namespaceName, set: 'demo', digest }
    for (let left = random.below(4); left > 0; left--) {
      const body = random.chance(0.2) ? deleteRequest(name) : countRequest(name, `${random.below(1e6)}.`)
      random.pick(side).submit(body, requestTime, (frame) => {
        if (readAnswer(frame).code === okCode) written.add(digest)
      })
      await stage.wait(10)
    }
  }
  await stage.wait(requestTime)
  return written
}

function versionOn(side: readonly ClusterSimNode[], digest: Buffer): StoredVersion | undefined {
  const running = side[0]?.running
  if (!running) return undefined
  const partition = running.store.partitionOf(digest, 0)
  const master = running.node.namespaces.get(namespaceName)?.place(partition)?.master
  return side.find(({ id }) => id === master)?.running?.copies.find(digest)
}

/** None where the rule does not say. */
function staying(world: ClusterWorld, one: StoredVersion, other: StoredVersion): StoredVersion | undefined {
  const { conflictPolicy, clockBound, clock } = world
  const byGeneration = conflictPolicy === 'generation' ? one.generation - other.generation : 0
  // Clocks are right by now, or there is no bound; what they were before is beyond it by far.
  const latest = clockBound > 0 ? epoch + clock.now + clockBound : Infinity
  const byBelief = Number(one.lastUpdate <= latest) - Number(other.lastUpdate <= latest)
  const difference = byGeneration || byBelief || one.lastUpdate - other.lastUpdate
  if (difference === 0) return undefined
  return difference > 0 ? one : other
}

function textOf(version: StoredVersion): string {
  return `${describeVersion(version)} (generation ${version.generation}, time ${version.lastUpdate})`
}
