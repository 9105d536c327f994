import type { ViewId } from '../view-id.ts'
import type { Lineage } from './lineage.ts'
import type { Position } from './position.ts'
import type { Rosters, Seat } from './roster.ts'
import type { Truncations } from './truncation.ts'

/** Twenty bytes as a latin1 string: a key of maps. */
export type Digest = string

/** The newest version of a record; without content it is a tombstone. */
export interface Version<Content> {
  readonly position: Position
  readonly content: Content | undefined
}

/** Written by every member of a view before the partition serves in it (rule A4). */
export interface Activation {
  readonly regime: ViewId
  /** The latest regime that may have served before. */
  readonly previous: ViewId
  readonly members: readonly Seat[]
  /** Every acknowledgement of this regime waits for the disk (rule D2). */
  readonly synced: boolean
  /** The view that proposed the roster version which is pending in this regime. */
  readonly pending?: ViewId
}

/** What decides about a copy; small, and replaced as a whole. */
export interface CopyMeta {
  readonly rosters: Rosters | undefined
  /** Back to the last regime that is known to have served. */
  readonly activations: readonly Activation[]
  /** Regimes as of which this copy, in this data folder, is complete; lapses by not naming the latest (rule F4). */
  readonly claims: readonly ViewId[]
  /** The last regime known to have served. */
  readonly served: ViewId
  /** Stopped without a last sync in a regime whose acknowledgements did not wait for the disk (rule D1). */
  readonly unclean: boolean
  /** Everything is synced and nothing has been done since. */
  readonly closed: boolean
}

/** Applied as one: after a power failure all of it is there or nothing. */
export interface CopyChange<Content> {
  /** Replaces everything, not only what is named. */
  readonly whole?: boolean
  /** Drops what is behind `after` up to `upTo` and not named; an absent border is an open one. */
  readonly range?: { readonly after: Digest | undefined; readonly upTo: Digest | undefined }
  /** Without a version: drops the record. */
  readonly entries?: readonly Entry<Content>[]
  readonly lineage?: Lineage
  /** Moves the state, within its regime. */
  readonly state?: Position
  readonly horizon?: Position
  /** All that hold from now on. */
  readonly truncations?: Truncations
}

export type Entry<Content> = readonly [Digest, Version<Content> | undefined]

/**
 * What a node keeps of one partition. Data and meta are two files: each keeps its own order, and after a power failure
 * either may have more of its unsynced end than the other.
 */
export interface CopyDisk<Content> {
  readonly meta: CopyMeta
  readonly lineage: Lineage
  /** The highest position of a tombstone that was dropped (rule F5). */
  readonly horizon: Position
  readonly truncations: Truncations
  /** Tombstones and truncated versions included. */
  find(digest: Digest): Version<Content> | undefined
  /** Of versions above the point, in any order. */
  digestsAbove(point: Position): Digest[]
  /** Up to that many, in order, behind one. */
  digestsAfter(digest: Digest | undefined, count: number): Digest[]
  /**
   * Up to that many, in any order, that need not be kept once everything up to the limit is acknowledged by all: deletes
   * at or below it, and what a truncation hides that is.
   */
  droppable(limit: Position, count: number): Digest[]
  apply(change: CopyChange<Content>): void
  keep(meta: CopyMeta): void
  /** Calls back when all that was given so far is synced; never if the process ends before. */
  whenSynced(file: 'data' | 'meta', done: () => void): void
}
