import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Link } from './broken-links.ts'
import { long, type Scene } from './scene.ts'

/** ms until all partitions serve again after a node's process has ended, and after it has stopped to answer. */
const servesAgain = { killed: 1000, hung: 3000 }
export const hangMs = long ? 60_000 : 6000

const cutMs = long ? 30_000 : 5000
/** Three heartbeat time-outs: so long after the last fault all are in one view. */
const settledMs = 4500

type Act = (scene: Pick<Scene<unknown>, 'cluster' | 'load'>, index: number) => Promise<void>

/** Kills a node, and starts it again on what it left when the others have settled. */
export const killAndRestart: Act = async ({ cluster, load }, index) => {
  const killed = performance.now()
  await cluster.node(index).kill()
  await sleep(servesAgain.killed + 1500)
  expect(load.failedSince(killed + servesAgain.killed)).toEqual([])
  await cluster.whenStable()
  await cluster.node(index).start()
  await cluster.whenStable()
  expect(load.failedSince(killed + servesAgain.killed)).toEqual([])
}

/** Stops a node for a while; it does not know when it goes on. */
export const hang: Act = async ({ cluster, load }, index) => {
  const paused = performance.now()
  cluster.node(index).pause()
  await sleep(hangMs)
  cluster.node(index).resume()
  await sleep(1000)
  await cluster.whenStable()
  await sleep(1000)
  expect(load.failedSince(paused + servesAgain.hung)).toEqual([])
}

/** Holds for a while what goes over these links; when they have healed clients are served again, and see no error. */
export async function breakLinks(
  { cluster, load }: Pick<Scene<unknown>, 'cluster' | 'load'>,
  links: readonly Link[],
): Promise<void> {
  for (const [from, to] of links) cluster.relays!.set(from, to, { isHeld: true })
  await sleep(cutMs)
  cluster.relays!.heal()
  await cluster.whenStable({ ms: settledMs, ignoreMigrations: true })
  await cluster.whenStable()
  const settled = performance.now()
  const { done } = load
  await sleep(1500)
  expect(load.failedSince(settled)).toEqual([])
  expect(load.done).toBeGreaterThan(done)
}
