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
  /** Oldest first, with those that have ended since the last sweep. */
  #writes: InPlaceWrite[] = []
  #count = 0
  #bytes = 0
  #timer: NodeJS.Timeout | undefined

  get isFull(): boolean {
    return this.#count >= MOST_WRITES || this.#bytes >= MOST_BYTES
  }

  /** `deadline` as performance.now() gives it. */
  open(version: StoredVersion, deadline: number): InPlaceWrite {
    const write = new InPlaceWrite(version, deadline, this)
    this.#writes.push(write)
    this.#count++
    this.#bytes += weightOf(version)
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref()
    return write
  }

  closed(write: InPlaceWrite): void {
    this.#count--
    this.#bytes -= weightOf(write.version)
  }

  #sweep(): void {
    if (this.#count === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
      this.#writes = []
      return
    }
    const now = performance.now()
    this.#writes = this.#writes.filter((write) => write.isOpen(now))
  }
}

class InPlaceWrite implements OpenWrite {
  readonly version: StoredVersion
  readonly deadline: number
  readonly answer = new DeferredAnswer()
  readonly #writes: InPlaceWrites
  /** Not the answer's end: that is dropped with its connection, and the write stays open. */
  #isOver = false

  constructor(version: StoredVersion, deadline: number, writes: InPlaceWrites) {
    this.version = version
    this.deadline = deadline
    this.#writes = writes
  }

  acknowledge(): void {
    this.#end(undefined)
  }

  /** False when it is over, or is now because its time is. */
  isOpen(now: number): boolean {
    if (now >= this.deadline) this.#end(timedOut)
    return !this.#isOver
  }

  #end(instead: Buffer | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#writes.closed(this)
    this.answer.end(instead)
  }
}

/** The write is applied: for the client it is in doubt. */
const timedOut = bareAnswer(ResultCode.TIMEOUT)
