/** A namespace of a clustered node as requests meet it, available or strong. */
import type { ClientRequest } from './client-request.ts'
import type { Execution, RequestFacts } from './copy-store.ts'
import type { Place } from './partition-map.ts'
import type { StoredVersion } from './stored-version.ts'

/** A write that was applied, until it is known to last. */
export interface OpenWrite {
  readonly version: StoredVersion
  /** When the client stops waiting. */
  readonly deadline: number
  /** It may be answered; called at most once. */
  acknowledge(): void
}

/** A master whose writes the caller may apply to the store itself. */
export interface InPlaceMaster {
  /** Whether anybody has to be told of writes. */
  readonly hasReplicas: boolean
  /** The version that the write has made. */
  newest(digest: Buffer): StoredVersion | undefined
  /** The version is the newest of the partition. `open` is acknowledged when replicas and disk have it. */
  wrote(now: number, version: StoredVersion, open: OpenWrite | undefined): void
  /** The same where nobody has to be told. */
  wroteAlone(sequence: number): void
}

/** What this node is to a partition that it serves. */
export interface ServingMaster {
  /** Set while it applies writes at once, without asking anybody and with room for them. */
  readonly inPlace?: InPlaceMaster | undefined
  /**
   * Answers the request once, now or later, or refuses it, which says that nothing was done and nobody here will. A
   * partition that may not serve answers PARTITION_UNAVAILABLE.
   */
  serve(now: number, request: ClientRequest): void
}

export interface ClusteredNamespace {
  readonly name: string
  readonly store: {
    /** None when it is no request for one record. */
    inspect(request: Buffer): RequestFacts | undefined
    /** Only where `answersReads` says so. */
    execute(request: Buffer): Execution
  }
  /** The row of the map in the present view; none between two views. */
  place(partition: number): Place | undefined
  /** Set where this node is the master in the present view. */
  masterOf(partition: number): ServingMaster | undefined
  /** Whether this node's copy may answer reads by itself, without asking anybody; never so where it is strong. */
  answersReads(partition: number): boolean
}
