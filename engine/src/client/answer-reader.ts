import { Info3, MESSAGE_HEADER_BYTES } from '../protocol/message.ts'
import { decodeBin } from '../protocol/value-codec.ts'

const FRAME_HEADER_BYTES = 8
const MAX_ANSWER_BYTES = 128 * 1024 * 1024

/** One record message of an answer. */
export interface Answer {
  readonly code: number
  readonly generation: number
  /** Seconds since 2010; 0 = never. */
  readonly voidTime: number
  /** Row of a batch. */
  readonly row: number
  readonly last: boolean
  readonly names: readonly string[]
  readonly values: readonly unknown[]
}

/** Length of the frame that starts at `start`, header included; 0 while the header is not whole. */
export function frameLength(buffer: Buffer, start: number, end: number): number {
  if (end - start < FRAME_HEADER_BYTES) return 0
  const length = FRAME_HEADER_BYTES + buffer.readUIntBE(start + 2, 6)
  if (buffer[start] !== 2 || length > MAX_ANSWER_BYTES)
    throw new RangeError(`no frame of the protocol: version ${buffer[start]}, ${length} bytes`)
  return length
}

/** All messages of the whole frames in `buffer`, in their order. */
export function readAnswers(buffer: Buffer, start: number, end: number): Answer[] {
  const answers: Answer[] = []
  for (let at = start; at < end;) {
    const frameEnd = at + frameLength(buffer, at, end)
    if (buffer[at + 1] !== 3) throw new RangeError(`a record answer has type 3, not ${buffer[at + 1]}`)
    for (at += FRAME_HEADER_BYTES; at < frameEnd;) at = readMessage(buffer, at, answers)
  }
  return answers
}

/** True for the frame that ends a batch: it holds one bare message, flagged LAST. */
export function endsBatch(buffer: Buffer, start: number, end: number): boolean {
  const body = start + FRAME_HEADER_BYTES
  return end - body === MESSAGE_HEADER_BYTES && (buffer[body + 3]! & Info3.LAST) !== 0
}

function readMessage(buffer: Buffer, start: number, answers: Answer[]): number {
  const names: string[] = []
  const values: unknown[] = []
  let at = start + MESSAGE_HEADER_BYTES
  for (let fields = buffer.readUInt16BE(start + 18); fields > 0; fields--) at += 4 + buffer.readUInt32BE(at)
  for (let ops = buffer.readUInt16BE(start + 20); ops > 0; ops--) {
    const end = at + 4 + buffer.readUInt32BE(at)
    const nameEnd = at + 8 + buffer[at + 7]!
    names.push(buffer.toString('utf8', at + 8, nameEnd))
    values.push(decodeBin(buffer[at + 5]!, buffer, nameEnd, end))
    at = end
  }
  answers.push({
    code: buffer[start + 5]!,
    generation: buffer.readUInt32BE(start + 6),
    voidTime: buffer.readUInt32BE(start + 10),
    row: buffer.readUInt32BE(start + 14),
    last: (buffer[start + 3]! & Info3.LAST) !== 0,
    names,
    values,
  })
  return at
}
