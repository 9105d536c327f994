import type { RequestMessage } from '../protocol/message.ts'
import { DIGEST_BYTES } from '../values/digest.ts'

const RowType = { REPEAT: 1, INFO: 2, GENERATION: 4, TTL: 8, INFO4: 16 } as const
const Flag = { ANSWER_ALL: 4, WITH_WRITES: 8 } as const
const SC_BITS = 0xc0
/** Row count and flags. */
const HEAD_BYTES = 5
/** Index, digest and type. */
const ROW_HEAD_BYTES = 4 + DIGEST_BYTES + 1

/** Reads the rows of a batch one after the other into the message they are worked on as. Source: protocol notes, batch. */
export class BatchReader {
  count = 0
  /** The number the client gave the row. */
  index = 0
  #flags = 0
  #buffer: Buffer = Buffer.alloc(0)
  #start = 0
  #at = 0
  #end = 0
  #scBits = 0
  #filterStart = -1
  #filterEnd = -1
  #first = true
  #hadKey = false

  get answersAll(): boolean {
    return (this.#flags & Flag.ANSWER_ALL) !== 0
  }

  get stopsAtFailure(): boolean {
    return (this.#flags & (Flag.ANSWER_ALL | Flag.WITH_WRITES)) === 0
  }

  /** False when the message is no batch that has rows. */
  open(message: RequestMessage): boolean {
    const { batchStart, batchEnd } = message
    if (batchStart < 0 || batchEnd - batchStart < HEAD_BYTES) return false
    this.count = message.buffer.readUInt32BE(batchStart)
    this.#flags = message.buffer[batchStart + 4]!
    this.#buffer = message.buffer
    this.#start = this.#at = batchStart + HEAD_BYTES
    this.#end = batchEnd
    this.#scBits = message.info3 & SC_BITS
    this.#filterStart = message.filterStart
    this.#filterEnd = message.filterEnd
    this.#first = true
    this.#hadKey = false
    return this.count > 0
  }

  /** Reads from a copy from now on, which is the result. */
  keep(): Buffer {
    this.#buffer = Buffer.from(this.#buffer)
    return this.#buffer
  }

  /** Begins at the first row of what `other` reads; its rows go to a message of their own. */
  openAgain(other: BatchReader, message: RequestMessage): void {
    message.buffer = this.#buffer = other.#buffer
    this.count = other.count
    this.#flags = other.#flags
    this.#start = this.#at = other.#start
    this.#end = other.#end
    this.#scBits = other.#scBits
    this.#filterStart = other.#filterStart
    this.#filterEnd = other.#filterEnd
    this.#first = true
    this.#hadKey = false
  }

  /** Makes the message the next row; false when there is none, or it is not laid out as it says. */
  next(message: RequestMessage): boolean {
    const { buffer } = message
    const at = this.#at
    if (this.#end - at < ROW_HEAD_BYTES) return false
    this.index = buffer.readUInt32BE(at)
    const type = buffer[at + ROW_HEAD_BYTES - 1]!
    this.#at = at + ROW_HEAD_BYTES
    const repeats = (type & RowType.REPEAT) !== 0
    if (repeats ? this.#first || this.#hadKey : !this.#readRow(message, type)) return false
    this.#first = false
    // A digest among the fields of a row wins over the one at its head.
    if (repeats || message.digestAt < 0) {
      message.digestAt = at + 4
      message.digestEnd = at + 4 + DIGEST_BYTES
    }
    return true
  }

  #readRow(message: RequestMessage, type: number): boolean {
    const { buffer } = message
    let at = this.#at
    const infoBytes = type & RowType.INFO ? 3 : 1
    const numbers =
      (type & RowType.INFO4 ? 1 : 0) + (type & RowType.GENERATION ? 2 : 0) + (type & RowType.TTL ? 4 : 0)
    if (this.#end - at < infoBytes + numbers + 4) return false
    message.info1 = buffer[at]!
    message.info2 = type & RowType.INFO ? buffer[at + 1]! : 0
    message.info3 = type & RowType.INFO ? buffer[at + 2]! : this.#scBits
    at += infoBytes
    message.info4 = type & RowType.INFO4 ? buffer[at++]! : 0
    message.generation = 0
    if (type & RowType.GENERATION) {
      message.generation = buffer.readUInt16BE(at)
      at += 2
    }
    message.ttl = 0
    if (type & RowType.TTL) {
      message.ttl = buffer.readUInt32BE(at)
      at += 4
    }
    message.clearFields()
    const ops = message.parseFields(at + 4, this.#end, buffer.readUInt16BE(at))
    if (ops < 0) return false
    this.#hadKey = message.keyStart >= 0
    if (message.filterStart < 0) {
      message.filterStart = this.#filterStart
      message.filterEnd = this.#filterEnd
    }
    this.#at = message.parseOps(ops, this.#end, buffer.readUInt16BE(at + 2))
    return this.#at >= 0
  }
}
