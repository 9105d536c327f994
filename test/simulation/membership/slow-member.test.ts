/** A node whose disk takes longer than a round may: how many views it costs the others, and that it comes back. */
import { expect, it } from 'vitest'
import { Clock } from '../../../engine/src/simulator/clock.ts'
import {
  interval,
  MembershipNode,
  type Parcel,
  timeout,
} from '../../../engine/src/simulator/membership-node.ts'
import { MembershipWitness } from '../../../engine/src/simulator/membership-witness.ts'
import { Network } from '../../../engine/src/simulator/network.ts'
import { Random } from '../../../engine/src/simulator/random.ts'
import { quickDisk } from '../../../engine/src/simulator/storm.ts'
import { Tally } from '../../../engine/src/simulator/tally.ts'

const ids = ['A1', 'A2', 'A3', 'A4']
const minute = 60_000

function cluster(seed: number) {
  const [clock, random, witness] = [new Clock(), new Random(seed), new MembershipWitness()]
  const byId = new Map<string, MembershipNode>()
  const deliver = (_: string, to: string, parcel: Parcel) => byId.get(to)!.receive(parcel)
  const network = new Network(clock, random, deliver, new Tally())
  const nodes = ids.map(
    (id) => new MembershipNode(id, { clock, random, network, witness, ids, say: () => undefined }),
  )
  for (const node of nodes) {
    byId.set(node.id, node)
    node.start()
  }
  const wait = (time: number) => clock.runUntil(clock.now + time)
  const viewOf = (node: MembershipNode) => node.machine?.active
  /** Views that the nodes but this one go through in that time. */
  const viewsBeside = (slow: MembershipNode, time: number) => {
    const others = nodes.filter((node) => node !== slow)
    const seen = new Set<number>()
    for (let passed = 0; passed < time; passed += interval / 10) {
      wait(interval / 10)
      for (const node of others) seen.add(viewOf(node)?.id.number ?? 0)
    }
    return seen.size
  }
  return { clock, nodes, witness, wait, viewOf, viewsBeside }
}

it.each(['A1', 'A2', 'A4'])(
  'a slow disk of %s costs the others few views, and none when it is over',
  (id) => {
    for (let seed = 0; seed < 4; seed++) {
      const { clock, nodes, witness, wait, viewOf, viewsBeside } = cluster(seed)
      wait(4 * timeout)
      const slow = nodes.find((node) => node.id === id)!
      expect(viewOf(slow)?.members, `seed ${seed}`).toHaveLength(ids.length)
      // Mostly several time-outs long, now and then quick enough for one promise.
      slow.diskDelay = 10 * timeout
      slow.renew()
      nodes.at(-1)!.renew()
      // Invited again after every time-out it would be some 60 views.
      expect(viewsBeside(slow, minute), `seed ${seed}`).toBeLessThanOrEqual(12)
      slow.diskDelay = quickDisk
      wait(Math.max(0, slow.diskFree - clock.now))
      wait(3 * timeout)
      for (const node of nodes)
        expect(viewOf(node)?.members, `${node.id}, seed ${seed}`).toHaveLength(ids.length)
      const { number } = viewOf(slow)!.id
      expect(viewsBeside(slow, minute)).toBe(1)
      expect(viewOf(slow)!.id.number).toBe(number)
      expect(witness.violations).toEqual([])
    }
  },
)
