/**
 * The plans of all partitions of a namespace in one view: a pure function of the view's record, as that of one partition
 * is. Each partition is decided by its own copies, as in `activation`; what is decided for all together only ever waits
 * longer than one partition would:
 *
 * - R2: a pending version comes into force when that is allowed for every partition.
 * - R3: a new one is proposed in a view in which every partition serves, and may do so under the new one too.
 * - A version that is pending for some partitions is proposed to the others.
 *
 * Partitions whose members reported the same share a standing, and those that also have the same order of nodes share
 * the shape of their plan: a few dozen of each, whatever the number of partitions.
 */
import type { NodeId } from '../node-id.ts'
import { sameProcess, type Process } from '../process.ts'
import type { ViewId } from '../view-id.ts'
import {
  type Durability,
  type Plan,
  planFrom,
  type PlanShape,
  type PlanView,
  shapeOf,
  Standing,
} from './activation.ts'
import type { Lineage } from './lineage.ts'
import { type NamespaceReport, ReportedCopies } from './namespace-report.ts'
import type { Orders } from './orders.ts'
import {
  compareVersions,
  isSeated,
  mayActivate,
  type RosterContent,
  type RosterVersion,
  type RosterWish,
} from './roster.ts'

/** Of one namespace, as a view's record carries it. */
export interface StrongInput {
  readonly durability: Durability
  /** Members of the view that have the namespace. */
  readonly members: readonly Process[]
  /** In the order of the members. */
  readonly reports: readonly NamespaceReport[]
  readonly wish?: RosterWish
}

/** Of a view, what its strong namespaces ask for. */
export interface StrongView {
  readonly id: ViewId
  readonly members: readonly Process[]
  readonly quiesced: readonly NodeId[]
}

/** Partitions that have this standing and this order. */
interface Group {
  readonly standing: Standing
  readonly order: readonly NodeId[]
  readonly shape: PlanShape | undefined
}

export class Plans {
  readonly view: StrongView
  readonly #input: StrongInput
  readonly #copies: readonly ReportedCopies[]
  /** By partition. */
  readonly #groups: readonly Group[]
  #unavailable: number | undefined
  #dead: number | undefined

  constructor(view: StrongView, input: StrongInput, orders: Orders) {
    this.view = view
    this.#input = input
    this.#copies = input.reports.map((report) => new ReportedCopies(report))
    const standings = standingsOf(view.members, input, this.#copies)
    const decision = new Decision(view, input, new Set(standings))
    const order = orders.of(decision.nodes)
    const grouped = (planView: PlanView) => groupsOf(planView, standings, order)
    let groups = grouped(decision.planView(undefined))
    const wanted = decision.proposal(groups)
    if (wanted) groups = grouped(decision.planView(wanted))
    this.#groups = groups
  }

  /** None when the partition may not serve in this view. */
  at(partition: number): Plan | undefined {
    const { shape, standing } = this.#groups[partition]!
    if (!shape) return undefined
    const copyOf = (process: Process) => this.#copies[this.view.members.indexOf(process)]!
    const reported = {
      stateOf: (process: Process) => copyOf(process).stateOf(partition),
      lineageOf: (process: Process) => copyOf(process).lineageOf(partition),
    }
    return planFrom(shape, standing.able, reported)
  }

  /** What the member reported. */
  lineageOf(partition: number, process: Process): Lineage {
    const index = this.view.members.findIndex((member) => sameProcess(member, process))
    return this.#copies[index]!.lineageOf(partition)
  }

  /** Partitions that may not serve. */
  get unavailable(): number {
    return (this.#unavailable ??= this.#count(({ shape }) => !shape))
  }

  /** Of these, those for which a complete copy is missing, and nothing else. */
  get dead(): number {
    const { members } = this.view
    return (this.#dead ??= this.#count(({ shape, standing, order }) => {
      const { known, able } = standing
      if (shape || !known || able.length > 0) return false
      const { inForce, pending } = known
      const counts = (roster: RosterContent) => mayActivate(roster, order, members)
      return counts(inForce) && (!pending || counts(pending))
    }))
  }

  /** Partitions that this member leads and that another view would leave with fewer copies, or to another master. */
  misplaced(member: Process): number {
    return this.#count(
      ({ shape }) => shape !== undefined && sameProcess(shape.master, member) && isMisplaced(shape),
    )
  }

  /** The versions that most of the partitions write, or had before where none is served. */
  get rosters(): Standing['known'] {
    const group = this.#groups.find(({ shape }) => shape) ?? this.#groups[0]
    return group?.shape?.rosters ?? group?.standing.known
  }

  /** A version is pending that could come into force in the next view. */
  get isPending(): boolean {
    return this.unavailable === 0 && this.#groups.some(({ shape }) => shape?.rosters.pending)
  }

  get reports(): readonly NamespaceReport[] {
    return this.#input.reports
  }

  /** Partitions of the groups for which it holds. */
  #count(holds: (group: Group) => boolean): number {
    const known = new Map<Group, number>()
    let count = 0
    for (const group of this.#groups) {
      let each = known.get(group)
      if (each === undefined) known.set(group, (each = Number(holds(group))))
      count += each
    }
    return count
  }
}

function isMisplaced({ first, master, replicas, rosters }: PlanShape): boolean {
  const { replicationFactor } = rosters.pending ?? rosters.inForce
  if (first[0] && !sameProcess(first[0], master)) return true
  return first.length === replicationFactor && replicas.length > replicationFactor
}

/** By partition. */
function standingsOf(
  members: readonly Process[],
  { reports, wish }: StrongInput,
  copies: readonly ReportedCopies[],
): Standing[] {
  const partitions = reports[0]?.partitions ?? 0
  // What the first so many members reported of a partition, as one number; equal reports are one.
  const known = new Uint32Array(partitions)
  for (const copy of copies) {
    if (copy.standings.length <= 1) continue
    const numbers = new Map<number, number>()
    for (let partition = 0; partition < partitions; partition++) {
      const both = known[partition]! * copy.standings.length + copy.standingOf(partition)
      let number = numbers.get(both)
      if (number === undefined) numbers.set(both, (number = numbers.size))
      known[partition] = number
    }
  }
  const standings: Standing[] = []
  return Array.from(known, (number, partition) => {
    const standingsHere = () => copies.map((copy) => copy.standings[copy.standingOf(partition)]!)
    return (standings[number] ??= new Standing(members, standingsHere(), wish))
  })
}

/** By partition. */
function groupsOf(
  view: PlanView,
  standings: readonly Standing[],
  orders: readonly (readonly NodeId[])[],
): Group[] {
  const known = new Map<Standing, Map<readonly NodeId[], Group>>()
  const activations = new Activations()
  return standings.map((standing, partition) => {
    const order = orders[partition]!
    let groups = known.get(standing)
    if (!groups) known.set(standing, (groups = new Map<readonly NodeId[], Group>()))
    let group = groups.get(order)
    if (!group) {
      const shape = activations.shared(shapeOf(view, standing, order))
      groups.set(order, (group = { standing, order, shape }))
    }
    return group
  })
}

/** Equal activations, with equal rosters, are one object: so are the metas of the copies that write them. */
class Activations {
  readonly #known = new Map<string, Pick<PlanShape, 'activation' | 'rosters'>>()

  shared(shape: PlanShape | undefined): PlanShape | undefined {
    if (!shape) return undefined
    const { activation, rosters } = shape
    const versions = [rosters.inForce, rosters.pending].map((each) => each && [each.number, each.view])
    const key = JSON.stringify([activation.previous, activation.synced, versions])
    const known = this.#known.get(key)
    if (!known) this.#known.set(key, { activation, rosters })
    return known ? { ...shape, ...known } : shape
  }
}

/** What a view decides of rosters for all partitions together. */
class Decision {
  readonly #view: StrongView
  readonly #input: StrongInput
  readonly #standings: ReadonlySet<Standing>
  readonly #wished: RosterVersion | undefined
  /** The highest version that is pending anywhere. */
  readonly #pending: RosterVersion | undefined
  /** Versions known not to be allowed for all partitions yet. */
  readonly #settled: boolean
  readonly #isFounding: boolean

  constructor(view: StrongView, input: StrongInput, standings: ReadonlySet<Standing>) {
    this.#view = view
    this.#input = input
    this.#standings = standings
    let number = 0
    let pending: RosterVersion | undefined
    let isKnown = false
    for (const { known } of standings) {
      if (!known) continue
      isKnown = true
      number = Math.max(number, known.inForce.number, known.pending?.number ?? 0)
      if (known.pending && (!pending || compareVersions(known.pending, pending) > 0)) pending = known.pending
    }
    this.#pending = pending
    this.#isFounding = !isKnown
    this.#wished = input.wish && { ...input.wish.content, number: number + 1, view: view.id }
    this.#settled = pending !== undefined && this.#settles(pending)
  }

  /** Of all rosters that matter, and of the view. */
  get nodes(): NodeId[] {
    const ids = this.#view.members.map(({ id }) => id)
    const add = (roster: RosterContent | undefined) => {
      for (const { id } of roster?.seats ?? []) ids.push(id)
    }
    for (const { known } of this.#standings) {
      add(known?.inForce)
      add(known?.pending)
    }
    add(this.#wished)
    return ids
  }

  planView(proposed: RosterVersion | undefined): PlanView {
    const { id, members, quiesced } = this.#view
    const { durability, wish } = this.#input
    const founds = this.#isFounding && this.#mayFound()
    return {
      ...{ id, members, quiesced, durability, proposed },
      founded: founds || wish?.revives ? this.#wished : undefined,
      settles: (pending) => this.#settled && compareVersions(pending, this.#pending!) === 0,
    }
  }

  /** What is to be pending where it is not, given what each partition would do without. */
  proposal(groups: readonly Group[]): RosterVersion | undefined {
    const { wish } = this.#input
    if (this.#isFounding || wish?.revives) return undefined
    const { members } = this.#view
    const wished = this.#wished
    const isHeard =
      wished !== undefined &&
      [...new Set(groups)].every(({ shape, order }) => shape && mayActivate(wished, order, members))
    if (isHeard) return wished
    return this.#settled ? undefined : this.#pending
  }

  #settles(version: RosterVersion): boolean {
    return [...this.#standings].every((standing) => {
      const { known } = standing
      if (!known) return false
      if (compareVersions(known.inForce, version) >= 0) return true
      return (
        known.pending !== undefined &&
        compareVersions(known.pending, version) === 0 &&
        standing.settles(version)
      )
    })
  }

  /** The first roster: all that it lists are here, and no data would be left out. */
  #mayFound(): boolean {
    const wished = this.#wished
    const { members } = this.#view
    if (!wished || this.#input.wish?.revives) return false
    const isHere = (seat: { readonly id: NodeId; readonly incarnation: string }) =>
      members.some(({ id, incarnation }) => id === seat.id && incarnation === seat.incarnation)
    if (wished.seats.length === 0 || !wished.seats.every(isHere)) return false
    return members.every(
      (process, i) =>
        !this.#input.reports[i]!.hasEarlierData ||
        (process.incarnation === wished.from && isSeated(wished, process)),
    )
  }
}
