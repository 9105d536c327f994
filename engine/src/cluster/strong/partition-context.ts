import type { Process } from '../process.ts'
import type { Plan } from './activation.ts'
import type { CopyDisk } from './copy-disk.ts'
import type { StrongBody } from './message.ts'

/** What the parts of one partition's machine share in one view. */
export interface PartitionContext<Content> {
  readonly self: Process
  readonly plan: Plan
  readonly disk: CopyDisk<Content>
  /** Whether another piece of a fill may be read for that replica now. */
  readonly mayFill: (to: Process) => boolean
  /** So many bytes more of fills are on their way to that replica, or fewer. */
  readonly given: (to: Process, bytes: number) => void
  /** Bytes that it takes on the way, about. */
  readonly weigh: (content: Content) => number
  send(to: Process, body: StrongBody<Content>): void
  /** As the disk's, but only while this view is the one that the node acts in (rule V2). */
  whenSynced(file: 'data' | 'meta', done: () => void): void
}
