import type { Execution, RequestFacts } from '../copy-store.ts'
import type { CopyDisk, Digest } from './copy-disk.ts'
import type { Position } from './position.ts'

export interface StrongExecution {
  /** The whole answer as it goes to the client. */
  readonly answer: Buffer
  /** It wrote a version, or a delete, with the position that was given, and moved the copy's state there. */
  readonly wrote: boolean
}

/** The copies of one strong namespace on one node, and what requests do to them. */
export interface StrongStore<Content> {
  readonly partitions: number
  /** None when it is no request for one record. */
  inspect(request: Buffer): RequestFacts | undefined
  /** Of a request that only reads. */
  execute(request: Buffer): Execution
  /** Does what the request asks for. */
  run(request: Buffer, partition: number, position: Position): StrongExecution
  /** Up to that many records whose time is over and that their master is to delete (rule T1). */
  expired(partition: number, count: number): Digest[]
  /** Deletes it if its time is still over; the delete has this position. Says whether it did. */
  expire(partition: number, digest: Digest, position: Position): boolean
  disk(partition: number): CopyDisk<Content>
  /** Bytes that it takes on the way, about. */
  weigh(content: Content): number
}
