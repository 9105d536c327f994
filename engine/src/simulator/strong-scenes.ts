/**
 * Schedules that aim at a rule which random ones hardly reach. The seed chooses the scene and all delays in it; every
 * scene ends in the quiet time, in which everything is checked.
 */
import { Rendezvous } from '../cluster/rendezvous.ts'
import { PARTITIONS } from '../values/digest.ts'
import { Random } from './random.ts'
import type { RunResult } from './run-result.ts'
import type { NewDisk } from './strong-disk.ts'
import { StrongStage, type StrongSetting } from './strong-stage.ts'

interface Scene {
  readonly name: string
  readonly setting: Partial<StrongSetting>
  readonly play: (stage: StrongStage) => void
}

const plain: StrongSetting = {
  nodes: 3,
  seats: 3,
  replicationFactor: 2,
  durability: 'commit',
  partition: 0,
  diskDelay: 2,
  network: { delay: 2, loss: 0, repeat: 0 },
}

/** A partition whose replicas come in this order. */
function partitionOf(order: readonly string[]): number {
  const rendezvous = new Rendezvous(order)
  for (let partition = 0; partition < PARTITIONS; partition++) {
    if (rendezvous.order(partition).join() === order.join()) return partition
  }
  throw new Error(`no partition has the order ${order.join(' ')}`)
}

const nodesOf = (stage: StrongStage, ids: string) => ids.split(' ').map((id) => stage.node(id))

/** A view of these, led by the first, with time to serve and to fill. */
function view(stage: StrongStage, ids: string): void {
  const members = nodesOf(stage, ids)
  stage.propose(members[0]!, members)
  stage.pass(8)
}

/** If the node serves. */
function append(stage: StrongStage, id: string, digest: string): void {
  stage.node(id).use((copy, now) => stage.history.append(now, copy, digest))
  stage.pass(2)
}

function cutOff(stage: StrongStage, id: string): void {
  for (const other of stage.nodes) {
    if (other.id === id) continue
    stage.network.cut(id, other.id)
    stage.network.cut(other.id, id)
  }
}

/** A proposal of a number that its rival has used already comes late, and is repeated until somebody takes it. */
function lateRival(stage: StrongStage): void {
  view(stage, 'A1 A2 A3')
  append(stage, 'A1', 'A')
  cutOff(stage, 'A1')
  stage.propose(stage.node('A1'), nodesOf(stage, 'A1 A2'))
  stage.pass(2)
  view(stage, 'A3 A2')
  append(stage, 'A2', 'A')
  stage.network.heal()
  stage.pass(8)
  for (const id of ['A1', 'A2']) append(stage, id, 'B')
}

const scenes: readonly Scene[] = [
  {
    name: 'V1: a late proposal of a number that was promised to another',
    setting: { partition: partitionOf(['A1', 'A2', 'A3']) },
    play: (stage) => lateRival(stage),
  },
  {
    name: 'V1: a promise is lost with the power, and its number comes again',
    setting: { partition: partitionOf(['A1', 'A2', 'A3']) },
    play: (stage) => {
      view(stage, 'A1 A2 A3')
      const member = stage.node('A2')
      member.promisesSlowly = true
      cutOff(stage, 'A1')
      view(stage, 'A3 A2')
      append(stage, 'A2', 'A')
      member.promisesSlowly = false
      member.crash()
      member.start()
      stage.network.heal()
      cutOff(stage, 'A3')
      view(stage, 'A1 A2')
      for (const id of ['A1', 'A2']) append(stage, id, 'B')
    },
  },
  {
    name: 'L1: one of the other complete replicas is in a later view',
    setting: {
      nodes: 5,
      seats: 5,
      replicationFactor: 3,
      partition: partitionOf(['A1', 'A2', 'A3', 'A4', 'A5']),
    },
    play: (stage) => {
      view(stage, 'A1 A2 A3 A4 A5')
      append(stage, 'A1', 'A')
      for (const id of ['A3', 'A4', 'A5']) {
        for (const other of ['A1', 'A2']) {
          stage.network.cut(id, other)
          stage.network.cut(other, id)
        }
      }
      view(stage, 'A5 A4 A3')
      append(stage, 'A3', 'A')
      stage.node('A1').use((copy, now) => stage.history.read(now, copy, 'A'))
      stage.pass(4)
    },
  },
  {
    name: 'F5: the target of a fill serves a delta from below what its source has dropped',
    setting: { nodes: 4, seats: 4, replicationFactor: 3, partition: partitionOf(['A1', 'A3', 'A2', 'A4']) },
    play: (stage) => {
      view(stage, 'A1 A4')
      append(stage, 'A1', 'A')
      append(stage, 'A1', 'B')
      view(stage, 'A1 A2')
      stage.node('A1').use((copy, now) => stage.history.delete(now, copy, 'A'))
      stage.pass(2)
      stage.node('A1').use(({ partition }) => partition.dropTombstones(1))
      view(stage, 'A1 A3')
      view(stage, 'A4 A3 A2')
      view(stage, 'A4 A3 A2')
    },
  },
  {
    name: 'F5: a tombstone is to be dropped while a delta is under way',
    setting: { nodes: 2, seats: 2, partition: partitionOf(['A1', 'A2']) },
    play: (stage) => {
      view(stage, 'A1 A2')
      append(stage, 'A1', 'A')
      view(stage, 'A1')
      stage.node('A1').use((copy, now) => stage.history.delete(now, copy, 'A'))
      stage.pass(2)
      stage.propose(stage.node('A1'), nodesOf(stage, 'A1 A2'))
      for (let i = 0; i < 40; i++) {
        stage.wait(1)
        if (i % 8 === 0) stage.tick()
        stage.node('A1').use(({ partition }) => partition.dropTombstones(1))
      }
    },
  },
  {
    name: 'D1: a replica loses its power as its write is answered',
    setting: { partition: partitionOf(['A1', 'A2', 'A3']), diskDelay: 40 },
    play: (stage) => {
      view(stage, 'A1 A2 A3')
      const { history } = stage
      stage.node('A1').use((copy, now) => history.append(now, copy, 'A'))
      for (let i = 0; i < 300 && history.acknowledged === 0; i++) stage.wait(1)
      const member = stage.node('A2')
      member.crash()
      member.start()
      view(stage, 'A3 A2')
    },
  },
  {
    name: 'D5: folders that were given up come back with later regimes',
    setting: { partition: partitionOf(['A1', 'A2', 'A3']) },
    play: (stage) => {
      view(stage, 'A1 A2 A3')
      const givenUp = nodesOf(stage, 'A1 A3')
      for (let i = 0; i < 4; i++) view(stage, 'A1 A3')
      for (const node of givenUp) node.stopCleanly()
      stage.wishRevival(
        nodesOf(stage, 'A2'),
        givenUp.map(({ incarnation }) => incarnation),
      )
      view(stage, 'A2')
      stage.accept(stage.node('A2'))
      append(stage, 'A2', 'A')
    },
  },
  {
    name: 'D5: an interrupted fill has taken from a copy what the revived have',
    setting: {
      nodes: 5,
      seats: 5,
      replicationFactor: 3,
      partition: partitionOf(['A1', 'A2', 'A3', 'A4', 'A5']),
      diskDelay: 6,
    },
    play: (stage) => {
      view(stage, 'A1 A2 A3 A4 A5')
      cutOff(stage, 'A3')
      append(stage, 'A1', 'A')
      for (const id of ['A1', 'A2']) cutOff(stage, id)
      for (const [from, to] of [
        ['A3', 'A4'],
        ['A3', 'A5'],
      ] as const)
        stage.network.join(from, to)
      view(stage, 'A5 A4 A3')
      for (const id of ['A3', 'A4', 'A5']) stage.network.join('A2', id)
      stage.propose(stage.node('A5'), nodesOf(stage, 'A2 A3 A4 A5'))
      const member = stage.node('A2')
      for (let i = 0; i < 60 && member.disk.find('A'); i++) {
        stage.wait(1)
        if (i % 5 === 0) stage.tick()
      }
      member.crash()
      for (const node of nodesOf(stage, 'A3 A4 A5')) node.loseDisk()
      stage.witness.losses += 3
    },
  },
  {
    name: 'F4: the target of a fill goes on in another view before its master knows that it is filled',
    setting: { partition: partitionOf(['A1', 'A2', 'A3']) },
    play: (stage) => {
      view(stage, 'A1 A3')
      append(stage, 'A1', 'A')
      stage.propose(stage.node('A1'), nodesOf(stage, 'A1 A2'))
      const { disk } = stage.node('A2')
      for (let i = 0; i < 200 && disk.lineage.epochs.length < 3; i++) {
        stage.wait(0.5)
        if (i % 10 === 0) stage.tick()
      }
      cutOff(stage, 'A1')
      view(stage, 'A3 A2')
      view(stage, 'A3 A2')
      append(stage, 'A2', 'A')
      stage.node('A1').use((copy, now) => stage.history.read(now, copy, 'A'))
      stage.pass(4)
    },
  },
  {
    name: 'F4: a copy that was filled serves in a later view, and the master that filled it is asked for a read',
    setting: { partition: partitionOf(['A1', 'A2', 'A3']) },
    play: (stage) => {
      view(stage, 'A1 A3')
      append(stage, 'A1', 'A')
      view(stage, 'A1 A2')
      stage.pass(4)
      cutOff(stage, 'A1')
      view(stage, 'A3 A2')
      append(stage, 'A2', 'A')
      stage.node('A1').use((copy, now) => stage.history.read(now, copy, 'A'))
      stage.pass(4)
    },
  },
  {
    name: 'A1: a majority of the roster without a roster replica, beside all roster replicas',
    setting: { nodes: 5, seats: 5, partition: partitionOf(['A1', 'A2', 'A3', 'A4', 'A5']) },
    play: (stage) => {
      view(stage, 'A1 A2 A3 A4 A5')
      view(stage, 'A5 A2 A3 A4')
      append(stage, 'A2', 'A')
      view(stage, 'A5 A3 A4')
      view(stage, 'A1 A2')
      view(stage, 'A1 A2')
      for (const id of ['A1', 'A2', 'A3', 'A4']) append(stage, id, 'A')
    },
  },
]

export const sceneCount = scenes.length

/** @example runScene(0).violations // [] */
export function runScene(seed: number, newDisk?: NewDisk): RunResult {
  const scene = scenes[seed % scenes.length]!
  const stage = new StrongStage({ ...plain, ...scene.setting, newDisk }, new Random(seed), true)
  stage.say(() => scene.name)
  scene.play(stage)
  stage.calm()
  const { violations, checksum, counts, transcript } = stage.result(0)
  return {
    seed,
    violations: violations.map((text) => `${scene.name}: ${text}`),
    checksum,
    counts,
    transcript,
  }
}
