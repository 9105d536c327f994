/**
 * One node of a cluster: its membership, its namespaces and the requests of its clients. Outputs collect until `take`;
 * what has to be saved is answered with `promiseStored` and `copiesStored`.
 */
import { ApNamespace } from './ap-namespace.ts'
import type { ClusteredNamespace } from './clustered-namespace.ts'
import { type CopyReport, holdingsOf } from './copy-report.ts'
import type { CopyStore } from './copy-store.ts'
import type { DataMessage, PartitionMessage, StatusMessage } from './data-message.ts'
import { MetadataSpread } from './metadata-spread.ts'
import { Membership, type MembershipMessage, type MembershipOutput } from './membership.ts'
import { compareNodeIds, type NodeId } from './node-id.ts'
import { PeerClocks } from './peer-clocks.ts'
import { type HoldingTable, type MapNode, partitionMap } from './partition-map.ts'
import { processKey, sameProcess, type Process } from './process.ts'
import { regimeOf } from './regime.ts'
import { RequestRouting } from './request-routing.ts'
import type { SavedCopies } from './saved-copies.ts'
import type { RecordContent } from './strong/record-content.ts'
import type { StrongInput } from './strong/plans.ts'
import type { StrongBatch } from './strong/strong-message.ts'
import {
  StrongNamespaces,
  type StrongReport,
  type StrongSetup,
  type WishMessage,
} from './strong/strong-namespaces.ts'
import { StrongTruncation } from './strong-truncation.ts'
import { type MetadataEntry, type SettingState, SystemMetadata } from './system-metadata.ts'
import { viewKey, type ViewId } from './view-id.ts'
import type { ViewRecord } from './views.ts'

/** What a member says when it promises a view. */
export interface NodeReport {
  readonly rack: number
  readonly quiesced: boolean
  /** `host:port` where clients reach it. */
  readonly addresses: readonly string[]
  readonly copies: Readonly<Record<string, CopyReport>>
  readonly metadata: readonly MetadataEntry[]
  readonly strong: Readonly<Record<string, StrongReport>>
}

/** Every input of the partition maps (V4). */
export interface ViewInput {
  readonly nodes: readonly (MapNode & { readonly addresses: readonly string[] })[]
  readonly namespaces: readonly {
    readonly name: string
    readonly partitions: number
    readonly replicationFactor: number
    readonly holdings: HoldingTable
  }[]
  /** Of all members. */
  readonly metadata: readonly MetadataEntry[]
  /** By name of the namespace. */
  readonly strong: Readonly<Record<string, StrongInput>>
}

export type ClusterMessage =
  MembershipMessage<NodeReport, ViewInput> | DataMessage | StrongBatch<RecordContent> | WishMessage

export interface NamespaceSetup {
  readonly name: string
  readonly store: CopyStore
  readonly replicationFactor: number
  /** Only where the data it speaks of is what it was (C6 of README.md). */
  readonly saved?: SavedCopies
}

export type NodeOutput =
  | { readonly kind: 'send'; readonly to: NodeId; readonly message: ClusterMessage }
  | { readonly kind: 'storePromise'; readonly promised: ViewId }
  | {
      readonly kind: 'storeCopies'
      readonly number: number
      readonly copies: Readonly<Record<string, SavedCopies>>
    }
  /** To be answered with `metadataStored`. */
  | { readonly kind: 'storeMetadata'; readonly revision: number; readonly entries: readonly MetadataEntry[] }
  | { readonly kind: 'enter'; readonly record: ViewRecord<ViewInput> }

export interface ClusterNodeOptions {
  readonly self: Process
  readonly cluster: string
  readonly seeds: readonly NodeId[]
  readonly interval: number
  readonly timeout: number
  readonly random: () => number
  readonly promised: ViewId
  readonly rack: number
  /** ms since 1970 */
  readonly clock: () => number
  /** Milliseconds by which this node's clock may differ from most others'; 0 = any. */
  readonly clockBound: number
  /** `host:port` where clients reach this node, once that is known. */
  readonly serviceAddresses?: () => readonly string[]
  /** Told of what was thrown while a request was worked on. Default: it is thrown on. */
  readonly onFault?: (error: unknown) => void
  readonly namespaces: readonly NamespaceSetup[]
  /** What the node knew when it stopped. */
  readonly metadata?: readonly MetadataEntry[]
  /** Makes a setting what the cluster says. */
  readonly adopt: (setting: SettingState) => void
  readonly strong?: readonly StrongSetup[]
}

/** Messages kept for a view that has begun elsewhere; more are dropped, and sent again by those who want an answer. */
const largestEarly = 50_000
/** Versions that one slice of filling copies looks at, about; each takes about a microsecond. */
const sliceVersions = 512
/** Milliseconds between two saves of what only makes the next start cheaper. */
const savePeriod = 1000
/** Milliseconds between two looks at the members' clocks. */
const judgementPeriod = 100
/** Milliseconds between two words to the leader about how far this node is. */
const statusPeriod = 100

const nothing: readonly NodeOutput[] = []

export class ClusterNode {
  readonly membership: Membership<NodeReport, ViewInput>
  readonly routing: RequestRouting
  readonly namespaces = new Map<string, ApNamespace>()
  readonly strong: StrongNamespaces
  readonly metadata: MetadataSpread
  readonly truncation: StrongTruncation
  readonly clocks: PeerClocks
  quiesced = false
  readonly #options: ClusterNodeOptions
  #outputs: NodeOutput[] = []
  /** The view this node entered and begins to serve once its copies are saved. */
  #entered: ViewRecord<ViewInput> | undefined
  #enteredSave = 0
  #serving: string | undefined
  #servedAt = -Infinity
  #isLost = true
  #saveNumber = 0
  #storedNumber = 0
  /** What is known of the copies is not what is saved. */
  #isDirty = false
  #nextSave = -Infinity
  /** Messages of the view that is about to begin here. */
  readonly #early: { readonly from: Process; readonly message: PartitionMessage }[] = []
  readonly #statuses = new Map<NodeId, StatusMessage>()
  #nextStatus = -Infinity
  #nextJudgement = -Infinity
  /** A view is asked for until there is one. */
  #reclusters = false
  #hasWork = false

  constructor(options: ClusterNodeOptions) {
    this.#options = options
    const { clock, clockBound: bound, timeout: window } = options
    const clocks = (this.clocks = new PeerClocks({ self: options.self.id, clock, bound, window }))
    const send = (to: NodeId, message: ClusterMessage) =>
      void this.#outputs.push({ kind: 'send', to, message })
    for (const { name, store, saved } of options.namespaces) {
      const changed = (save: 'soon' | 'now') => {
        this.#isDirty = true
        if (save === 'now') this.#nextSave = -Infinity
      }
      const self = options.self.id
      this.namespaces.set(
        name,
        new ApNamespace({ name, self, store, clocks, send, changed, ...(saved ? { saved } : {}) }),
      )
    }
    const { self, timeout, strong = [], metadata: saved = [] } = options
    this.strong = new StrongNamespaces({ self, standstill: timeout, setups: strong, send })
    this.metadata = new MetadataSpread({
      ...{ self: self.id, saved, clock, send },
      view: () => this.#serving,
      members: () =>
        this.#serving === undefined ? [] : (this.membership.active?.members ?? []).map(({ id }) => id),
      store: (revision, entries) => void this.#outputs.push({ kind: 'storeMetadata', revision, entries }),
      apply: (entry) => {
        if (entry.kind === 'setting') return options.adopt(entry)
        const { kind, namespace, set, before } = entry
        if (kind === 'strong truncation') this.strong.truncate(namespace, set, before)
        else this.namespaces.get(namespace)?.store.truncate(set === '' ? undefined : set, before)
      },
      isDone: () => !this.strong.truncates,
    })
    this.truncation = new StrongTruncation({ metadata: this.metadata, strong: this.strong, clock })
    this.membership = new Membership({
      ...options,
      report: () => this.#report(),
      decide: (members, reports) => this.#decide(members, reports),
    })
    this.routing = new RequestRouting({
      self: options.self,
      namespaces: new Map<string, ClusteredNamespace>([...this.namespaces, ...this.strong.namespaces]),
      view: () => this.#serving,
      member: (id) => this.membership.active?.members.find((member) => member.id === id),
      isBelievedDead: (process) => this.membership.isBelievedDead(process),
      send,
      onFault: options.onFault,
    })
  }

  /** It has served in no view for longer than the heartbeat time-out. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Name of the view in which this node serves. */
  get serving(): string | undefined {
    return this.#serving
  }

  /** What is to be done; to be asked for after every call, and after every sync of a store. */
  take(): readonly NodeOutput[] {
    this.routing.flush()
    this.strong.flush()
    if (this.#outputs.length === 0) return nothing
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  tick(now: number): void {
    this.#handle(this.membership.tick(now))
    if (this.#serving !== undefined) this.#servedAt = now
    this.#isLost = now - this.#servedAt > this.#options.timeout
    for (const namespace of this.namespaces.values()) namespace.tick(now)
    this.strong.tick(now)
    this.work(now)
    this.routing.tick(now)
    if (now >= this.#nextJudgement) this.#judgeClocks(now)
    this.metadata.tick(now)
    this.#saveIfDue(now)
    if (now >= this.#nextStatus) this.#sayStatus(now)
  }

  /** Whether copies could be filled before the next tick. */
  get hasWork(): boolean {
    return this.#hasWork
  }

  /** One slice of what fills copies, well within a millisecond. A tick does one by itself. */
  work(now: number): void {
    const share = sliceVersions / this.namespaces.size
    this.#hasWork = false
    for (const namespace of this.namespaces.values()) {
      if (namespace.work(now, share) >= share) this.#hasWork = true
    }
  }

  receive(now: number, from: Process, message: ClusterMessage): void {
    switch (message.kind) {
      case 'heartbeat':
        if (message.time !== undefined) this.clocks.hear(now, from.id, message.time)
        return this.#handle(this.membership.receive(now, from, message))
      case 'view':
        return this.#handle(this.membership.receive(now, from, message))
      case 'proxy':
        return this.routing.receiveProxy(now, from, message)
      case 'proxied':
        return this.routing.receiveProxied(now, message)
      case 'status':
        return this.#hearStatus(from.id, message)
      case 'metadata':
      case 'metadataKnown':
        return this.#isMember(from) ? this.metadata.receive(from.id, message) : undefined
      case 'recluster':
        return message.view === this.#serving ? this.membership.renew() : undefined
      case 'wish':
        return this.strong.hearWish(message)
      case 'strong':
        return this.#receiveStrong(from, message)
      default:
        return this.#receiveData(now, from, message)
    }
  }

  promiseStored(now: number, promised: ViewId): void {
    this.#handle(this.membership.stored(now, promised))
  }

  copiesStored(now: number, number: number): void {
    this.#storedNumber = Math.max(this.#storedNumber, number)
    if (number === this.#saveNumber && !this.#isDirty) {
      for (const namespace of this.namespaces.values()) namespace.saved()
    }
    const record = this.#entered
    if (!record || number < this.#enteredSave || this.membership.active !== record) return
    this.#entered = undefined
    this.#serving = viewKey(record.id)
    for (const namespace of this.namespaces.values()) namespace.begin(this.#serving, regimeOf(record.id))
    this.metadata.begin()
    for (const { from, message } of this.#early.splice(0)) this.#receiveData(now, from, message)
  }

  /** Asks for another view of the same members, so that what they report now makes the map. */
  recluster(): void {
    this.#reclusters = true
  }

  #receiveData(now: number, from: Process, message: PartitionMessage): void {
    if (message.view === this.#serving) {
      if (this.#isMember(from)) this.namespaces.get(message.namespace)?.receive(now, from.id, message)
    } else if (message.view === viewKey(this.membership.promised) && this.#early.length < largestEarly) {
      this.#early.push({ from, message })
    }
  }

  #receiveStrong(from: Process, batch: StrongBatch<RecordContent>): void {
    if (this.membership.active) this.strong.receive(from, batch)
    else if (batch.view === viewKey(this.membership.promised)) this.strong.receiveEarly(from, batch)
  }

  #handle(outputs: MembershipOutput<NodeReport, ViewInput>[]): void {
    for (const output of outputs) {
      if (output.kind === 'send') this.#outputs.push({ ...output, message: this.#withTime(output.message) })
      else if (output.kind === 'store') {
        // What is saved once more ends no view.
        if (!this.membership.active) this.#leave()
        this.#outputs.push({ kind: 'storePromise', promised: output.promised })
      } else this.#enter(output.record)
    }
  }

  #withTime(message: MembershipMessage<NodeReport, ViewInput>): ClusterMessage {
    return message.kind === 'heartbeat' ? { ...message, time: this.#options.clock() } : message
  }

  #judgeClocks(now: number): void {
    this.#nextJudgement = now + judgementPeriod
    this.clocks.judge(now, this.membership.active?.members.map(({ id }) => id) ?? [])
  }

  #leave(): void {
    this.#serving = undefined
    this.#entered = undefined
    this.#statuses.clear()
    this.#early.length = 0
    for (const namespace of this.namespaces.values()) namespace.leave()
    this.strong.leave()
  }

  #enter(record: ViewRecord<ViewInput>): void {
    this.#entered = record
    this.#reclusters = false
    // Before anything is served: what a member has been told holds in the whole view.
    this.metadata.merge(record.input.metadata)
    for (const { name, partitions, replicationFactor, holdings } of record.input.namespaces) {
      const { nodes } = record.input
      const places = partitionMap({ algorithm: 1, partitions, replicationFactor, nodes, holdings })
      this.namespaces.get(name)?.enter(regimeOf(record.id), places)
    }
    this.strong.enter(record)
    this.#save()
    this.#enteredSave = this.#saveNumber
    this.#outputs.push({ kind: 'enter', record })
  }

  /** One save at a time: what changes meanwhile is saved together. */
  #saveIfDue(now: number): void {
    if (!this.#isDirty || this.#storedNumber !== this.#saveNumber || now < this.#nextSave) return
    this.#nextSave = now + savePeriod
    this.#save()
  }

  #save(): void {
    this.#isDirty = false
    const copies: Record<string, SavedCopies> = {}
    for (const [name, namespace] of this.namespaces) copies[name] = namespace.save()
    this.#outputs.push({ kind: 'storeCopies', number: ++this.#saveNumber, copies })
  }

  #report(): NodeReport {
    const copies: Record<string, CopyReport> = {}
    for (const [name, namespace] of this.namespaces) copies[name] = namespace.report()
    const { rack, serviceAddresses = () => [] } = this.#options
    return {
      rack,
      quiesced: this.quiesced,
      metadata: this.metadata.entries,
      addresses: serviceAddresses(),
      copies,
      strong: this.strong.report(),
    }
  }

  #decide(members: readonly Process[], reports: ReadonlyMap<string, NodeReport>): ViewInput {
    const nodes = members
      .map((member) => {
        const { rack, quiesced, addresses } = reports.get(processKey(member))!
        return { id: member.id, rack, quiesced, addresses }
      })
      .sort((a, b) => compareNodeIds(a.id, b.id))
    const namespaces = this.#options.namespaces.map(({ name, store, replicationFactor }) => {
      const copies = new Map<NodeId, CopyReport>()
      for (const member of members) {
        const report = reports.get(processKey(member))!.copies[name]
        if (report) copies.set(member.id, report)
      }
      const { partitions } = store
      return { name, partitions, replicationFactor, holdings: holdingsOf(nodes, copies, partitions) }
    })
    const strong = this.strong.decide(members, (member) => reports.get(processKey(member))!.strong)
    const metadata = new SystemMetadata([])
    for (const member of members) metadata.merge(reports.get(processKey(member))!.metadata)
    return { nodes, namespaces, metadata: metadata.entries, strong }
  }

  #isMember(process: Process): boolean {
    const members = this.membership.active?.members ?? []
    return members.some((member) => sameProcess(member, process))
  }

  #sayStatus(now: number): void {
    this.#nextStatus = now + statusPeriod
    const leader = this.membership.active?.id.leader
    if (leader === undefined || this.#serving === undefined) return
    let [unsettled, misplaced] = [0, 0]
    for (const namespace of [...this.namespaces.values(), ...this.strong.namespaces.values()]) {
      unsettled += namespace.unsettled
      misplaced += namespace.misplaced
    }
    if (this.#reclusters) this.#askForView(leader, this.#serving)
    const message = { kind: 'status', view: this.#serving, unsettled, misplaced } as const
    if (leader === this.#options.self.id) this.#hearStatus(leader, message)
    else this.#outputs.push({ kind: 'send', to: leader, message })
  }

  #askForView(leader: NodeId, view: string): void {
    if (leader === this.#options.self.id) this.membership.renew()
    else this.#outputs.push({ kind: 'send', to: leader, message: { kind: 'recluster', view } })
  }

  /** Mastership moves by a view alone: when all fills have ended, the leader makes one with the same members. */
  #hearStatus(from: NodeId, message: StatusMessage): void {
    const { active } = this.membership
    if (message.view !== this.#serving || active?.id.leader !== this.#options.self.id) return
    this.#statuses.set(from, message)
    const statuses = active.members.map(({ id }) => this.#statuses.get(id))
    const settled = (status: StatusMessage | undefined) =>
      status?.view === this.#serving && status?.unsettled === 0
    if (!statuses.every(settled)) return
    if (statuses.some((status) => (status?.misplaced ?? 0) > 0)) this.membership.renew()
  }
}
