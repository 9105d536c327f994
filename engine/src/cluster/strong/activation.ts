/**
 * Whether and how a view activates a partition: a pure function of the record of the view, so every member comes to
 * the same plan (rules A1 to A7, D2, R2, R3, V4).
 *
 * The latest regime that may have served is the highest activation that any member knows and no present member refutes
 * by not having written it (A5). A copy is complete if it claims that regime; a claim to a regime that never served
 * needs no other meaning, because the copy still has its claim to the one before. The regime is the id of the view (A3), so it is above all that any member has seen.
 */
import { sameProcess, type Process } from '../process.ts'
import { Rendezvous } from '../rendezvous.ts'
import { compareViewIds, noView, sameView, viewKey, type ViewId } from '../view-id.ts'
import type { ViewRecord } from '../views.ts'
import type { Activation } from './copy-disk.ts'
import type { Lineage } from './lineage.ts'
import { comparePositions } from './position.ts'
import {
  isSeated,
  knownRosters,
  mayActivate,
  type RosterContent,
  type Rosters,
  type RosterVersion,
  type RosterWish,
} from './roster.ts'

/** What a promise reports of a copy (rule V2). */
export interface CopyReport {
  readonly rosters: Rosters | undefined
  readonly activations: readonly Activation[]
  readonly claims: readonly ViewId[]
  readonly served: ViewId
  readonly unclean: boolean
  readonly lineage: Lineage
}

export interface StrongInput {
  /** In the order of the record's members. */
  readonly reports: readonly CopyReport[]
  readonly wish?: RosterWish
}

export type Durability = 'flush' | 'commit'

export interface Plan {
  readonly activation: Activation
  /** Written with the activation. */
  readonly rosters: Rosters
  /** Receive and acknowledge every write (rule A6). */
  readonly replicas: readonly Process[]
  /** Those of the replicas that are complete from the start; the first is the master (rule A7). */
  readonly complete: readonly Process[]
  readonly master: Process
  /** Holds the starting state. */
  readonly source: Process
  readonly start: Lineage
  /** Copies are made equal as a whole, since nothing is known of what they share (rule D5). */
  readonly revives: boolean
}

interface Member {
  readonly process: Process
  readonly report: CopyReport
}

/** None when the partition may not serve in this view. */
export function planOf(
  record: ViewRecord<StrongInput>,
  partition: number,
  durability: Durability,
): Plan | undefined {
  const all = record.members.map((process, i) => ({ process, report: record.input.reports[i]! }))
  const known = knownRosters(all.flatMap(({ report }) => report.rosters ?? []))
  if (!known) return undefined
  const { wish } = record.input
  const givenUp = wish?.revives ? wish.content.givenUp : known.inForce.givenUp
  const members = all.filter(({ process }) => !givenUp.includes(process.incarnation))
  const past = new Past(members)
  const able = wish?.revives
    ? members.filter(({ process }) => isSeated(wish.content, process))
    : members.filter(({ report }) => past.isComplete(report))
  const rosters = rostersOf(record, { known, past, able, partition })
  if (!rosters || able.length === 0) return undefined
  return plan(record, { rosters, past, able, partition, durability })
}

/** What the members know of the activations so far. */
class Past {
  readonly #members: readonly Member[]
  /** By key: those above what is known to have served. */
  readonly #activations = new Map<string, Activation>()
  /** The latest regime that may have served. */
  readonly latest: ViewId

  constructor(members: readonly Member[]) {
    this.#members = members
    let served = noView
    for (const { report } of members) if (compareViewIds(report.served, served) > 0) served = report.served
    let latest = served
    for (const { report } of members) {
      for (const activation of report.activations) {
        if (compareViewIds(activation.regime, served) <= 0) continue
        this.#activations.set(viewKey(activation.regime), activation)
      }
    }
    for (const activation of this.#activations.values()) {
      if (compareViewIds(activation.regime, latest) > 0 && !this.#isRefuted(activation))
        latest = activation.regime
    }
    this.latest = latest
  }

  isComplete(report: CopyReport): boolean {
    if (report.unclean) return false
    return report.claims.some((claim) => sameView(claim, this.latest))
  }

  /** Whether a regime in which this version was pending is known to have served. */
  servedWith(pending: RosterVersion): boolean {
    return this.#members.some(({ report }) => {
      const last = report.activations.find(({ regime }) => sameView(regime, report.served))
      return last?.pending !== undefined && sameView(last.pending, pending.view)
    })
  }

  #isRefuted({ regime, members }: Activation): boolean {
    return this.#members.some(
      ({ process, report }) =>
        members.some(({ id, incarnation }) => id === process.id && incarnation === process.incarnation) &&
        !report.activations.some((written) => sameView(written.regime, regime)),
    )
  }
}

interface Deciding {
  readonly past: Past
  /** Members with a complete copy. */
  readonly able: readonly Member[]
  readonly partition: number
}

/** The versions that this view writes; none when it has not enough of the listed nodes. */
function rostersOf(
  { id, members, input }: ViewRecord<StrongInput>,
  { known, past, able, partition }: Deciding & { readonly known: Rosters },
): Rosters | undefined {
  const { wish } = input
  let { inForce, pending } = known
  const counts = (roster: RosterContent) => mayActivate(roster, partition, members)
  const number = Math.max(inForce.number, pending?.number ?? 0) + 1
  if (wish?.revives)
    return counts(wish.content) ? { inForce: { ...wish.content, number, view: id } } : undefined
  const settled =
    pending && past.servedWith(pending) && able.some(({ process }) => isSeated(pending!, process))
  if (pending && settled) {
    inForce = pending
    pending = undefined
  }
  if (!counts(inForce) || (pending && !counts(pending))) return undefined
  if (wish && counts(wish.content)) pending = { ...wish.content, number, view: id }
  return pending ? { inForce, pending } : { inForce }
}

function plan(
  { id, members, input }: ViewRecord<StrongInput>,
  decided: Deciding & { readonly rosters: Rosters; readonly durability: Durability },
): Plan {
  const { rosters, past, able, partition, durability } = decided
  const roster = rosters.pending ?? rosters.inForce
  const isAble = (process: Process) => able.some((member) => member.process === process)
  const order = ordered(members, partition)
  const first = order.filter((process) => isSeated(roster, process)).slice(0, roster.replicationFactor)
  const firstSuffice = first.length === roster.replicationFactor && first.every(isAble)
  const extra = firstSuffice ? [] : order.filter((process) => isAble(process) && !first.includes(process))
  const replicas = [...first, ...extra]
  const complete = replicas.filter(isAble)
  const source = able.reduce((best, member) =>
    comparePositions(member.report.lineage.state, best.report.lineage.state) > 0 ? member : best,
  )
  const activation: Activation = {
    regime: id,
    previous: past.latest,
    members: members.map(({ id, incarnation }) => ({ id, incarnation })),
    start: source.report.lineage.state,
    synced: durability === 'commit' || complete.length < roster.replicationFactor,
    ...(rosters.pending && { pending: rosters.pending.view }),
  }
  const revives = input.wish?.revives === true
  return {
    activation,
    rosters,
    replicas,
    complete,
    master: complete[0]!,
    source: source.process,
    start: source.report.lineage,
    revives,
  }
}

function ordered(members: readonly Process[], partition: number): Process[] {
  const places = new Rendezvous(members.map(({ id }) => id)).order(partition)
  return places.map((id) => members.find((member) => member.id === id)!)
}

export function includesProcess(processes: readonly Process[], process: Process): boolean {
  return processes.some((other) => sameProcess(other, process))
}
