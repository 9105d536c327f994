import { describe, expect, it } from 'vitest'
import type { StrongInput } from '../../../engine/src/cluster/strong/activation.ts'
import { firstLineage } from '../../../engine/src/cluster/strong/lineage.ts'
import { maxWritesPerRecord } from '../../../engine/src/cluster/strong/master.ts'
import { StrongPartition } from '../../../engine/src/cluster/strong/partition.ts'
import { noView } from '../../../engine/src/cluster/view-id.ts'
import type { ViewRecord } from '../../../engine/src/cluster/views.ts'
import { blankMeta, StrongDisk } from '../../../engine/src/simulator/strong-disk.ts'

const standstill = 600

/** Two copies whose messages and syncs wait until they are let through. */
function scene() {
  const processes = ['A1', 'A2'].map((id) => ({ id, incarnation: `folder of ${id}`, start: 's' }))
  const seats = processes.map(({ id, incarnation }) => ({ id, incarnation }))
  const roster = { seats, replicationFactor: 2, givenUp: [], number: 1, view: noView }
  let waiting: (() => void)[] = []
  const copies = processes.map((self) => {
    const meta = { ...blankMeta, rosters: { inForce: roster }, claims: [noView] }
    const disk = new StrongDisk((run) => waiting.push(run), meta, firstLineage)
    return {
      self,
      disk,
      partition: new StrongPartition({ self, partition: 0, durability: 'commit', disk, standstill }),
    }
  })
  const round = () => {
    const due = waiting
    waiting = []
    for (const run of due) run()
    for (const { self, partition } of copies) {
      for (const { to, message } of partition.take()) {
        copies.find((copy) => copy.self.id === to.id)!.partition.receive(self, message)
      }
    }
  }
  let number = 0
  const view = () => {
    const record: ViewRecord<StrongInput> = {
      id: { number: ++number, leader: 'A2', incarnation: 'folder of A2' },
      members: processes,
      input: { reports: copies.map(({ partition }) => partition.report()) },
    }
    for (const { partition } of copies) partition.enter(record)
    for (let i = 0; i < 8; i++) round()
  }
  view()
  const master = copies.find(({ partition }) => partition.isServing)!.partition
  return { master, copies, round, view }
}

describe('the master', () => {
  it(`lets ${maxWritesPerRecord} writes wait for one record, and refuses more until one is answered (W4)`, () => {
    const { master, round } = scene()
    const answers: string[] = []
    const write = (digest: string) =>
      master.write(
        digest,
        (content) => `${content ?? ''}x`,
        (answer) => answers.push(answer.kind === 'refused' ? answer.why : answer.kind),
      )
    for (let i = 0; i < maxWritesPerRecord + 2; i++) write('A')
    write('B')
    expect(answers).toEqual(['key busy', 'key busy'])
    for (let i = 0; i < 4; i++) round()
    expect(answers.slice(2)).toEqual(Array.from({ length: maxWritesPerRecord + 1 }, () => 'ok'))
    write('A')
    expect(answers.at(-1)).toBe('ok')
    for (let i = 0; i < 4; i++) round()
    expect(answers.filter((answer) => answer === 'ok').length).toBe(maxWritesPerRecord + 2)
  })

  it('answers a read of a hot record with what was acknowledged, without waiting for the writes (L2, W3)', () => {
    const { master, round } = scene()
    const read: (string | undefined)[] = []
    const append = (token: string) =>
      master.write(
        'A',
        (content) => `${content ?? ''}${token}`,
        () => undefined,
      )
    append('a')
    for (let i = 0; i < 4; i++) round()
    append('b')
    master.read('A', (answer) => read.push(answer.kind === 'ok' ? answer.content : answer.why))
    expect(read).toEqual([])
    // A stream of writes never lets the record rest; the read takes one question and one answer.
    for (let i = 0; i < 3 && read.length === 0; i++) {
      append('c')
      round()
    }
    expect(read).toEqual(['a'])
  })

  it('answers session reads at once, but after a standstill only when its view is confirmed (L3)', () => {
    const { master, copies, round } = scene()
    const read: string[] = []
    const ask = (now: number) => master.readInSession(now, 'A', (answer) => read.push(answer.kind))
    for (const { partition } of copies) partition.tick(1000)
    ask(1100)
    expect(read).toEqual(['ok'])
    const late = 1000 + standstill + 1
    master.tick(late)
    ask(late)
    expect(read).toEqual(['ok'])
    for (let i = 0; i < 3; i++) round()
    expect(read).toEqual(['ok', 'ok'])
    ask(late + 1)
    expect(read).toEqual(['ok', 'ok', 'ok'])
  })

  it('refuses when its node has promised another view, and answers its writes when a later one serves (W2)', () => {
    const { master, copies, round, view } = scene()
    const answers: string[] = []
    master.write(
      'A',
      () => 'x',
      (answer) => answers.push(answer.kind),
    )
    round()
    for (const { partition } of copies) partition.leave()
    master.write(
      'A',
      () => 'y',
      (answer) => answers.push(answer.kind),
    )
    master.read('A', (answer) => answers.push(answer.kind))
    expect(answers).toEqual(['refused', 'refused'])
    view()
    expect(answers).toEqual(['refused', 'refused', 'ok'])
  })
})
