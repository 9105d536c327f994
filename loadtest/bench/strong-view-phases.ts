/**
 * What a new view of a strong namespace costs its nodes in processor time, phase by phase: the nodes' own machines over
 * real stores in one process, their messages as bytes, without clocks or sockets.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClusterMessage } from '../../engine/src/cluster/cluster-node.ts'
import type { Process } from '../../engine/src/cluster/process.ts'
import { regimeOf } from '../../engine/src/cluster/regime.ts'
import { ReportedCopies } from '../../engine/src/cluster/strong/namespace-report.ts'
import { StrongCopies } from '../../engine/src/cluster/strong/strong-copies.ts'
import {
  StrongNamespaces,
  type StrongRecord,
  type StrongReport,
} from '../../engine/src/cluster/strong/strong-namespaces.ts'
import { StrongRecords } from '../../engine/src/cluster/strong/strong-records.ts'
import { sameView } from '../../engine/src/cluster/view-id.ts'
import { Namespace } from '../../engine/src/namespace/namespace.ts'
import { copiesFile } from '../../engine/src/server/copies-file.ts'
import { packParcel, ParcelReader } from '../../engine/src/server/mesh/parcel.ts'
import { nodeDisk } from '../../engine/src/server/node-disk.ts'
import { newView } from '../../engine/src/storage/record.ts'
import { RecordStore } from '../../engine/src/storage/record-store.ts'
import { fixed, median, printTable, thousands } from './table.ts'

const partitions = 4096
const name = 'stock'
/** Views that are made before those that count, and those. */
const warming = 2
const counted = 5

const phases = [
  'leave',
  'report',
  'send reports',
  'decide',
  'send the record',
  'enter',
  'messages',
  'disk',
  'status',
] as const
type Phase = (typeof phases)[number]

/** Of one view; processor times in ms, of the node that took longest. */
interface Cost {
  readonly times: ReadonlyMap<Phase, number>
  /** Of all nodes. */
  readonly all: number
  /** At a stretch. */
  readonly longest: number
  readonly bytes: { readonly report: number; readonly record: number; readonly messages: number }
  readonly messages: number
  readonly files: number
  /** From the first promise until all partitions serve, of the wall clock, all nodes in one process. */
  readonly elapsed: number
}

/** Main-thread time of this process, in ms. */
const busy = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

export async function strongViewPhases(): Promise<void> {
  for (const nodes of [3, 5]) {
    const folder = mkdtempSync(join(tmpdir(), 'larder-bench-'))
    try {
      const stage = await PhaseStage.open(folder, nodes)
      await stage.found()
      for (const kind of ['same members', 'a node leaves'] as const) {
        const costs: Cost[] = []
        for (let i = 0; i < warming + counted; i++) {
          await stage.view(nodes)
          stage.write()
          const cost = await stage.view(kind === 'same members' ? nodes : nodes - 1)
          stage.write()
          if (i >= warming) costs.push(cost)
        }
        print(`${nodes} nodes, ${kind}`, costs)
      }
      await stage.close()
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
}

function print(title: string, costs: readonly Cost[]): void {
  const middle = (of: (cost: Cost) => number) => median(costs.map(of))
  printTable(
    [title, 'ms'],
    [
      ...phases.map((phase) => [
        phase,
        fixed(
          middle(({ times }) => times.get(phase) ?? 0),
          2,
        ),
      ]),
      [
        'longest stretch',
        fixed(
          middle(({ longest }) => longest),
          2,
        ),
      ],
      [
        'all nodes',
        fixed(
          middle(({ all }) => all),
          1,
        ),
      ],
      [
        'until served',
        fixed(
          middle(({ elapsed }) => elapsed),
          1,
        ),
      ],
    ],
  )
  console.log(
    `  KB: report ${thousands(middle(({ bytes }) => bytes.report / 1000))}, record ${thousands(middle(({ bytes }) => bytes.record / 1000))}, ` +
      `messages ${thousands(middle(({ bytes }) => bytes.messages / 1000))} in ${thousands(middle(({ messages }) => messages))}; ` +
      `files of metas ${thousands(middle(({ files }) => files))}\n`,
  )
}

class PhaseNode {
  readonly self: Process
  readonly strong: StrongNamespaces
  readonly copies: StrongCopies
  readonly store: RecordStore
  readonly times = new Map<Phase, number>()
  readonly reader = new ParcelReader()
  longest = 0

  constructor(self: Process, parts: Pick<PhaseNode, 'strong' | 'copies' | 'store'>) {
    this.self = self
    this.strong = parts.strong
    this.copies = parts.copies
    this.store = parts.store
  }

  in<Result>(phase: Phase, run: () => Result): Result {
    const began = busy()
    const result = run()
    const time = busy() - began
    this.times.set(phase, (this.times.get(phase) ?? 0) + time)
    this.longest = Math.max(this.longest, time)
    return result
  }
}

class PhaseStage {
  readonly #nodes: PhaseNode[] = []
  #number = 0
  #sequence = 0
  #under: readonly PhaseNode[] = []
  readonly #written = { messages: 0, bytes: 0, files: 0 }
  readonly #mail: { readonly to: PhaseNode; readonly bytes: Buffer }[] = []

  static async open(folder: string, count: number): Promise<PhaseStage> {
    const stage = new PhaseStage()
    for (let i = 1; i <= count; i++) await stage.#add(`A${i}`, join(folder, `A${i}`))
    return stage
  }

  async found(): Promise<void> {
    await this.view(this.#nodes.length)
    const seats = this.#nodes.map(({ self: { id, incarnation } }) => ({ id, incarnation, rack: 0 }))
    const refusal = this.#nodes[0]!.strong.setRoster(name, seats)
    if (refusal !== undefined) throw new Error(refusal)
    await this.#deliver()
    await this.view(this.#nodes.length)
    this.write()
  }

  /** The first so many nodes promise, enter and serve. */
  async view(count: number): Promise<Cost> {
    const nodes = (this.#under = this.#nodes.slice(0, count))
    Object.assign(this.#written, { messages: 0, bytes: 0, files: 0 })
    for (const node of nodes) {
      node.times.clear()
      node.longest = 0
    }
    const began = performance.now()
    const { record, bytes } = this.#agree(nodes)
    for (const node of nodes) {
      node.in('enter', () => node.strong.enter(record))
      this.#flush(node)
    }
    for (let now = 0; !this.#serves(nodes); now++) {
      await this.#deliver()
      for (const node of nodes) node.in('messages', () => node.strong.tick(now))
      for (const node of nodes) this.#flush(node)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const elapsed = performance.now() - began
    for (let i = 0; i < 3; i++) {
      await this.#deliver()
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (const node of nodes)
      node.in('status', () => {
        const namespace = node.strong.namespaces.get(name)!
        return namespace.unsettled + namespace.misplaced
      })
    const times = new Map<Phase, number>()
    for (const phase of phases) times.set(phase, Math.max(...nodes.map((node) => node.times.get(phase) ?? 0)))
    return {
      ...{ times, elapsed, bytes: { ...bytes, messages: this.#written.bytes } },
      all: nodes.reduce((sum, node) => [...node.times.values()].reduce((a, b) => a + b, sum), 0),
      longest: Math.max(...nodes.map(({ longest }) => longest)),
      messages: this.#written.messages,
      files: this.#written.files,
    }
  }

  /** One write to every partition that serves, on all of its complete copies. */
  write(): void {
    this.#sequence++
    const bins = Buffer.alloc(100, 'x')
    const digest = Buffer.alloc(20)
    for (let partition = 0; partition < partitions; partition++) {
      const plan = this.#under[0]?.strong.namespaces.get(name)?.plans?.at(partition)
      if (!plan) continue
      digest.writeUInt16LE(partition, 0)
      digest.writeUInt32BE(Math.imul(this.#sequence, 0x9e3779b1) >>> 0, 3)
      const position = { regime: regimeOf(plan.activation.regime), sequence: 1 }
      const content = {
        ...{
          generation: 1,
          voidTime: 0,
          lastUpdate: 1,
          set: 's',
          key: bins.subarray(0, 0),
          bins,
          binCount: 1,
        },
      }
      for (const { id } of plan.complete)
        this.#nodes
          .find(({ self }) => self.id === id)!
          .copies.disk(partition)
          .apply({ entries: [[digest.toString('latin1'), { position, content }]], state: position })
    }
  }

  async close(): Promise<void> {
    for (const { copies, store } of this.#nodes) {
      await copies.close()
      await store.close()
    }
  }

  /** All promise; the first one leads. */
  #agree(nodes: readonly PhaseNode[]): {
    readonly record: StrongRecord
    readonly bytes: { readonly report: number; readonly record: number }
  } {
    const leader = nodes[0]!
    const view = { number: ++this.#number, leader: leader.self.id, incarnation: leader.self.incarnation }
    const reports = new Map<Process, Record<string, StrongReport>>()
    const [rack, quiesced, addresses, metadata, copies] = [0, false, [], [], {}]
    const bytes = { report: 0, record: 0 }
    for (const node of nodes) {
      node.in('leave', () => node.strong.leave())
      const strong = node.in('report', () => node.strong.report())
      const report = { rack, quiesced, addresses, metadata, copies, strong }
      const message = { kind: 'promise', view, report } as const
      const parcel = node.in('send reports', () => pack(node.self, message))
      bytes.report = parcel.length
      const heard = leader.in('send reports', () => unpack(leader, parcel))
      const there = heard.kind === 'view' && heard.message.kind === 'promise' ? heard.message : message
      reports.set(node.self, node === leader ? strong : there.report.strong)
    }
    const members = nodes.map(({ self }) => self)
    const strong = leader.in('decide', () => leader.strong.decide(members, (member) => reports.get(member)!))
    const input = {
      ...{ namespaces: [], metadata: [], strong },
      nodes: members.map(({ id }) => ({ id, rack, quiesced, addresses })),
    }
    const record = { id: view, members, input }
    for (const node of nodes.slice(1)) {
      const parcel = leader.in('send the record', () => pack(leader.self, { kind: 'commit', record }))
      bytes.record = parcel.length
      node.in('send the record', () => unpack(node, parcel))
    }
    return { record, bytes }
  }

  /** Every partition that may serve does: its master knows that the regime has served. */
  #serves(nodes: readonly PhaseNode[]): boolean {
    const namespaces = nodes.map(({ strong }) => strong.namespaces.get(name)!)
    const reports = namespaces.map((namespace) => new ReportedCopies(namespace.report()))
    for (let partition = 0; partition < partitions; partition++) {
      const plan = namespaces[0]!.plans!.at(partition)
      if (!plan) continue
      const copies = reports[nodes.findIndex(({ self }) => self.id === plan.master.id)]!
      if (!sameView(copies.standings[copies.standingOf(partition)]!.served, plan.activation.regime))
        return false
    }
    return true
  }

  #flush(node: PhaseNode): void {
    node.in('messages', () => node.strong.flush())
  }

  async #deliver(): Promise<void> {
    for (let next = this.#mail.shift(); next; next = this.#mail.shift()) {
      const { to, bytes } = next
      to.in('messages', () => {
        for (const parcel of to.reader.read(bytes)) {
          if (parcel.kind !== 'message') continue
          const { from, message } = parcel
          if (message.kind === 'strong') to.strong.receive(from, message)
          else if (message.kind === 'wish') to.strong.hearWish(message)
        }
        to.strong.flush()
      })
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async #add(id: string, folder: string): Promise<void> {
    const self = { id, incarnation: `F${id}`, start: 's' }
    const store = await RecordStore.open({
      clock: Date.now,
      stopwatch: () => performance.now(),
      memoryLimit: 2 ** 31,
      strong: true,
      files: {
        ...{ disk: nodeDisk, folder, namespace: name, durability: 'commit', flushMs: 1000 },
        newIncarnation: () => 'bench',
      },
    })
    const file = copiesFile(nodeDisk, folder)
    let woken = false
    const copies = await StrongCopies.open({
      ...{ store, partitions },
      file: {
        read: () => file.read(),
        write: async (bytes) => {
          this.#written.files++
          await file.write(bytes)
        },
      },
      turn: (partition, run) => {
        node.in('disk', () => node.strong.namespaces.get(name)!.turn(partition, run))
        if (woken) return
        woken = true
        queueMicrotask(() => {
          woken = false
          this.#flush(node)
        })
      },
      onFault: (error) => console.error(error),
    })
    const records = new StrongRecords(
      new Namespace(name, settings, store, Date.now, newView()),
      copies,
      partitions,
    )
    const strong = new StrongNamespaces({
      ...{ self, standstill: 1500 },
      setups: [{ name, store: records, durability: 'commit', replicationFactor: 2 }],
      send: (to, message) => {
        const bytes = packParcel({ kind: 'message', from: self, message })
        this.#written.messages++
        this.#written.bytes += bytes.length
        this.#mail.push({ to: this.#nodes.find((other) => other.self.id === to)!, bytes })
      },
    })
    const node = new PhaseNode(self, { strong, copies, store })
    this.#nodes.push(node)
  }
}

const settings = {
  defaultTtl: 0,
  nsupPeriod: 0,
  allowTtlWithoutNsup: false,
  maxRecordSize: 1 << 20,
  disallowNullSetname: false,
  rejectNonXdrWrites: false,
  rejectXdrWrites: false,
  defaultReadTouchTtlPct: 0,
  conflictResolutionPolicy: 'generation' as const,
}

type ViewBody = Extract<ClusterMessage, { kind: 'view' }>['message']

function pack(from: Process, message: ViewBody): Buffer {
  return packParcel({ kind: 'message', from, message: { kind: 'view', toStart: 's', message } })
}

function unpack(node: PhaseNode, bytes: Buffer): ClusterMessage {
  for (const parcel of node.reader.read(bytes)) if (parcel.kind === 'message') return parcel.message
  throw new Error('no message came')
}
