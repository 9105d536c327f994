/** A strong namespace of a node: its copies, and what requests do to them in place, numbered by their masters. */
import type { Namespace } from '../../namespace/namespace.ts'
import type { Execution, RequestFacts } from '../copy-store.ts'
import { NamespaceCopies } from '../namespace-copies.ts'
import type { CopyDisk } from './copy-disk.ts'
import type { Position } from './position.ts'
import type { RecordContent } from './record-content.ts'
import type { StrongCopies } from './strong-copies.ts'

/** Bytes of a version on its way beside key and bins, about. */
const headBytes = 64

export class StrongRecords {
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

  /**
   * Does what the request asks for. What it writes, be it a delete, has this position and moves the copy's state there.
   * `answer` is the whole answer as it goes to the client.
   */
  run(
    request: Buffer,
    partition: number,
    position: Position,
  ): { readonly answer: Buffer; readonly wrote: boolean } {
    this.#copies.expect(partition, position)
    const answer = this.#requests.answerTo(request)
    return { answer, wrote: this.#copies.wrote(partition, position) }
  }

  disk(partition: number): CopyDisk<RecordContent> {
    return this.#copies.disk(partition)
  }

  /** Bytes that it takes on the way, about. */
  weigh({ key, bins }: RecordContent): number {
    return headBytes + key.length + bins.length
  }
}
