/** A strong namespace of a node: its copies, and what requests do to them in place, numbered by their masters. */
import type { Namespace } from '../../namespace/namespace.ts'
import type { Execution, RequestFacts } from '../copy-store.ts'
import { NamespaceCopies } from '../namespace-copies.ts'
import { weightOf } from '../stored-version.ts'
import type { CopyDisk } from './copy-disk.ts'
import type { Position } from './position.ts'
import type { RecordContent } from './record-content.ts'
import type { StrongCopies } from './strong-copies.ts'
import type { StrongExecution, StrongStore } from './strong-store.ts'

export class StrongRecords implements StrongStore<RecordContent> {
  readonly partitions: number
  readonly #requests: NamespaceCopies
  readonly #copies: StrongCopies

  constructor(namespace: Namespace, copies: StrongCopies, partitions: number) {
    this.partitions = partitions
    this.#requests = new NamespaceCopies(namespace, partitions)
    this.#copies = copies
  }

  /** None when it is no request for one record. */
  inspect(request: Buffer): RequestFacts | undefined {
    return this.#requests.inspect(request)
  }

  /** Of a request that only reads. */
  execute(request: Buffer): Execution {
    return this.#requests.execute(request)
  }

  run(request: Buffer, partition: number, position: Position): StrongExecution {
    this.#copies.expect(partition, position)
    const answer = this.#requests.answerTo(request)
    return { answer, wrote: this.#copies.wrote(partition, position) }
  }

  disk(partition: number): CopyDisk<RecordContent> {
    return this.#copies.disk(partition)
  }

  /** Bytes that it takes on the way, about. */
  weigh(content: RecordContent): number {
    return weightOf(content)
  }
}
