import type { EmbeddedNode, EmbeddedResponse } from '../protocol/transport.ts'
import { AnswerWriter } from '../protocol/answer-writer.ts'
import { Info1, MESSAGE_HEADER_BYTES } from '../protocol/message.ts'
import { ResultCode } from '../values/result-code.ts'
import { type AnswerHolder, DEFERRED, type DeferredAnswer } from './deferred-answer.ts'
import { announcedBytes, HEADER_BYTES } from './frame-header.ts'
import type { Service } from './service.ts'

/** One request of so many is timed, and stands for those before it: a clock costs a tenth of a request. */
const TIMED_EVERY = 16
/** Requests that wait for other nodes; one more is refused with code 18, since there is no input to leave unread. */
const MOST_WAITING = 65_536

/** The node as a client in the same process reaches it: no socket, no copy of the answer unless it has to wait. */
export class EmbeddedService implements EmbeddedNode {
  readonly #service: Service
  readonly #caller = {}
  /** Set while an answer is read by its receiver: a request made from there needs a buffer of its own. */
  #busy = false
  #count = 0
  readonly #waiting = new EmbeddedWaits()

  constructor(service: Service) {
    this.#service = service
  }

  request(request: Buffer, start: number, end: number, respond: EmbeddedResponse): void {
    if (announcedBytes(request, start) !== end - start - HEADER_BYTES)
      throw new RangeError('not one whole frame')
    const service = this.#service
    if (this.#busy) return this.#nested(request, start, end, respond)
    const isTimed = this.#count++ % TIMED_EVERY === 0
    const started = isTimed ? performance.now() : 0
    const ticket = this.#isFull
      ? this.#refuse(request, start, end)
      : service.answerWhole(request, start, end, this.#caller)
    if (isTimed) service.took(started)
    const { out } = service
    if (ticket !== 0) {
      const copy = Buffer.from(out.buffer.subarray(0, out.length))
      out.reset()
      if (ticket === DEFERRED) this.#waiting.add(service.takeDeferred(), copy, respond)
      else service.whenSynced(ticket, (failed) => respond(copy, 0, failed ? 0 : copy.length))
      return
    }
    this.#busy = true
    try {
      respond(out.buffer, 0, out.length)
    } finally {
      this.#busy = false
      out.reset()
    }
  }

  get #isFull(): boolean {
    const { count, bytes } = this.#waiting
    return count >= MOST_WAITING || bytes >= this.#service.limits.queuedBytesTotal
  }

  #refuse(request: Buffer, start: number, end: number): number {
    const { out } = this.#service
    const isMessage = end - start >= HEADER_BYTES + MESSAGE_HEADER_BYTES
    const isBatch = isMessage && (request[start + HEADER_BYTES + 1]! & Info1.BATCH) !== 0
    new AnswerWriter(out).single(out, ResultCode.DEVICE_OVERLOAD, isBatch)
    return 0
  }

  #nested(request: Buffer, start: number, end: number, respond: EmbeddedResponse): void {
    const outer = this.#service.takeOut()
    this.#busy = false
    try {
      this.request(request, start, end, respond)
    } finally {
      this.#service.giveBack(this.#service.out)
      this.#service.out = outer
      this.#busy = true
    }
  }
}

/** Answers that come later, for callers in the same process: each by itself, in no order. */
class EmbeddedWaits {
  count = 0
  bytes = 0
  #ready: (() => void)[] = []

  /** `written` is what there is of the answer. */
  add(deferred: DeferredAnswer, written: Buffer, respond: EmbeddedResponse): void {
    const pieces = [written]
    let over = false
    let weight = deferred.weight + written.length
    this.count++
    this.bytes += weight
    const holder: AnswerHolder = {
      changed: (bytes) => {
        weight += bytes
        this.bytes += bytes
        this.#later(() => {
          if (over) return
          pieces.push(...deferred.takePieces())
          if (!deferred.ended) return deferred.onRoom?.()
          over = true
          this.count--
          this.bytes -= weight
          const answer = deferred.instead ?? Buffer.concat(pieces)
          respond(answer, 0, answer.length)
        })
      },
      hasRoom: () => true,
    }
    deferred.heldBy(holder)
    if (deferred.ended) holder.changed(0)
    else deferred.onRoom?.()
  }

  /** When what goes on now is over: whoever is called may ask for the next thing. */
  #later(run: () => void): void {
    this.#ready.push(run)
    if (this.#ready.length > 1) return
    queueMicrotask(() => {
      const ready = this.#ready
      this.#ready = []
      for (const each of ready) each()
    })
  }
}
