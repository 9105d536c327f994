/** A strong namespace of a node: its copies, and what requests do to them in place, numbered by their masters. */
import type { Namespace } from '../../namespace/namespace.ts'
import type { Execution, RequestFacts } from '../copy-store.ts'
import { NamespaceCopies } from '../namespace-copies.ts'
import { weightOf } from '../stored-version.ts'
import type { CopyDisk, Digest } from './copy-disk.ts'
import type { Position } from './position.ts'
import type { RecordContent } from './record-content.ts'
import type { StrongCopies } from './strong-copies.ts'
import type { StrongExecution, StrongStore } from './strong-store.ts'

export class StrongRecords implements StrongStore<RecordContent> {
  readonly partitions: number
  readonly #namespace: Namespace
  readonly #requests: NamespaceCopies
  readonly #copies: StrongCopies

  constructor(namespace: Namespace, copies: StrongCopies, partitions: number) {
    this.partitions = partitions
    this.#namespace = namespace
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

  expired(partition: number, count: number): Digest[] {
    const { settings, store } = this.#namespace
    return settings.nsupPeriod > 0 ? this.#copies.expired(partition, store.now, count) : []
  }

  expire(partition: number, digest: Digest, position: Position): boolean {
    if (!this.#copies.isExpired(digest, this.#namespace.store.now)) return false
    this.#copies.expect(partition, position)
    this.#namespace.store.remove(Buffer.from(digest, 'latin1'), 0)
    return this.#copies.wrote(partition, position)
  }

  disk(partition: number): CopyDisk<RecordContent> {
    return this.#copies.disk(partition)
  }

  /** Bytes that it takes on the way, about. */
  weigh(content: RecordContent): number {
    return weightOf(content)
  }
}
