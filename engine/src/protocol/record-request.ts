/** A row of a batch as a request of its own, and the answer to that as the answer to the row. */
import { uint32At } from '../values/byte-copy.ts'
import { Field, FRAME_HEADER_BYTES, MESSAGE_HEADER_BYTES, Op, type RequestMessage } from './message.ts'

/** Length and number. */
const FIELD_HEAD_BYTES = 5
/** Where in a message these stand. */
const CODE_AT = 5
const INDEX_AT = 14
const OP_COUNT_AT = 20
/** Where in an op its number stands. */
const OP_NUMBER_AT = 4

/** The body of a request for one record that asks what the message does. */
export function recordRequest(message: RequestMessage): Buffer {
  const { buffer, opsStart, opsEnd } = message
  const fields = [
    [Field.NAMESPACE, message.namespaceStart, message.namespaceEnd],
    [Field.SET, message.setStart, message.setEnd],
    [Field.DIGEST, message.digestAt, message.digestEnd],
    [Field.KEY, message.keyStart, message.keyEnd],
    [Field.FILTER, message.filterStart, message.filterEnd],
  ] as const
  let bytes = MESSAGE_HEADER_BYTES + opsEnd - opsStart
  let count = 0
  for (const [, start, end] of fields) {
    if (start < 0) continue
    bytes += FIELD_HEAD_BYTES + end - start
    count++
  }
  const body = Buffer.alloc(bytes)
  body.set([MESSAGE_HEADER_BYTES, message.info1, message.info2, message.info3, message.info4])
  body.writeUInt32BE(message.generation, 6)
  body.writeUInt32BE(message.ttl, 10)
  body.writeUInt32BE(message.transactionTtl, 14)
  body.writeUInt16BE(count, 18)
  body.writeUInt16BE(message.opCount, OP_COUNT_AT)
  let at = MESSAGE_HEADER_BYTES
  for (const [number, start, end] of fields) {
    if (start < 0) continue
    body.writeUInt32BE(1 + end - start, at)
    body[at + 4] = number
    buffer.copy(body, at + FIELD_HEAD_BYTES, start, end)
    at += FIELD_HEAD_BYTES + end - start
  }
  buffer.copy(body, at, opsStart, opsEnd)
  return body
}

/** The result code of an answer that is one frame with one message. */
export function codeOfAnswer(frame: Buffer): number {
  return frame[FRAME_HEADER_BYTES + CODE_AT]!
}

/** Makes of the frame the message that answers the row; in a row that only reads, all ops are answered as reads. */
export function rowAnswer(frame: Buffer, index: number, isRead: boolean): Buffer {
  const message = frame.subarray(FRAME_HEADER_BYTES)
  message.writeUInt32BE(index, INDEX_AT)
  if (!isRead) return message
  let at = MESSAGE_HEADER_BYTES
  for (let left = message.readUInt16BE(OP_COUNT_AT); left > 0; left--) {
    message[at + OP_NUMBER_AT] = Op.READ
    at += 4 + uint32At(message, at)
  }
  return message
}
