/** What an operator sees and does of the rosters of strong namespaces, on any node of the cluster. */
import type { NodeId } from './node-id.ts'

/** A node that may count in A1, with the data folder it has. */
export interface RosterSeat {
  readonly id: NodeId
  readonly incarnation: string
  readonly rack: number
}

export interface RosterState {
  /** In force; undefined before the first one. */
  readonly roster: readonly RosterSeat[] | undefined
  /** Set, or written as pending by a view, and not in force yet. */
  readonly pending: readonly RosterSeat[] | undefined
  /** The members of the view that have the namespace. */
  readonly observed: readonly RosterSeat[]
  /** Partitions that lack a complete copy although A1 is satisfied; `revive` makes them serve. */
  readonly deadPartitions: number
  /** Partitions that may not serve in this view; the dead ones are among them. */
  readonly unavailablePartitions: number
}

export interface RosterControl {
  /** Undefined where this node has no such strong namespace. */
  rosterOf(namespace: string): RosterState | undefined
  /** Notes, on all nodes, the roster that the next view shall propose. Answers why not, or undefined. */
  setRoster(namespace: string, seats: readonly RosterSeat[]): string | undefined
  /** Gives up incarnations that are not in the view (D5). Answers why not, or undefined. */
  revive(namespace: string): string | undefined
}
