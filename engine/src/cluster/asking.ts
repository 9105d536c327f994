/**
 * Before a write is applied, the master asks each holder that has not been taken in for its version of the record (C4
 * of README.md). Writes to the record wait behind the first, in their order.
 */
import type { PartitionBody } from './data-message.ts'
import type { NodeId } from './node-id.ts'
import type { HeldVersion } from './stored-version.ts'

/** Milliseconds after which a holder that has not answered is asked again. */
const askAgainAfter = 100
/** Requests that wait for one record's versions; one more is refused with KEY_BUSY. */
const largestKeyQueue = 20

interface Asker {
  readonly run: (told: readonly HeldVersion[]) => void
  /** The view ended before all had answered. */
  readonly refuse: () => void
}

interface Question {
  readonly digest: Buffer
  readonly missing: Set<NodeId>
  readonly told: HeldVersion[]
  askedAt: number
  readonly waiting: Asker[]
}

export class Asking {
  readonly #questions = new Map<string, Question>()
  readonly #send: (to: NodeId, body: PartitionBody) => void

  constructor(send: (to: NodeId, body: PartitionBody) => void) {
    this.#send = send
  }

  get isEmpty(): boolean {
    return this.#questions.size === 0
  }

  /** Runs the asker with what the holders told; false when too many wait for this record. */
  ask(now: number, digest: Buffer, holders: readonly NodeId[], asker: Asker): boolean {
    const key = digest.toString('latin1')
    const known = this.#questions.get(key)
    if (known) {
      if (known.waiting.length >= largestKeyQueue) return false
      known.waiting.push(asker)
      return true
    }
    const question = { digest, missing: new Set(holders), told: [], askedAt: now, waiting: [asker] }
    this.#questions.set(key, question)
    this.#say(question)
    return true
  }

  receive(from: NodeId, { digest, version, past, ancestors }: PartitionBody & { kind: 'told' }): void {
    const question = this.#questions.get(digest.toString('latin1'))
    if (!question?.missing.delete(from)) return
    if (version) question.told.push({ version, past, ancestors: new Map(ancestors) })
    this.#finish(question)
  }

  /** Nobody has to ask this holder any more. */
  takenIn(holder: NodeId): void {
    for (const question of [...this.#questions.values()]) {
      if (question.missing.delete(holder)) this.#finish(question)
    }
  }

  close(): void {
    for (const { waiting } of this.#questions.values()) for (const { refuse } of waiting) refuse()
    this.#questions.clear()
  }

  tick(now: number): void {
    for (const question of this.#questions.values()) {
      if (now - question.askedAt < askAgainAfter) continue
      question.askedAt = now
      this.#say(question)
    }
  }

  #say({ digest, missing }: Question): void {
    for (const to of missing) this.#send(to, { kind: 'ask', digest })
  }

  #finish(question: Question): void {
    if (question.missing.size > 0) return
    this.#questions.delete(question.digest.toString('latin1'))
    for (const { run } of question.waiting) run(question.told)
  }
}
