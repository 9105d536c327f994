import type { ClusteredNamespace } from '../cluster/clustered-namespace.ts'
import { mayWrite } from '../cluster/namespace-copies.ts'
import type { RoutedRequest } from '../cluster/request-routing.ts'
import type { SettingChange } from '../cluster/system-metadata.ts'
import type { TruncationRefusal } from '../cluster/strong-truncation.ts'
import type { Namespace } from '../namespace/namespace.ts'
import type { RequestMessage } from '../protocol/message.ts'
import { DIGEST_BYTES } from '../values/digest.ts'

/** The cluster of this node, as clients' requests enter it. */
export interface ClusterEntrance {
  namespace(name: string): ClusteredNamespace | undefined
  /** Answers what `cancel` takes, 0 where the request has been answered already. */
  submit(request: RoutedRequest): number
  cancel(id: number): void
  /** Truncates on all nodes, the whole namespace without a set; 0 undoes it. False where it is for this node alone. */
  truncate(namespace: string, set: string | undefined, before: number): boolean
  /** Makes a setting the same on all nodes. */
  set(change: SettingChange): void
  /** Set of a strong namespace, which truncates by position. */
  strongTruncation(namespace: string): NamespaceTruncation | undefined
  /** Messages for other nodes have been made. */
  wake(): void
  /** For a defect that ended a request. */
  onFault(error: unknown): void
}

/** How a strong namespace deletes what a set holds, without a name all it holds. */
export interface NamespaceTruncation {
  /** Answers once: nothing when it is done on all nodes, or why not. */
  truncate(set: string, answer: (refusal: TruncationRefusal | undefined) => void): void
  /** When the set was last truncated, or all, in ms since 1970; 0 = never. */
  lastOf(set: string): number
}

/** Whether this node answers by itself, without asking or telling another one. */
export function answersAlone(
  message: RequestMessage,
  namespace: Namespace,
  clustered: ClusteredNamespace,
): boolean {
  // It is refused wherever it comes to.
  if (message.digestEnd - message.digestAt !== DIGEST_BYTES || message.hasTransaction) return true
  if (mayWrite(message, namespace.settings)) return false
  const partition = partitionOf(message, namespace)
  return clustered.place(partition) !== undefined && clustered.answersReads(partition)
}

export function partitionOf({ buffer, digestAt }: RequestMessage, { store }: Namespace): number {
  return store.partitionOf(buffer, digestAt)
}

/** Of the last write to the record's partition. */
export function sequenceOf(message: RequestMessage, namespace: Namespace): number {
  return namespace.store.sequenceOf(partitionOf(message, namespace))
}
