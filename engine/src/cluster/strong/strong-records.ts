/** What clients ask of the records of a strong namespace, done in place and numbered by the partition's master. */
import type { Namespace } from '../../namespace/namespace.ts'
import type { RequestFacts } from '../copy-store.ts'
import { NamespaceCopies } from '../namespace-copies.ts'
import type { Position } from './position.ts'
import type { StrongCopies } from './strong-copies.ts'

export interface StrongExecution {
  /** The whole answer as it goes to the client. */
  readonly answer: Buffer
  /** It wrote a version, or a delete, with the position that was given, and moved the copy's state there. */
  readonly wrote: boolean
}

export class StrongRecords {
  readonly #requests: NamespaceCopies
  readonly #copies: StrongCopies

  constructor(namespace: Namespace, copies: StrongCopies, partitions: number) {
    this.#requests = new NamespaceCopies(namespace, partitions)
    this.#copies = copies
  }

  /** None when it is no request for one record. */
  inspect(request: Buffer): RequestFacts | undefined {
    return this.#requests.inspect(request)
  }

  execute(partition: number, request: Buffer, position: Position): StrongExecution {
    this.#copies.expect(partition, position)
    const answer = this.#requests.answerTo(request)
    return { answer, wrote: this.#copies.wrote(partition, position) }
  }
}
