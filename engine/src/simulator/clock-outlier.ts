/**
 * The clocks of a simulated cluster that has a bound for them: what an operator does about those that are off, and the
 * last act of a run, in which one is hours ahead and its node must take no writes (K1 of cluster/README.md).
 */
import { sameVersion } from '../cluster/stored-version.ts'
import { ResultCode } from '../values/result-code.ts'
import { anySkew } from './cluster-faults.ts'
import type { ClusterSimNode } from './cluster-sim-node.ts'
import type { ClusterStage } from './cluster-stage.ts'
import { beatTimeout, namespaceName } from './cluster-world.ts'
import { countRequest, readAnswer } from './request-body.ts'

const hours = 7_200_000
const requestTime = 1000
/** Milliseconds after which all nodes have heard what the clocks show now. */
const heardWithin = 3 * beatTimeout

/** All clocks are within a quarter of the bound. */
export async function setClocksRight(stage: ClusterStage): Promise<void> {
  const { nodes, random, world } = stage
  for (const node of nodes) node.skew = Math.round((anySkew(random) % world.clockBound) / 4)
  await stage.wait(heardWithin)
}

export async function checkClocks(stage: ClusterStage, digests: readonly Buffer[]): Promise<void> {
  const { nodes, random, world } = stage
  if (world.clockBound === 0) return
  await setClocksRight(stage)
  const outlier = random.pick(nodes)
  const { skew } = outlier
  outlier.skew = skew + random.pick([-hours, hours])
  stage.say('--', `the clock of ${outlier.id} jumps to ${outlier.skew}`)
  await stage.wait(heardWithin)
  await writeAll(stage, digests, (master) => (master === outlier.id ? ResultCode.FORBIDDEN : ResultCode.OK))
  outlier.skew = skew
  await stage.wait(heardWithin)
  await writeAll(stage, digests, () => ResultCode.OK)
}

/** Writes each record once, anywhere; each must be answered as its master is to, and what is refused change nothing. */
async function writeAll(
  stage: ClusterStage,
  digests: readonly Buffer[],
  due: (master: string) => ResultCode,
): Promise<void> {
  const { nodes, random } = stage
  for (const digest of digests) {
    const master = masterOf(nodes, digest)
    const before = master?.running?.copies.find(digest)
    const wanted = due(master?.id ?? '')
    const body = countRequest({ namespace: namespaceName, set: 'demo', digest }, `${random.below(1e6)}.`)
    let code: number | undefined
    random.pick(nodes).submit(body, requestTime, (frame) => {
      code = readAnswer(frame).code
    })
    await stage.wait(300)
    const after = master?.running?.copies.find(digest)
    const isAsBefore = after === before || (after && before && sameVersion(after, before))
    stage.tally.add(wanted === ResultCode.OK ? 'write by good clocks' : 'write refused for a clock')
    if (code !== wanted || isAsBefore === (wanted === ResultCode.OK))
      stage.violate(`clocks: a write that ${master?.id} is to answer ${wanted} is answered ${code}`)
  }
}

function masterOf(nodes: readonly ClusterSimNode[], digest: Buffer): ClusterSimNode | undefined {
  const running = nodes[0]?.running
  if (!running) return undefined
  const place = running.node.namespaces.get(namespaceName)?.place(running.store.partitionOf(digest, 0))
  return nodes.find(({ id }) => id === place?.master)
}
