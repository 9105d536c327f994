import { Info1, Info3, MESSAGE_HEADER_BYTES } from '../protocol/message.ts'
import type { ResponseBuffer } from '../protocol/response.ts'
import { ResultCode } from '../values/result-code.ts'
import { DEFERRED, type DeferredAnswer } from './deferred-answer.ts'
import { FrameType, HEADER_BYTES } from './frame-header.ts'
import { appendInfoAnswer } from './info/info-answer.ts'
import type { InfoCaller } from './info/info-command.ts'
import type { Limits } from './limits.ts'
import type { NodeState } from './node-state.ts'

/** Response buffers kept for reuse; more are left to the garbage collector. */
const SPARE_BUFFERS = 16
/** A buffer that grew beyond this is not kept. */
const KEEP_BYTES = 4 * 1024 * 1024
/** Where in a frame the first info byte of its message stands. */
const INFO1_AT = HEADER_BYTES + 1
/** When a request arrived that has not waited at all. */
export const JUST_NOW = -1

/** What answers record messages, and knows when a write is safe. */
export interface MessageHandler {
  /**
   * Appends all frames of the answer to the body at `start` to `end`, which `arrived` at that moment, ms since 1970
   * or `JUST_NOW`. The result is the ticket of what must be synced before the answer may leave, 0 for nothing, or
   * `DEFERRED`, which `takeDeferred` is to follow.
   */
  dispatch(request: Buffer, start: number, end: number, arrived: number, out: ResponseBuffer): number
  /** Whether a request that ended in an exception may have changed something before. */
  readonly mayHaveWritten?: boolean
  /** The rest of the last answer, where it was too long for one go. */
  takeUnfinished?(): UnfinishedAnswer | undefined
  takeDeferred?(): DeferredAnswer | undefined
  /** All that was dispatched since the last call took this long, waiting for a disk not counted; `now`: ms since 1970. */
  took?(micros: number, now: number): void
}

/** An answer that is made piece by piece, each when the one before it has left. */
export interface UnfinishedAnswer {
  readonly done: boolean
  /** When the work began, as performance.now() gave it. */
  started: number
  /** Called where the bytes of the request are about to be used for something else. */
  keepRequest(): void
  /** Appends the next piece; the result is the ticket it waits for, as of `dispatch`. */
  resume(out: ResponseBuffer): number
  /** Ends the answer with a server error instead. */
  fail(out: ResponseBuffer): void
}

/** When writes are on disk. Tickets grow; one is synced when all before it are. */
export interface Syncs {
  isSynced(ticket: number): boolean
  /** Calls back once, when the ticket is synced or can no longer be. */
  whenSynced(ticket: number, callback: (failed: boolean) => void): void
}

export interface ServiceParts {
  readonly node: NodeState
  readonly messages: MessageHandler
  readonly syncs: Syncs
  readonly limits: Limits
  readonly newBuffer: () => ResponseBuffer
}

interface Counted {
  destroy(): void
}

/**
 * Answers frames, whoever brings them: the connections and the client in the same process share it. It holds the
 * response buffer that all of them fill in turn, and counts what waits anywhere in the node.
 */
export class Service {
  limits: Limits
  readonly node: NodeState
  readonly syncs: Syncs
  readonly #messages: MessageHandler
  readonly #newBuffer: () => ResponseBuffer
  out: ResponseBuffer
  /** The rest of the answer that was begun last. */
  unfinished: UnfinishedAnswer | undefined
  readonly #spare: ResponseBuffer[] = []
  /** The last answer to an info request, where it comes later. */
  #deferredInfo: DeferredAnswer | undefined
  #queuedBytes = 0
  #partialBytes = 0

  constructor({ node, messages, syncs, limits, newBuffer }: ServiceParts) {
    this.node = node
    this.#messages = messages
    this.syncs = syncs
    this.limits = limits
    this.#newBuffer = newBuffer
    this.out = newBuffer()
  }

  clock(): number {
    return this.node.clock()
  }

  /**
   * Appends the answer to one whole frame to `out`; the result is the ticket it waits for, 0 for none, or `DEFERRED`,
   * which `takeDeferred` is to follow. Of a long answer it is the first piece; the rest is then in `unfinished`, which
   * the caller takes.
   */
  answer(buffer: Buffer, start: number, end: number, arrived: number, caller: InfoCaller): number {
    const begin = this.out.length
    try {
      return this.#answer(buffer, start, end, arrived, caller)
    } catch (error) {
      this.node.faults.report('a request', error)
      this.out.length = begin
      this.#messages.takeDeferred?.()?.drop()
      const isBatch = end - start > INFO1_AT && (buffer[start + INFO1_AT]! & Info1.BATCH) !== 0
      return this.#append(
        isBatch ? failedBatch : this.#messages.mayHaveWritten ? doubtfulMessage : failedMessage,
      )
    }
  }

  takeDeferred(): DeferredAnswer {
    const deferred = this.#deferredInfo ?? this.#messages.takeDeferred?.()
    this.#deferredInfo = undefined
    if (!deferred) throw new Error('no answer was deferred')
    return deferred
  }

  /** The next piece of a long answer. */
  resume(unfinished: UnfinishedAnswer): number {
    const begin = this.out.length
    try {
      const ticket = unfinished.resume(this.out)
      if (unfinished.done) this.#tookBatch(unfinished.started)
      return ticket
    } catch (error) {
      this.node.faults.report('a batch', error)
      this.out.length = begin
      unfinished.fail(this.out)
      return 0
    }
  }

  /** Like `answer`, where nothing is won by making a long answer in pieces. */
  answerWhole(buffer: Buffer, start: number, end: number, caller: InfoCaller): number {
    let ticket = this.answer(buffer, start, end, JUST_NOW, caller)
    const { unfinished } = this
    this.unfinished = undefined
    while (unfinished && !unfinished.done) ticket = Math.max(ticket, this.resume(unfinished))
    return ticket
  }

  #answer(buffer: Buffer, start: number, end: number, arrived: number, caller: InfoCaller): number {
    switch (buffer[start + 1]) {
      case FrameType.MESSAGE: {
        const isBatch = (buffer[start + INFO1_AT]! & Info1.BATCH) !== 0
        const started = isBatch ? performance.now() : 0
        const ticket = this.#messages.dispatch(buffer, start + HEADER_BYTES, end, arrived, this.out)
        if (isBatch) this.#beganBatch(started)
        return ticket
      }
      case FrameType.INFO: {
        const body = buffer.subarray(start + HEADER_BYTES, end)
        const answer = appendInfoAnswer(this.node, body, caller, this.out)
        if (typeof answer === 'number') return answer
        this.#deferredInfo = answer
        return DEFERRED
      }
      case FrameType.ADMIN:
        return this.#append(securityNotSupported)
      case FrameType.COMPRESSED:
        return this.#append(compressionNotSupported)
      default:
        return 0
    }
  }

  #beganBatch(started: number): void {
    this.unfinished = this.#messages.takeUnfinished?.()
    if (this.unfinished) this.unfinished.started = started
    else this.#tookBatch(started)
  }

  #tookBatch(started: number): void {
    this.node.latencies.batch.add((performance.now() - started) * 1000, 1, this.clock())
  }

  /** Calls back once, when the ticket is synced or can no longer be, and notes how long that took. */
  whenSynced(ticket: number, callback: (failed: boolean) => void): void {
    const started = performance.now()
    this.syncs.whenSynced(ticket, (failed) => {
      if (!failed) this.node.latencies.commitWait.add((performance.now() - started) * 1000, 1, this.clock())
      callback(failed)
    })
  }

  /** Notes how long the requests of one read took; `started` as performance.now() gave it, `now` as the clock did. */
  took(started: number, now = this.clock()): void {
    this.#messages.took?.((performance.now() - started) * 1000, now)
  }

  /** Hands the filled buffer over to the caller and goes on with another one. */
  takeOut(): ResponseBuffer {
    const taken = this.out
    this.out = this.#spare.pop() ?? this.#newBuffer()
    return taken
  }

  /** Takes a buffer back whose bytes nobody needs any more. */
  giveBack(buffer: ResponseBuffer): void {
    buffer.reset()
    if (this.#spare.length < SPARE_BUFFERS && buffer.buffer.length <= KEEP_BYTES) this.#spare.push(buffer)
  }

  /** Counts answers that wait; cuts the connection off that takes the node past its bound. */
  countQueued(connection: Counted, bytes: number): void {
    this.#queuedBytes += bytes
    if (bytes > 0 && this.#queuedBytes > this.limits.queuedBytesTotal) this.#cutOff(connection)
  }

  /** Counts requests that have begun and not ended, with the same consequence. */
  countPartial(connection: Counted, bytes: number): void {
    this.#partialBytes += bytes
    if (bytes > 0 && this.#partialBytes > this.limits.partialBytesTotal) this.#cutOff(connection)
  }

  #cutOff(connection: Counted): void {
    this.node.counters.connectionsCutOff++
    connection.destroy()
  }

  #append(frame: Buffer): number {
    this.out.append(frame)
    return 0
  }
}

/** Sources: protocol notes, framing 9 and 8. */
const securityNotSupported = frame(FrameType.ADMIN, 16, (body) =>
  body.writeUInt8(ResultCode.SECURITY_NOT_SUPPORTED, 1),
)
const compressionNotSupported = message(ResultCode.ENTERPRISE_ONLY, 0)
/** For requests whose work ended in an exception. */
const failedMessage = message(ResultCode.SERVER_ERROR, 0)
/** For writes among them that may be done or not: clients take a time-out as that. */
const doubtfulMessage = message(ResultCode.TIMEOUT, 0)
const failedBatch = message(ResultCode.SERVER_ERROR, Info3.LAST)

function message(code: number, info3: number): Buffer {
  return frame(FrameType.MESSAGE, MESSAGE_HEADER_BYTES, (body) => {
    body.writeUInt8(MESSAGE_HEADER_BYTES, 0)
    body.writeUInt8(info3, 3)
    body.writeUInt8(code, 5)
  })
}

function frame(type: number, bytes: number, fill: (body: Buffer) => void): Buffer {
  const whole = Buffer.alloc(HEADER_BYTES + bytes)
  whole[0] = 2
  whole[1] = type
  whole.writeUIntBE(bytes, 2, 6)
  fill(whole.subarray(HEADER_BYTES))
  return whole
}
