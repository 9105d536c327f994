import { copyBytes, putUint32 } from '../values/byte-copy.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import { FRAME_HEADER_BYTES, MESSAGE_HEADER_BYTES, Op } from './message.ts'
import type { ResponseBuffer } from './response.ts'

/** Frames of a batch are sent when they have this much. Source: protocol notes, framing 2. */
const FULL_FRAME_BYTES = 128 * 1024

/** Clients take no more in one answer; source: protocol notes, framing 2. */
const MAX_MESSAGE_BYTES = 128 * 1024 * 1024

/** Writes answer messages into frames: header first, ops as they come, the numbers when the outcome is known. */
export class AnswerWriter {
  out: ResponseBuffer
  #frameAt = 0
  #messageAt = 0
  #ops = 0
  #plainReads = false

  constructor(out: ResponseBuffer) {
    this.out = out
  }

  get ops(): number {
    return this.#ops
  }

  beginFrame(out: ResponseBuffer): void {
    this.out = out
    this.#frameAt = out.reserve(FRAME_HEADER_BYTES)
  }

  /** A frame without messages is taken back. */
  endFrame(): void {
    const { out } = this
    if (out.length === this.#frameAt + FRAME_HEADER_BYTES) {
      out.length = this.#frameAt
      return
    }
    const size = out.length - this.#frameAt - FRAME_HEADER_BYTES
    putUint32(out.buffer, this.#frameAt, 0x02030000)
    putUint32(out.buffer, this.#frameAt + 4, size)
  }

  /** With `plainReads` every op is answered as a READ, as the real server does for read rows of a batch. */
  beginMessage(plainReads = false): void {
    this.#plainReads = plainReads
    this.#messageAt = this.out.reserve(MESSAGE_HEADER_BYTES)
    this.#ops = 0
  }

  /** Takes back the ops of this message. */
  dropOps(): void {
    this.out.length = this.#messageAt + MESSAGE_HEADER_BYTES
    this.#ops = 0
  }

  /** Takes the message back that was begun last. */
  dropMessage(): void {
    this.out.length = this.#messageAt
    this.#ops = 0
  }

  /** Adds bins that are in the form of READ answer ops already. */
  bins(source: Buffer, start: number, end: number, count: number): void {
    const at = this.out.reserve(end - start)
    copyBytes(source, start, end, this.out.buffer, at)
    this.#ops += count
  }

  /** Adds one op; the name stands in the request, the value anywhere. */
  op(number: number, names: Buffer, nameStart: number, nameEnd: number, value: OpValue | undefined): void {
    const nameBytes = nameEnd - nameStart
    const valueBytes = value === undefined ? 0 : value.end - value.start
    if (this.out.length - this.#messageAt + 8 + nameBytes + valueBytes > MAX_MESSAGE_BYTES)
      throw new ResultError(ResultCode.RECORD_TOO_BIG, 'the answer is longer than clients take')
    const at = this.out.reserve(8 + nameBytes + valueBytes)
    const { buffer } = this.out
    putUint32(buffer, at, 4 + nameBytes + valueBytes)
    buffer[at + 4] = this.#plainReads ? Op.READ : number
    buffer[at + 5] = value === undefined ? 0 : value.type
    buffer[at + 6] = 0
    buffer[at + 7] = nameBytes
    copyBytes(names, nameStart, nameEnd, buffer, at + 8)
    if (value !== undefined) copyBytes(value.buffer, value.start, value.end, buffer, at + 8 + nameBytes)
    this.#ops++
  }

  endMessage(code: number, generation: number, voidTime: number, index: number): void {
    const { buffer } = this.out
    const at = this.#messageAt
    putUint32(buffer, at, 0x16000000)
    buffer[at + 4] = 0
    buffer[at + 5] = code
    putUint32(buffer, at + 6, generation)
    putUint32(buffer, at + 10, voidTime)
    putUint32(buffer, at + 14, index)
    putUint32(buffer, at + 18, this.#ops)
  }

  /** True when another message belongs into another frame. */
  get frameIsFull(): boolean {
    return this.out.length - this.#frameAt >= FULL_FRAME_BYTES
  }

  /** A frame with one message without ops. */
  single(out: ResponseBuffer, code: number, isLast: boolean): void {
    this.beginFrame(out)
    this.beginMessage()
    this.endMessage(code, 0, 0, 0)
    if (isLast) out.buffer[this.#messageAt + 3] = 1
    this.endFrame()
  }
}

interface OpValue {
  readonly type: number
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
}
