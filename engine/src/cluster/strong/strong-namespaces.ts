/**
 * All strong namespaces of one node: what it reports and decides of them, their messages, and the rosters that operators
 * ask for. A roster that was asked for is a wish: every node keeps the newest it has heard of until a view has written it.
 */
import type { NodeId } from '../node-id.ts'
import { sameProcess, type Process } from '../process.ts'
import type { RosterControl, RosterSeat, RosterState } from '../roster-control.ts'
import { viewKey, type ViewId } from '../view-id.ts'
import type { Durability } from './activation.ts'
import type { NamespaceReport } from './namespace-report.ts'
import type { StrongInput } from './plans.ts'
import type { RecordContent } from './record-content.ts'
import type { RosterContent, RosterWish } from './roster.ts'
import type { StrongBatch } from './strong-message.ts'
import { StrongNamespace } from './strong-namespace.ts'
import type { StrongStore } from './strong-store.ts'

export interface StrongSetup {
  readonly name: string
  readonly store: StrongStore<RecordContent>
  readonly durability: Durability
  /** What the next roster will say. */
  readonly replicationFactor: number
}

export interface StrongReport {
  readonly copies: NamespaceReport
  readonly wish?: RosterWish
}

/** What an operator wants, on its way to all nodes. */
export interface WishMessage {
  readonly kind: 'wish'
  readonly namespace: string
  readonly wish: RosterWish
}

/** A view's record, as far as it matters here. */
export interface StrongRecord {
  readonly id: ViewId
  readonly input: {
    readonly nodes: readonly { readonly id: NodeId; readonly rack: number; readonly quiesced: boolean }[]
    /** By name of the namespace. */
    readonly strong: Readonly<Record<string, StrongInput>>
  }
}

export interface StrongNamespacesOptions {
  readonly self: Process
  readonly standstill: number
  readonly setups: readonly StrongSetup[]
  readonly send: (to: NodeId, message: StrongBatch<RecordContent> | WishMessage) => void
}

/** Batches kept for a view that has begun elsewhere; more are dropped, and said again. */
const largestEarly = 1000

export class StrongNamespaces implements RosterControl {
  readonly namespaces = new Map<string, StrongNamespace<RecordContent>>()
  readonly #options: StrongNamespacesOptions
  readonly #wishes = new Map<string, RosterWish>()
  #record: StrongRecord | undefined
  /** The same, or that of the last view. */
  #last: StrongRecord | undefined
  readonly #early: { readonly from: Process; readonly batch: StrongBatch<RecordContent> }[] = []

  constructor(options: StrongNamespacesOptions) {
    this.#options = options
    const { self, standstill, setups, send } = options
    for (const { name, store, durability } of setups)
      this.namespaces.set(name, new StrongNamespace({ self, standstill, name, store, durability, send }))
  }

  report(): Record<string, StrongReport> {
    const reports: Record<string, StrongReport> = {}
    for (const [name, namespace] of this.namespaces) {
      const wish = this.#wishes.get(name)
      reports[name] = { copies: namespace.report(), ...(wish && { wish }) }
    }
    return reports
  }

  /** What the record of a view shall carry, from what its members reported. */
  decide(
    members: readonly Process[],
    reportsOf: (member: Process) => Readonly<Record<string, StrongReport>>,
  ): Record<string, StrongInput> {
    const inputs: Record<string, StrongInput> = {}
    for (const [name, { durability }] of this.namespaces) {
      const having = members.filter((member) => reportsOf(member)[name] !== undefined)
      const reports = having.map((member) => reportsOf(member)[name]!)
      const wish = newest(reports)
      inputs[name] = {
        durability,
        members: having,
        reports: reports.map(({ copies }) => copies),
        ...(wish && { wish }),
      }
    }
    return inputs
  }

  enter(record: StrongRecord): void {
    this.#record = record
    this.#last = record
    const { id, input } = record
    const quiesced = input.nodes.filter((node) => node.quiesced).map((node) => node.id)
    for (const [name, namespace] of this.namespaces) {
      const strong = input.strong[name]
      if (!strong) continue
      namespace.enter({ id, members: strong.members, quiesced }, strong)
      const wish = this.#wishes.get(name)
      if (
        wish &&
        wishNumber(wish.content) <=
          wishNumber(namespace.plans?.rosters?.pending ?? namespace.plans?.rosters?.inForce)
      )
        this.#wishes.delete(name)
    }
    for (const { from, batch } of this.#early.splice(0)) this.receive(from, batch)
  }

  leave(): void {
    this.#record = undefined
    this.#early.length = 0
    for (const namespace of this.namespaces.values()) namespace.leave()
  }

  receive(from: Process, batch: StrongBatch<RecordContent>): void {
    if (this.#record && viewKey(this.#record.id) === batch.view)
      this.namespaces.get(batch.namespace)?.receive(from, batch)
  }

  /** Of a view that this node has promised and not entered. */
  receiveEarly(from: Process, batch: StrongBatch<RecordContent>): void {
    if (this.#early.length < largestEarly) this.#early.push({ from, batch })
  }

  hearWish({ namespace, wish }: WishMessage): void {
    const known = this.#wishes.get(namespace)
    if (!known || wishNumber(wish.content) > wishNumber(known.content)) this.#wishes.set(namespace, wish)
  }

  /** Has every partition delete what the set holds, without a name everything; `number` says which truncation it is. */
  truncate(name: string, set: string, number: number): void {
    this.namespaces.get(name)?.truncate(set, number)
  }

  /** Some partition that this node leads has not done a truncation that is known. */
  get truncates(): boolean {
    for (const { truncates } of this.namespaces.values()) if (truncates) return true
    return false
  }

  /** Partitions that may not serve in the view; undefined between two. */
  unavailable(name: string): number | undefined {
    return this.namespaces.get(name)?.plans?.unavailable
  }

  tick(now: number): void {
    for (const namespace of this.namespaces.values()) namespace.tick(now)
  }

  flush(): void {
    for (const namespace of this.namespaces.values()) namespace.flush()
  }

  rosterOf(name: string): RosterState | undefined {
    const namespace = this.namespaces.get(name)
    if (!namespace) return undefined
    const { shown } = namespace
    const rosters = shown?.rosters
    const wish = this.#wishes.get(name)
    return {
      roster: rosters?.inForce.seats,
      pending: wish?.content.seats ?? rosters?.pending?.seats,
      observed: shown ? this.#observed(name) : [],
      deadPartitions: shown?.dead ?? 0,
      unavailablePartitions: shown?.unavailable ?? namespace.store.partitions,
    }
  }

  setRoster(name: string, seats: readonly RosterSeat[]): string | undefined {
    const plans = this.namespaces.get(name)?.plans
    if (!plans) return `namespace ${name} is in no view; try again when the cluster has formed`
    if (seats.length === 0) return 'a roster needs at least one node'
    const twice = seats.find(({ id }, i) => seats.findIndex((seat) => seat.id === id) !== i)
    if (twice) return `node ${twice.id} is listed twice`
    const { rosters, reports } = plans
    const current = rosters?.pending ?? rosters?.inForce
    const gone = seats.find(({ incarnation }) => current?.givenUp.includes(incarnation))
    if (gone)
      return `the data folder of ${gone.id} was given up by a revive; start the node with an empty one`
    const earlier = plans.view.members.filter((_, i) => reports[i]!.hasEarlierData)
    const [holder, another] = earlier
    if (!current && holder && another)
      return `${holder.id} and ${another.id} both have data from before; the first roster can keep that of one node`
    if (!current && holder && !seats.some((seat) => seat.incarnation === holder.incarnation))
      return `${holder.id} has data from before and is not on the first roster`
    const foreign =
      current && earlier.find((process) => seats.some((seat) => seat.incarnation === process.incarnation))
    if (foreign)
      return `${foreign.id} has data from before that the namespace would drop; start the node with an empty folder`
    const from = current ? current.from : holder?.incarnation
    this.#wish(name, {
      content: { ...this.#contentFrom(name, seats, current), ...(from === undefined ? {} : { from }) },
      revives: false,
    })
    return undefined
  }

  revive(name: string): string | undefined {
    const plans = this.namespaces.get(name)?.plans
    const current = plans?.rosters?.pending ?? plans?.rosters?.inForce
    if (!plans || !current) return `namespace ${name} has no roster`
    const { members } = plans.view
    const isHere = ({ id, incarnation }: RosterSeat) =>
      members.some((member) => member.id === id && member.incarnation === incarnation)
    const seats = current.seats.filter(isHere)
    if (seats.length === 0) return `no node of the roster of ${name} is here`
    const lost = current.seats.filter((seat) => !isHere(seat)).map(({ incarnation }) => incarnation)
    const content = this.#contentFrom(name, seats, current)
    this.#wish(name, { content: { ...content, givenUp: [...content.givenUp, ...lost] }, revives: true })
    return undefined
  }

  #contentFrom(
    name: string,
    seats: readonly RosterSeat[],
    current: RosterContent | undefined,
  ): RosterContent & { readonly wish: number } {
    const { replicationFactor } = this.#options.setups.find((setup) => setup.name === name)!
    const known = Math.max(wishNumber(current), wishNumber(this.#wishes.get(name)?.content))
    return { seats, replicationFactor, givenUp: current?.givenUp ?? [], wish: known + 1 }
  }

  #wish(name: string, wish: RosterWish): void {
    const message: WishMessage = { kind: 'wish', namespace: name, wish }
    this.hearWish(message)
    const { self, send } = this.#options
    for (const member of this.#record?.input.strong[name]?.members ?? [])
      if (!sameProcess(member, self)) send(member.id, message)
  }

  #observed(name: string): RosterSeat[] {
    const { nodes, strong } = this.#last?.input ?? { nodes: [], strong: {} }
    return (strong[name]?.members ?? []).map(({ id, incarnation }) => ({
      ...{ id, incarnation },
      rack: nodes.find((node) => node.id === id)?.rack ?? 0,
    }))
  }
}

/** Wishes are numbered, so that one which was granted is not granted again. */
function wishNumber(content: RosterContent | undefined): number {
  return content?.wish ?? 0
}

/** The newest wish that no version has taken up. */
function newest(reports: readonly StrongReport[]): RosterWish | undefined {
  let taken = 0
  let newest: RosterWish | undefined
  for (const { copies, wish } of reports) {
    for (const { rosters } of copies.standings)
      taken = Math.max(taken, wishNumber(rosters?.inForce), wishNumber(rosters?.pending))
    if (wish && wishNumber(wish.content) > wishNumber(newest?.content)) newest = wish
  }
  return wishNumber(newest?.content) > taken ? newest : undefined
}
