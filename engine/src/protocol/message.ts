/**
 * The 22-byte header of a record message with its fields and ops, as a view over a request. Source: protocol notes,
 * records 1 to 3.
 */
import { uint32At } from '../values/byte-copy.ts'

export const FRAME_HEADER_BYTES = 8
export const MESSAGE_HEADER_BYTES = 22

export const Info1 = {
  READ: 1,
  GET_ALL: 2,
  SHORT_QUERY: 4,
  BATCH: 8,
  XDR: 16,
  NOBIN: 32,
  READ_MODE_AP_ALL: 64,
} as const
export const Info2 = {
  WRITE: 1,
  DELETE: 2,
  GENERATION: 4,
  GENERATION_GT: 8,
  DURABLE_DELETE: 16,
  CREATE_ONLY: 32,
  RESPOND_ALL_OPS: 128,
} as const
export const Info3 = {
  LAST: 1,
  /** The client is content when the master has the write. */
  COMMIT_MASTER: 2,
  PARTITION_DONE: 4,
  UPDATE_ONLY: 8,
  CREATE_OR_REPLACE: 16,
  REPLACE_ONLY: 32,
  SC_READ_TYPE: 64,
  SC_READ_RELAX: 128,
} as const

export const Op = {
  READ: 1,
  WRITE: 2,
  CDT_READ: 3,
  CDT_MODIFY: 4,
  INCR: 5,
  EXP_READ: 7,
  EXP_MODIFY: 8,
  APPEND: 9,
  PREPEND: 10,
  TOUCH: 11,
  BIT_READ: 12,
  BIT_MODIFY: 13,
  DELETE: 14,
  HLL_READ: 15,
  HLL_MODIFY: 16,
} as const

export const Field = {
  NAMESPACE: 0,
  SET: 1,
  KEY: 2,
  DIGEST: 4,
  TRANSACTION: 5,
  BATCH: 41,
  BATCH_OLD: 42,
  FILTER: 43,
} as const

/** Fields that make a message a scan or a query. */
const scanFields = new Set([7, 11, 12, 22, 33])

/** Reused for every request; offsets are into `buffer`, -1 where a field is missing. */
export class RequestMessage {
  buffer: Buffer = Buffer.alloc(0)
  info1 = 0
  info2 = 0
  info3 = 0
  info4 = 0
  generation = 0
  ttl = 0
  /** ms; 0 = the server's own limit. */
  transactionTtl = 0
  namespaceStart = -1
  namespaceEnd = -1
  setStart = -1
  setEnd = -1
  keyStart = -1
  keyEnd = -1
  digestAt = -1
  digestEnd = -1
  filterStart = -1
  filterEnd = -1
  batchStart = -1
  batchEnd = -1
  hasTransaction = false
  isScan = false
  opCount = 0
  opsStart = 0
  opsEnd = 0

  get hasSet(): boolean {
    return this.setEnd > this.setStart
  }

  /** Reads a whole body; false when it is not laid out as it says. */
  parse(buffer: Buffer, start: number, end: number): boolean {
    this.buffer = buffer
    if (end - start < MESSAGE_HEADER_BYTES) return false
    this.info1 = buffer[start + 1]!
    this.info2 = buffer[start + 2]!
    this.info3 = buffer[start + 3]!
    this.info4 = buffer[start + 4]!
    this.generation = uint32At(buffer, start + 6)
    this.ttl = uint32At(buffer, start + 10)
    this.transactionTtl = uint32At(buffer, start + 14)
    this.clearFields()
    const at = this.parseFields(
      start + MESSAGE_HEADER_BYTES,
      end,
      (buffer[start + 18]! << 8) | buffer[start + 19]!,
    )
    if (at < 0) return false
    return this.parseOps(at, end, (buffer[start + 20]! << 8) | buffer[start + 21]!) === end
  }

  clearFields(): void {
    this.namespaceStart = this.namespaceEnd = -1
    this.setStart = this.setEnd = -1
    this.keyStart = this.keyEnd = -1
    this.digestAt = this.digestEnd = -1
    this.filterStart = this.filterEnd = -1
    this.batchStart = this.batchEnd = -1
    this.hasTransaction = false
    this.isScan = false
  }

  /** Notes `count` fields from `at`; answers where they end, -1 when they do not fit. */
  parseFields(at: number, end: number, count: number): number {
    const { buffer } = this
    for (let i = 0; i < count; i++) {
      if (end - at < 5) return -1
      const length = uint32At(buffer, at)
      const next = at + 4 + length
      if (length === 0 || next > end) return -1
      this.#note(buffer[at + 4]!, at + 5, next)
      at = next
    }
    return at
  }

  /** Checks the lengths of `count` ops from `at`; answers where they end, -1 when they do not fit. */
  parseOps(at: number, end: number, count: number): number {
    const { buffer } = this
    this.opCount = count
    this.opsStart = at
    for (let i = 0; i < count; i++) {
      if (end - at < 8) return -1
      const length = uint32At(buffer, at)
      if (length < 4 + buffer[at + 7]! || at + 4 + length > end) return -1
      at += 4 + length
    }
    this.opsEnd = at
    return at
  }

  #note(id: number, start: number, end: number): void {
    switch (id) {
      case Field.NAMESPACE:
        if (this.namespaceStart < 0) {
          this.namespaceStart = start
          this.namespaceEnd = end
        }
        break
      case Field.SET:
        if (this.setStart < 0) {
          this.setStart = start
          this.setEnd = end
        }
        break
      case Field.KEY:
        if (this.keyStart < 0) {
          this.keyStart = start
          this.keyEnd = end
        }
        break
      case Field.DIGEST:
        if (this.digestAt < 0) {
          this.digestAt = start
          this.digestEnd = end
        }
        break
      case Field.FILTER:
        if (this.filterStart < 0) {
          this.filterStart = start
          this.filterEnd = end
        }
        break
      case Field.TRANSACTION:
        this.hasTransaction = true
        break
      case Field.BATCH:
      case Field.BATCH_OLD:
        if (this.batchStart < 0) {
          this.batchStart = start
          this.batchEnd = end
        }
        break
      default:
        if (scanFields.has(id)) this.isScan = true
    }
  }
}
