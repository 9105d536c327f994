import type { ConflictPolicy } from '../namespace/namespace-config.ts'
import type { Regime } from './regime.ts'
import type { StoredVersion } from './stored-version.ts'

/** What of a request decides who serves it. */
export interface RequestFacts {
  readonly partition: number
  readonly digest: Buffer
  readonly writes: boolean
  /** Whether any replica may answer it. */
  readonly anyReplica: boolean
  /** The client does not wait for the replicas. */
  readonly masterOnly: boolean
  /** How old a strong namespace's answer may be. */
  readonly strongRead: StrongRead
}

/** As the bits of info3 say it. Source: protocol notes, records 1. */
export const StrongRead = { SESSION: 0, LINEARIZE: 1, ALLOW_REPLICA: 2, ALLOW_UNAVAILABLE: 3 } as const
export type StrongRead = (typeof StrongRead)[keyof typeof StrongRead]

export interface Execution {
  /** The whole answer as it goes to the client. */
  readonly answer: Buffer
  /** The version that the request made, if it made one. */
  readonly written: StoredVersion | undefined
  /** Must be synced before the answer may leave; 0 = nothing. */
  readonly position: number
}

/** The copies of one namespace on one node, as replication needs them. */
export interface CopyStore {
  readonly partitions: number
  /** None when it is no request for one record. */
  inspect(request: Buffer): RequestFacts | undefined
  /** Numbers writes to the partition from 1, in this regime. */
  enter(partition: number, regime: Regime): void
  execute(request: Buffer): Execution
  find(digest: Buffer): StoredVersion | undefined
  /** Throws a ResultError when there is no room. */
  put(version: StoredVersion): void
  /** Puts it as the next version of the partition's regime; answers it as it then is. */
  renew(version: StoredVersion): StoredVersion
  /** Hides records of the set, or of all, last updated before that (ms since 1970); 0 = none any more. */
  truncate(set: string | undefined, before: number): void
  /** Asked to have a record deleted whose time is over; says whether it was. Before this is set nothing expires. */
  onExpired: ((partition: number, digest: Buffer) => boolean) | undefined
  /** Deletes the record as the next version of the partition's regime; none when there is none. */
  remove(digest: Buffer): StoredVersion | undefined
  isEmpty(partition: number): boolean
  /** Visits what the partition holds in the order of digests, behind one, until the visitor says false. */
  scan(partition: number, after: Buffer | undefined, visit: (version: StoredVersion) => boolean): void
  /** Forgets up to that many versions; true while some are left. */
  forget(partition: number, count: number): boolean
  /** How versions that were written apart from each other are merged (C5 of README.md). */
  readonly conflictPolicy: ConflictPolicy
  /** Milliseconds since 1970. */
  readonly time: number
  /** Milliseconds for which a delete is remembered. */
  readonly tombstoneLife: number
  /** What must be synced for all that was done so far; 0 where nobody waits for the disk. */
  readonly position: number
  whenSynced(position: number, callback: (failed: boolean) => void): void
}
