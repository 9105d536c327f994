/** A namespace of a clustered node as requests meet it, available or strong. */
import type { ClientRequest } from './client-request.ts'
import type { Execution, RequestFacts } from './copy-store.ts'
import type { Place } from './partition-map.ts'

/** What this node is to a partition that it serves. */
export interface ServingMaster {
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
