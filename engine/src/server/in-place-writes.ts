import { bareAnswer } from '../cluster/client-request.ts'
import type { OpenWrite } from '../cluster/clustered-namespace.ts'
import { type StoredVersion, weightOf } from '../cluster/stored-version.ts'
import { ResultCode } from '../values/result-code.ts'
import { DeferredAnswer } from './deferred-answer.ts'

/** Writes that wait for replicas, and bytes of their records; others go the longer way, where they are refused. */
const MOST_WRITES = 20_000
const MOST_BYTES = 256 * 1024 * 1024
/** ms between two looks for those whose time is over. */
const SWEEP_MS = 20

/**
 * Writes that this node has applied as their master. Each answer stands in its connection's buffer and leaves when the
 * replicas have the record, or as a time-out when the client's patience is over.
 */
export class InPlaceWrites {
  readonly #open = new Set<InPlaceWrite>()
  #bytes = 0
  #timer: NodeJS.Timeout | undefined

  get isFull(): boolean {
    return this.#open.size >= MOST_WRITES || this.#bytes >= MOST_BYTES
  }

  /** `deadline` as performance.now() gives it. */
  open(version: StoredVersion, deadline: number): InPlaceWrite {
    const write = new InPlaceWrite(version, deadline, this)
    this.#open.add(write)
    this.#bytes += weightOf(version)
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref()
    return write
  }

  /** It is over. */
  close(write: InPlaceWrite): void {
    if (this.#open.delete(write)) this.#bytes -= weightOf(write.version)
  }

  #sweep(): void {
    if (this.#open.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
      return
    }
    const now = performance.now()
    for (const write of this.#open) {
      if (now < write.deadline) continue
      this.close(write)
      write.answer.end(timedOut)
    }
  }
}

class InPlaceWrite implements OpenWrite {
  readonly version: StoredVersion
  readonly deadline: number
  readonly answer = new DeferredAnswer()
  readonly #writes: InPlaceWrites

  constructor(version: StoredVersion, deadline: number, writes: InPlaceWrites) {
    this.version = version
    this.deadline = deadline
    this.#writes = writes
  }

  acknowledge(): void {
    this.#writes.close(this)
    this.answer.end()
  }
}

/** The write is applied: for the client it is in doubt. */
const timedOut = bareAnswer(ResultCode.TIMEOUT)
