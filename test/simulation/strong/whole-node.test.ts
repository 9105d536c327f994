import { expect, it } from 'vitest'
import { ClusterStage } from '../../../engine/src/simulator/cluster-stage.ts'
import { namespaceName } from '../../../engine/src/simulator/cluster-world.ts'
import { viewKey } from '../../../engine/src/cluster/view-id.ts'
import { digestOf } from '../../../engine/src/values/digest.ts'
import {
  countRequest,
  linearizedReadRequest,
  readAnswer,
  readRequest,
} from '../../../engine/src/simulator/request-body.ts'
import { Random } from '../../../engine/src/simulator/random.ts'

/** Two nodes whose namespace serves. */
async function serving() {
  const setting = { nodes: 2, partitions: 16, replicationFactor: 2, racks: 1, durability: 'commit' as const }
  const stage = new ClusterStage(new Random(1), { ...setting, isStrong: true })
  const [one, other] = stage.nodes
  for (const node of stage.nodes) node.start()
  await stage.wait(3000)
  one!.operate((node) => {
    const { observed } = node.strong.rosterOf(namespaceName)!
    expect(node.strong.setRoster(namespaceName, observed)).toBeUndefined()
    node.recluster()
  })
  await stage.wait(3000)
  expect(stage.violations).toEqual([])
  return { stage, one: one!, other: other! }
}

it('leaves a view with its next promise, not when that is on disk or another view begins (V2)', async () => {
  const { stage, one, other } = await serving()
  let seen = 0
  one.operate((node) => {
    const namespace = node.strong.namespaces.get(namespaceName)!
    expect(namespace.plans?.unavailable).toBe(0)
    const { active } = node.membership
    const leader = other.running!.self
    const view = { number: active!.id.number + 1, leader: leader.id, incarnation: leader.incarnation }
    const toStart = one.running!.self.start
    const message = { kind: 'propose' as const, view, members: active!.members }
    node.receive(stage.clock.now, leader, { kind: 'view', toStart, message })
    expect(namespace.plans).toBeUndefined()
    for (let partition = 0; partition < 16; partition++) {
      expect(namespace.masterOf(partition)).toBeUndefined()
      expect(namespace.place(partition)).toBeUndefined()
      seen++
    }
  })
  expect(seen).toBe(16)
})

it('hears nothing that was said in another view, or by another start of a member (V2, V3)', async () => {
  const { stage, one, other } = await serving()
  const { node } = one.running!
  const { self } = other.running!
  const answersTo = (view: string, from: typeof self) => {
    node.take()
    const bodies = [[3, { kind: 'confirm', round: 1 }]] as const
    node.receive(stage.clock.now, from, { kind: 'strong', view, namespace: namespaceName, bodies, alike: [] })
    return node.take().length
  }
  const view = viewKey(node.membership.active!.id)
  expect(answersTo(view, self)).toBe(1)
  expect(answersTo('1@A1.x', self)).toBe(0)
  expect(answersTo(view, { ...self, start: 'earlier' })).toBe(0)
})

it('answers a session read by itself, and a linearizable one when the others have said yes (L1)', async () => {
  const { stage, one, other } = await serving()
  const { node } = one.running!
  const self = one.running!.self.id
  const namespace = node.strong.namespaces.get(namespaceName)!
  const key = Array.from({ length: 100 }, (_, i) => `k${i}`).find((name) => {
    const { partition } = namespace.store.inspect(readRequest(nameOf(name)))!
    return namespace.place(partition)?.master === self
  })!
  const seen: string[] = []
  const ask = (what: string, body: Buffer) =>
    one.submit(body, 1000, (frame) => seen.push(`${what} ${readAnswer(frame).code}`))
  ask('write', countRequest(nameOf(key), 'x.'))
  await stage.wait(200)
  other.pause()
  ask('linearizable', linearizedReadRequest(nameOf(key)))
  ask('session', readRequest(nameOf(key)))
  await stage.wait(50)
  expect(seen).toEqual(['write 0', 'session 0'])
  other.resume()
  await stage.wait(300)
  expect(seen).toEqual(['write 0', 'session 0', 'linearizable 0'])
})

function nameOf(key: string) {
  return { namespace: namespaceName, set: 's', digest: digestOf('s', key) }
}
