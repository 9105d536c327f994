import { describe, expect, it } from 'vitest'
import { planOf, type SingleInput } from '../../../engine/src/cluster/strong/activation.ts'
import type { Process } from '../../../engine/src/cluster/process.ts'
import { Standstills } from '../../../engine/src/cluster/strong/standstill.ts'
import { blankMeta } from '../../../engine/src/cluster/strong/copy-meta.ts'
import { firstLineage } from '../../../engine/src/cluster/strong/lineage.ts'
import { type Answer, maxWritesPerRecord } from '../../../engine/src/cluster/strong/master.ts'
import { StrongPartition } from '../../../engine/src/cluster/strong/partition.ts'
import { noView } from '../../../engine/src/cluster/view-id.ts'
import type { ViewRecord } from '../../../engine/src/cluster/views.ts'
import { StrongDisk } from '../../../engine/src/simulator/strong-disk.ts'

const standstill = 600

/** Two copies whose messages and syncs wait until they are let through. */
function scene() {
  const processes = ['A1', 'A2'].map((id) => ({ id, incarnation: `folder of ${id}`, start: 's' }))
  const seats = processes.map(({ id, incarnation }) => ({ id, incarnation, rack: 0 }))
  const roster = { seats, replicationFactor: 2, givenUp: [], number: 1, view: noView }
  const standstills = new Standstills(standstill)
  let waiting: (() => void)[] = []
  const copies = processes.map((self) => {
    const meta = { ...blankMeta, rosters: { inForce: roster }, claims: [noView] }
    const disk = new StrongDisk({ later: (run) => waiting.push(run) }, meta, firstLineage)
    return {
      self,
      disk,
      partition: new StrongPartition({
        ...{ self, durability: 'commit', disk, standstills },
        mayFill: () => true,
        given: () => undefined,
        weigh: () => 1,
      }),
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
    const record: ViewRecord<SingleInput> = {
      id: { number: ++number, leader: 'A2', incarnation: 'folder of A2' },
      members: processes,
      input: { reports: copies.map(({ partition }) => partition.report()) },
    }
    const plan = planOf(record, 0, 'commit')!
    const lineageOf = (process: Process) =>
      record.input.reports[processes.findIndex(({ id }) => id === process.id)]!.lineage
    for (const { partition } of copies) partition.enter({ plan, members: processes, lineageOf })
    for (let i = 0; i < 8; i++) round()
  }
  view()
  const { partition: master, disk } = copies.find(({ partition }) => partition.isServing)!
  const append = (digest: string, token: string, answer: (answer: Answer) => void = () => undefined) =>
    master.execute(0, {
      digest,
      kind: 'write',
      run: (position) => {
        const content = (disk.read(digest) ?? '') + token
        disk.apply({ entries: [[digest, { position, content }]], state: position })
        return true
      },
      answer,
    })
  /** Answers what was read, or why it was not. */
  const read = (
    now: number,
    kind: 'read' | 'session read',
    answer: (content: string | undefined) => void,
  ) => {
    let content: string | undefined
    const run = () => {
      content = disk.read('A')
      return false
    }
    master.execute(now, {
      digest: 'A',
      kind,
      run,
      answer: (answered) => answer(answered.kind === 'ok' ? content : answered.kind),
    })
  }
  return { copies, standstills, round, view, append, read }
}

describe('a replica', () => {
  it('acknowledges nothing that its disk refused, and takes it when it comes again (W2)', () => {
    const { copies, append, round } = scene()
    const replica = copies.find(({ partition }) => !partition.isServing)!
    const master = copies.find(({ partition }) => partition.isServing)!
    const apply = replica.disk.apply.bind(replica.disk)
    const answers: string[] = []
    const goOn = () => {
      for (let i = 0; i < 4; i++) {
        try {
          round()
        } catch (error) {
          expect(String(error)).toContain('no room')
        }
        master.partition.repeat()
      }
    }
    replica.disk.apply = () => {
      throw new Error('no room')
    }
    append('A', 'x', (answer) => answers.push(answer.kind))
    goOn()
    expect(answers).toEqual([])
    replica.disk.apply = apply
    goOn()
    expect(answers).toEqual(['ok'])
    expect(replica.disk.find('A')?.content).toBe('x')
  })
})

describe('the master', () => {
  it(`lets ${maxWritesPerRecord} writes wait for one record, and refuses more until one is answered (W4)`, () => {
    const { append, round } = scene()
    const answers: string[] = []
    const write = (digest: string) =>
      append(digest, 'x', (answer) => answers.push(answer.kind === 'refused' ? answer.why : answer.kind))
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

  it('answers a read of a hot record when the writes that it saw are acknowledged, and waits for no later ones (L2, W3)', () => {
    const { append, read, round } = scene()
    const seen: (string | undefined)[] = []
    append('A', 'a')
    for (let i = 0; i < 4; i++) round()
    append('A', 'b')
    for (const kind of ['read', 'session read'] as const) read(0, kind, (content) => seen.push(content))
    expect(seen).toEqual([])
    // A stream of writes never lets the record rest; the reads take as long as the write before them.
    for (let i = 0; i < 5 && seen.length < 2; i++) {
      append('A', 'c')
      round()
    }
    expect(seen).toEqual(['ab', 'ab'])
  })

  it('refuses reads that were not answered when the view is over', () => {
    const { copies, append, read } = scene()
    const seen: (string | undefined)[] = []
    read(0, 'read', (content) => seen.push(content))
    append('A', 'a')
    read(0, 'session read', (content) => seen.push(content))
    for (const { partition } of copies) partition.leave()
    expect(seen).toEqual(['refused', 'refused'])
  })

  it('answers session reads at once, but after a standstill only when its view is confirmed (L3)', () => {
    const { standstills, round, read: readOf, append } = scene()
    const read: (string | undefined)[] = []
    append('A', 'a')
    for (let i = 0; i < 4; i++) round()
    const ask = (now: number) => readOf(now, 'session read', (content) => read.push(content))
    standstills.tick(1000)
    ask(1100)
    expect(read).toEqual(['a'])
    const late = 1000 + standstill + 1
    standstills.tick(late)
    ask(late)
    expect(read).toEqual(['a'])
    for (let i = 0; i < 3; i++) round()
    expect(read).toEqual(['a', 'a'])
    ask(late + 1)
    expect(read).toEqual(['a', 'a', 'a'])
  })

  it('refuses when its node has promised another view, and answers its writes when a later one serves (W2)', () => {
    const { copies, round, view, append, read } = scene()
    const answers: (string | undefined)[] = []
    append('A', 'x', (answer) => answers.push(answer.kind))
    round()
    for (const { partition } of copies) partition.leave()
    append('A', 'y', (answer) => answers.push(answer.kind))
    read(0, 'read', (content) => answers.push(content))
    expect(answers).toEqual(['refused', 'refused'])
    view()
    expect(answers).toEqual(['refused', 'refused', 'ok'])
  })
})
