/** Record messages of an answer, read in place. Source: protocol notes, records 1 to 3 and framing 4. */
import { Info3, MESSAGE_HEADER_BYTES } from '../protocol/message.ts'
import { decodeBin } from '../protocol/value-codec.ts'
import { uint32At } from '../values/byte-copy.ts'
import { binName } from './bin-name.ts'

export const FRAME_HEADER_BYTES = 8
const MAX_ANSWER_BYTES = 128 * 1024 * 1024
const OP_HEADER_BYTES = 8

export const FrameType = { INFO: 1, MESSAGE: 3 } as const

/** Length of the frame that starts at `start`, header included; 0 while the header is not whole. */
export function frameLength(buffer: Buffer, start: number, end: number): number {
  if (end - start < FRAME_HEADER_BYTES) return 0
  const length =
    FRAME_HEADER_BYTES +
    ((buffer[start + 2]! << 8) | buffer[start + 3]!) * 0x1_0000_0000 +
    uint32At(buffer, start + 4)
  if (buffer[start] !== 2 || length > MAX_ANSWER_BYTES)
    throw new RangeError(`no frame of the protocol: version ${buffer[start]}, ${length} bytes`)
  return length
}

export type Bins = Record<string, unknown>

/**
 * One message, moved from message to message; reused, so nothing of it outlives the next `open`. What is read behind
 * the buffer is NaN, for which no comparison is true: hence `!(… <= …)`.
 */
export class AnswerMessage {
  code = 0
  generation = 0
  /** Seconds since 2010; 0 = never. */
  voidTime = 0
  /** Row of a batch. */
  row = 0
  last = false
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0
  #ops = 0

  /** Reads the header at `at`. */
  open(buffer: Buffer, at: number, end: number): void {
    if (end - at < MESSAGE_HEADER_BYTES) throw new RangeError('a message that ends before its header does')
    this.#buffer = buffer
    this.#end = end
    this.last = (buffer[at + 3]! & Info3.LAST) !== 0
    this.code = buffer[at + 5]!
    this.generation = uint32At(buffer, at + 6)
    this.voidTime = uint32At(buffer, at + 10)
    this.row = uint32At(buffer, at + 14)
    this.#ops = (buffer[at + 20]! << 8) | buffer[at + 21]!
    let next = at + MESSAGE_HEADER_BYTES
    let fields = (buffer[at + 18]! << 8) | buffer[at + 19]!
    for (; fields > 0 && next < end; fields--) next += 4 + uint32At(buffer, next)
    if (fields > 0 || !(next <= end)) throw new RangeError('fields that run over their message')
    this.#at = next
  }

  /** The bins by name. Of several values of one bin the last that is not null counts. */
  bins(bins: Bins): void {
    for (; this.#ops > 0; this.#ops--) setBin(bins, this.#name(), this.#value())
  }

  /** The same, and every value in its order. */
  results(bins: Bins, values: unknown[]): void {
    for (; this.#ops > 0; this.#ops--) {
      const name = this.#name()
      const value = this.#value()
      values.push(value)
      setBin(bins, name, value)
    }
  }

  /** Goes over what has not been read; answers where the message ends. */
  skip(): number {
    for (; this.#ops > 0 && this.#at < this.#end; this.#ops--)
      this.#at += 4 + uint32At(this.#buffer, this.#at)
    if (this.#ops > 0 || !(this.#at <= this.#end)) throw new RangeError('a message that runs over its frame')
    return this.#at
  }

  #name(): string {
    const nameAt = this.#at + OP_HEADER_BYTES
    return binName(this.#buffer, nameAt, nameAt + this.#buffer[this.#at + 7]!)
  }

  #value(): unknown {
    const buffer = this.#buffer
    const at = this.#at
    const end = at + 4 + uint32At(buffer, at)
    if (!(end <= this.#end)) throw new RangeError(`a bin of ${end - at} bytes runs over its answer`)
    this.#at = end
    return decodeBin(buffer[at + 5]!, buffer, at + OP_HEADER_BYTES + buffer[at + 7]!, end)
  }
}

function setBin(bins: Bins, name: string, value: unknown): void {
  if (value === null && Object.hasOwn(bins, name)) return
  if (name !== '__proto__') bins[name] = value
  else Object.defineProperty(bins, name, { value, enumerable: true, configurable: true, writable: true })
}

const walked = new AnswerMessage()

/** Throws a RangeError unless this is a frame of record messages. */
export function checkMessageFrame(buffer: Buffer, start: number): void {
  if (buffer[start + 1] !== FrameType.MESSAGE)
    throw new RangeError(`a record answer has type ${FrameType.MESSAGE}, not ${buffer[start + 1]}`)
}

/** Whether the frame holds a message flagged LAST, which ends an answer of many frames. */
export function holdsLast(buffer: Buffer, start: number, end: number): boolean {
  let last = false
  for (let at = start + FRAME_HEADER_BYTES; at < end; at = walked.skip()) {
    walked.open(buffer, at, end)
    last ||= walked.last
  }
  return last
}
