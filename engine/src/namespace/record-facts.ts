import type { ExpressionRecord } from '../operations/expression/expression-node.ts'
import type { RequestMessage } from '../protocol/message.ts'
import type { RecordView } from '../storage/record.ts'
import { DIGEST_BYTES } from '../values/digest.ts'
import type { Particle, Slice } from '../values/particle.ts'
import { ParticleType } from '../values/particle.ts'
import { EPOCH_2010_MS } from '../values/void-time.ts'
import type { WorkingRecord } from './working-record.ts'

const EPOCH_2010_S = BigInt(EPOCH_2010_MS / 1000)
const NS_PER_S = 1_000_000_000n
const NS_PER_MS = 1_000_000n
const NOTHING: Slice = { buffer: Buffer.alloc(0), start: 0, end: 0 }

/** Where facts come from that neither the record nor the request holds. */
export interface FactSource {
  /** When the request is worked on, in ms since 1970. */
  clock(): number
  setName(setId: number): Slice
}

/** What expressions see of the record that a command works on: its bins as they are now, the rest as it was found. */
export class RecordFacts implements ExpressionRecord {
  readonly #record: WorkingRecord
  readonly #view: RecordView
  readonly #source: FactSource
  #message: RequestMessage | undefined
  #exists = false
  #isWritten = false

  constructor(record: WorkingRecord, view: RecordView, source: FactSource) {
    this.#record = record
    this.#view = view
    this.#source = source
  }

  /** Says what the next expressions are worked out on. Nothing is looked up before one asks. */
  open(message: RequestMessage, exists: boolean): void {
    this.#message = message
    this.#exists = exists
    this.#isWritten = false
  }

  /** From now on the record was updated at this moment, as for the ops of a write (hand-exp 1550, 1555). */
  beginWrite(): void {
    this.#isWritten = true
  }

  bin(buffer: Buffer, start: number, end: number): Particle | undefined {
    return this.#record.value(this.#record.find(buffer, start, end))
  }

  key(): Slice | undefined {
    const { buffer, keyStart, keyEnd } = this.#view
    return this.#exists && keyEnd > keyStart ? { buffer, start: keyStart, end: keyEnd } : undefined
  }

  setName(): Slice {
    const { setId } = this.#view
    if (this.#exists) return setId > 0 ? this.#source.setName(setId) : NOTHING
    const { hasSet, buffer, setStart, setEnd } = this.#message!
    return hasSet ? { buffer, start: setStart, end: setEnd } : NOTHING
  }

  digest(): Slice {
    const { buffer, digestAt } = this.#message!
    return { buffer, start: digestAt, end: digestAt + DIGEST_BYTES }
  }

  get #isOld(): boolean {
    return this.#exists && !this.#isWritten
  }

  lastUpdate(): bigint {
    return BigInt(this.#isOld ? this.#view.lastUpdate : this.#source.clock()) * NS_PER_MS
  }

  sinceUpdateMs(): bigint {
    return this.#isOld ? BigInt(Math.max(0, this.#source.clock() - this.#view.lastUpdate)) : 0n
  }

  voidTime(): bigint {
    const { voidTime } = this.#view
    return this.#exists && voidTime > 0 ? (BigInt(voidTime) + EPOCH_2010_S) * NS_PER_S : -1n
  }

  ttlSeconds(): bigint {
    const { voidTime } = this.#view
    if (!this.#exists || voidTime === 0) return -1n
    return BigInt(voidTime) + EPOCH_2010_S - BigInt(Math.floor(this.#source.clock() / 1000))
  }

  /** What the real server counts for such a record. */
  recordBytes(): bigint {
    const { start, end } = this.setName()
    const key = this.key()
    let bytes = RECORD_BYTES
    if (end > start) bytes += 1 + end - start
    if (key) bytes += 1 + key.end - key.start
    if (this.#exists && this.#view.voidTime > 0) bytes += VOID_TIME_BYTES
    for (let i = 0; i < this.#record.count; i++) {
      const { nameStart, nameEnd, value } = this.#record.bin(i)
      bytes += 1 + nameEnd - nameStart + valueBytes(value)
    }
    return BigInt(Math.ceil(bytes / BLOCK) * BLOCK)
  }
}

/**
 * Sizes of the real server's stored form: the head of a record, then what has a length byte in front, all together in
 * whole blocks. Worked out from records of one integer with and without set, key and void time (hand-exp 11525 to
 * 11532), one of all types (1582), and the largest that is accepted (hand-record 3222).
 */
const RECORD_BYTES = 40
const VOID_TIME_BYTES = 4
const BLOCK = 16
const WIDE_HEAD_BYTES = 5

function valueBytes({ type, buffer, start, end }: Particle): number {
  switch (type) {
    case ParticleType.INTEGER: {
      if (buffer.readInt32BE(start) !== 0) return 10
      const low = buffer.readUInt32BE(start + 4)
      return low > 0xffff ? 6 : low > 0xff ? 4 : 3
    }
    case ParticleType.DOUBLE:
      return 9
    case ParticleType.BOOL:
      return 2
    default:
      return WIDE_HEAD_BYTES + end - start
  }
}
