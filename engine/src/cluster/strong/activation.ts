/**
 * Whether and how a view activates a partition: a pure function of the record of the view, so every member comes to
 * the same plan (rules A1 to A7, D2, R2, R3, V4).
 *
 * The latest regime that may have served is the highest activation that any member knows and no present member refutes
 * by not having written it (A5). A copy is complete if it claims that regime; a claim to a regime that never served
 * needs no other meaning, because the copy still has its claim to the one before. The regime is the id of the view (A3), so it is above all that any member has seen.
 */
import type { Place } from '../partition-map.ts'
import { sameProcess, type Process } from '../process.ts'
import { Rendezvous } from '../rendezvous.ts'
import { compareViewIds, noView, sameView, viewKey, type ViewId } from '../view-id.ts'
import type { ViewRecord } from '../views.ts'
import type { Activation } from './copy-disk.ts'
import type { Lineage } from './lineage.ts'
import { comparePositions, type Position } from './position.ts'
import {
  compareVersions,
  isSeated,
  knownRosters,
  mayActivate,
  rosterReplicas,
  type RosterContent,
  type Rosters,
  type RosterVersion,
  type RosterWish,
  replicasFirst,
} from './roster.ts'

/** What a promise reports of a copy (rule V2), its lineage aside. */
export interface CopyStanding {
  readonly rosters: Rosters | undefined
  readonly activations: readonly Activation[]
  readonly claims: readonly ViewId[]
  readonly served: ViewId
  readonly unclean: boolean
}

export interface CopyReport extends CopyStanding {
  readonly lineage: Lineage
}

/** Of a namespace with one partition. */
export interface SingleInput {
  /** In the order of the record's members. */
  readonly reports: readonly CopyReport[]
  readonly wish?: RosterWish
}

export type Durability = 'flush' | 'commit'

/** What the members know and have decides this much of a plan, the same for many partitions. */
export interface PlanShape {
  readonly activation: Activation
  /** Written with the activation. */
  readonly rosters: Rosters
  /** Receive and acknowledge every write (rule A6). */
  readonly replicas: readonly Process[]
  /** Those of the replicas that are complete from the start; the first is the master (rule A7). */
  readonly complete: readonly Process[]
  readonly master: Process
  /** The replicas that are to be, master first. Another view may make it so once they have the data. */
  readonly first: readonly Process[]
  /** All that the roster makes replicas are complete. */
  readonly isWhole: boolean
  /** Copies are made equal as a whole, since nothing is known of what they share (rule D5). */
  readonly revives: boolean
  /** The same as requests and clients see it. */
  readonly place: Place
}

export interface Plan extends PlanShape {
  /** Holds the starting state. */
  readonly source: Process
  readonly start: Lineage
}

interface Member {
  readonly process: Process
  readonly standing: CopyStanding
}

/** One partition's members as they reported it; its number is not asked for. */
export class Standing {
  readonly known: Rosters | undefined
  /** The latest regime that may have served. */
  readonly latest: ViewId
  /** There is no complete copy, and an operator says that what there is shall do (rule D5). */
  readonly isRevived: boolean
  /** Members with a complete copy. */
  readonly able: readonly Process[]
  readonly #members: readonly Member[]

  constructor(members: readonly Process[], standings: readonly CopyStanding[], wish: RosterWish | undefined) {
    const all = members.map((process, i) => ({ process, standing: standings[i]! }))
    this.known = knownRosters(all.flatMap(({ standing }) => standing.rosters ?? []))
    const givenUp = (wish?.revives ? wish.content.givenUp : this.known?.inForce.givenUp) ?? []
    this.#members = all.filter(({ process }) => !givenUp.includes(process.incarnation))
    this.latest = this.#latest()
    // Where nothing has ever served, what was there before is in one folder.
    const from = sameView(this.latest, noView) ? (this.known?.inForce ?? wish?.content)?.from : undefined
    const complete = this.#members.filter(
      ({ process, standing }) =>
        this.#isComplete(standing) && (from === undefined || process.incarnation === from),
    )
    this.isRevived = wish?.revives === true && complete.length === 0
    const able = this.isRevived
      ? this.#members.filter(({ process }) => isSeated(wish!.content, process))
      : complete
    this.able = able.map(({ process }) => process)
  }

  /** Whether the version may come into force here: it was pending in a regime that is known to have served (rule R2). */
  settles(pending: RosterVersion): boolean {
    return this.#servedWith(pending) && this.able.some((process) => isSeated(pending, process))
  }

  #latest(): ViewId {
    let served = noView
    for (const { standing } of this.#members)
      if (compareViewIds(standing.served, served) > 0) served = standing.served
    const activations = new Map<string, Activation>()
    for (const { standing } of this.#members) {
      for (const activation of standing.activations) {
        if (compareViewIds(activation.regime, served) <= 0) continue
        activations.set(viewKey(activation.regime), activation)
      }
    }
    let latest = served
    for (const activation of activations.values()) {
      if (compareViewIds(activation.regime, latest) > 0 && !this.#isRefuted(activation))
        latest = activation.regime
    }
    return latest
  }

  #isComplete(standing: CopyStanding): boolean {
    if (standing.unclean) return false
    return standing.claims.some((claim) => sameView(claim, this.latest))
  }

  #servedWith(pending: RosterVersion): boolean {
    return this.#members.some(({ standing }) => {
      const last = standing.activations.find(({ regime }) => sameView(regime, standing.served))
      return last?.pending !== undefined && sameView(last.pending, pending.view)
    })
  }

  #isRefuted({ regime, members }: Activation): boolean {
    return this.#members.some(
      ({ process, standing }) =>
        members.some(({ id, incarnation }) => id === process.id && incarnation === process.incarnation) &&
        !standing.activations.some((written) => sameView(written.regime, regime)),
    )
  }
}

/** What holds for all partitions of a view. */
export interface PlanView {
  readonly id: ViewId
  readonly members: readonly Process[]
  readonly durability: Durability
  /** Ids of nodes that are about to leave: they stand behind all others. */
  readonly quiesced: readonly string[]
  /** In force at once: the first roster, or what an operator asks for with `revive`. */
  readonly founded: RosterVersion | undefined
  /** To be pending from this view on. */
  readonly proposed: RosterVersion | undefined
  /** Whether a version that is pending comes into force in this view. */
  readonly settles: (pending: RosterVersion, standing: Standing) => boolean
}

/** The versions that this view writes; none when it has not enough of the listed nodes. `order` is of all nodes. */
function rostersOf(
  { members, founded, proposed, settles }: PlanView,
  standing: Standing,
  order: readonly string[],
): Rosters | undefined {
  const { known } = standing
  const counts = (roster: RosterContent) => mayActivate(roster, order, members)
  if (founded) return counts(founded) ? { inForce: founded } : undefined
  if (!known) return undefined
  let { inForce, pending } = known
  if (pending && settles(pending, standing)) {
    inForce = pending
    pending = undefined
  }
  if (!counts(inForce) || (pending && !counts(pending))) return undefined
  if (proposed && compareVersions(proposed, pending ?? inForce) > 0 && counts(proposed)) pending = proposed
  return pending ? { inForce, pending } : { inForce }
}

/** None when the partition may not serve in this view. `order` is that of the partition, of all nodes. */
export function shapeOf(view: PlanView, standing: Standing, order: readonly string[]): PlanShape | undefined {
  const rosters = rostersOf(view, standing, order)
  if (!rosters || standing.able.length === 0) return undefined
  const { id, members, durability, quiesced } = view
  const roster = rosters.pending ?? rosters.inForce
  const { replicationFactor } = roster
  const isAble = (process: Process) => standing.able.includes(process)
  const ids = replicasFirst(roster, order)
  const isQuiesced = (process: Process) => quiesced.includes(process.id)
  const ordered = ids
    .flatMap((id) => members.find((member) => member.id === id) ?? [])
    .sort((a, b) => Number(isQuiesced(a)) - Number(isQuiesced(b)))
  const first = ordered.filter((process) => isSeated(roster, process)).slice(0, replicationFactor)
  const firstSuffice = first.length === replicationFactor && first.every(isAble)
  const extra = firstSuffice ? [] : ordered.filter((process) => isAble(process) && !first.includes(process))
  const replicas = [...first, ...extra]
  const complete = replicas.filter(isAble)
  const activation: Activation = {
    regime: id,
    previous: standing.latest,
    members: members.map(({ id, incarnation }) => ({ id, incarnation })),
    synced: durability === 'commit' || complete.length < replicationFactor,
    ...(rosters.pending && { pending: rosters.pending.view }),
  }
  return {
    activation,
    rosters,
    replicas,
    complete,
    master: complete[0]!,
    first,
    isWhole: rosterReplicas(roster, ids).every((id) => complete.some((process) => process.id === id)),
    revives: standing.isRevived,
    place: placeOf(replicas, complete),
  }
}

/** The first of the complete copies is the master. */
function placeOf(replicas: readonly Process[], complete: readonly Process[]): Place {
  const order = replicas.map(({ id }) => id)
  const [master, ...holders] = complete.map(({ id }) => id)
  return { order, replicas: [master!, ...order.filter((id) => id !== master)], master: master!, holders }
}

/** What members reported of their copies of one partition. */
interface ReportedPlaces {
  readonly stateOf: (process: Process) => Position
  readonly lineageOf: (process: Process) => Lineage
}

/** The plan of one partition: the starting state is the highest of the complete copies (rule A7). */
export function planFrom(
  shape: PlanShape,
  able: readonly Process[],
  { stateOf, lineageOf }: ReportedPlaces,
): Plan {
  let source = able[0]!
  let highest = stateOf(source)
  for (const process of able) {
    const state = stateOf(process)
    if (comparePositions(state, highest) <= 0) continue
    source = process
    highest = state
  }
  return { ...shape, source, start: lineageOf(source) }
}

/** The plan of a partition that is alone in its namespace; none when it may not serve in this view. */
export function planOf(
  { id, members, input }: ViewRecord<SingleInput>,
  partition: number,
  durability: Durability,
): Plan | undefined {
  const { wish, reports } = input
  const standing = new Standing(members, reports, wish)
  const { known } = standing
  const number = Math.max(known?.inForce.number ?? 0, known?.pending?.number ?? 0) + 1
  const version = wish && { ...wish.content, number, view: id }
  const seats = [known?.inForce, known?.pending, wish?.content].flatMap((roster) => roster?.seats ?? [])
  const order = new Rendezvous([...new Set([...members, ...seats].map((node) => node.id))]).order(partition)
  const view = {
    ...{ id, members, durability, quiesced: [] },
    founded: wish?.revives ? version : undefined,
    proposed: wish?.revives ? undefined : version,
    settles: (pending: RosterVersion) => standing.settles(pending),
  }
  const shape = shapeOf(view, standing, order)
  const lineageOf = (process: Process) => reports[members.indexOf(process)]!.lineage
  const stateOf = (process: Process) => lineageOf(process).state
  return shape && planFrom(shape, standing.able, { stateOf, lineageOf })
}

export function includesProcess(processes: readonly Process[], process: Process): boolean {
  return processes.some((other) => sameProcess(other, process))
}
