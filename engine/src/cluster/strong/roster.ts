/**
 * Who may decide (rules A1, R1 to R3). A roster version lists nodes with the incarnation of their data folders. A view
 * counts when it holds enough of the listed ones that no other view can; while a version is pending, it must do so
 * under the version in force and under the pending one, so that no view of either kind escapes the other.
 */
import { byRacks } from '../by-racks.ts'
import type { NodeId } from '../node-id.ts'
import type { Process } from '../process.ts'
import type { RosterSeat } from '../roster-control.ts'
import { compareViewIds, sameView, type ViewId } from '../view-id.ts'

/** A data folder of a node. */
export interface Seat {
  readonly id: NodeId
  readonly incarnation: string
}

export interface RosterContent {
  readonly seats: readonly RosterSeat[]
  readonly replicationFactor: number
  /** Incarnations that `revive` gave up for good: what they say of the past counts no more. */
  readonly givenUp: readonly string[]
  /** Incarnation of the folder whose data the namespace begins with; without, it begins empty. */
  readonly from?: string
  /** Number of the wish that it fulfils. */
  readonly wish?: number
}

export interface RosterVersion extends RosterContent {
  readonly number: number
  /** The view that proposed it. */
  readonly view: ViewId
}

export interface Rosters {
  readonly inForce: RosterVersion
  readonly pending?: RosterVersion
}

/** What an operator asks for; taken by the next view that may. */
export interface RosterWish {
  readonly content: RosterContent
  /** Needs no complete copy, and no A1 under the version that it replaces (rule D5). */
  readonly revives: boolean
}

export function compareVersions(a: RosterVersion, b: RosterVersion): number {
  return a.number - b.number || compareViewIds(a.view, b.view)
}

export function sameVersion(a: RosterVersion, b: RosterVersion): boolean {
  return a.number === b.number && sameView(a.view, b.view)
}

export function isSeated(roster: RosterContent, { id, incarnation }: Seat): boolean {
  return roster.seats.some((seat) => seat.id === id && seat.incarnation === incarnation)
}

/** The highest version in force that any member knows, and the highest pending one above it. */
export function knownRosters(reported: readonly Rosters[]): Rosters | undefined {
  let inForce: RosterVersion | undefined
  for (const { inForce: version } of reported) {
    if (!inForce || compareVersions(version, inForce) > 0) inForce = version
  }
  if (!inForce) return undefined
  let pending: RosterVersion | undefined
  for (const { pending: version } of reported) {
    if (!version || compareVersions(version, pending ?? inForce) <= 0) continue
    pending = version
  }
  return pending ? { inForce, pending } : { inForce }
}

/** The nodes in this order, but first those that the roster makes replicas: from as many racks as there are. */
export function replicasFirst(
  { seats, replicationFactor }: RosterContent,
  order: readonly NodeId[],
): NodeId[] {
  const rackOf = new Map(seats.map(({ id, rack }) => [id, rack]))
  return byRacks(order, rackOf, replicationFactor)
}

/** The nodes that the roster makes replicas, where `order` has those first. */
export function rosterReplicas(
  { seats, replicationFactor }: RosterContent,
  order: readonly NodeId[],
): NodeId[] {
  return order.filter((id) => seats.some((seat) => seat.id === id)).slice(0, replicationFactor)
}

/** Rule A1: whether a view of these members may activate the partition with this order of nodes. */
export function mayActivate(
  roster: RosterContent,
  order: readonly NodeId[],
  members: readonly Process[],
): boolean {
  const { seats } = roster
  const present = new Set(members.filter((member) => isSeated(roster, member)).map(({ id }) => id))
  const replicas = rosterReplicas(roster, replicasFirst(roster, order))
  const found = replicas.filter((id) => present.has(id)).length
  if (replicas.length > 0 && found === replicas.length) return true
  if (2 * present.size > seats.length) return found > 0
  return 2 * present.size === seats.length && replicas[0] !== undefined && present.has(replicas[0])
}
