import type { ExpressionRecord } from '../operations/expression/expression.ts'
import type { RecordView } from '../storage/record.ts'
import type { Particle, Slice } from '../values/particle.ts'
import type { WorkingRecord } from './working-record.ts'

const EPOCH_2010_S = 1_262_304_000n
const NS_PER_S = 1_000_000_000n
const NS_PER_MS = 1_000_000n
const NOTHING: Slice = { buffer: Buffer.alloc(0), start: 0, end: 0 }

/** What expressions see of the record that a command works on: its bins as they are now, the rest as it was found. */
export class RecordFacts implements ExpressionRecord {
  readonly #record: WorkingRecord
  readonly #view: RecordView
  #exists = false
  #now = 0
  #set = NOTHING
  #digestBuffer = NOTHING.buffer
  #digestAt = 0

  constructor(record: WorkingRecord, view: RecordView) {
    this.#record = record
    this.#view = view
  }

  /** Says what the next expressions are worked out on. `now` in ms since 1970. */
  open(exists: boolean, now: number, set: Slice | undefined, digest: Buffer, digestAt: number): void {
    this.#exists = exists
    this.#now = now
    this.#set = set ?? NOTHING
    this.#digestBuffer = digest
    this.#digestAt = digestAt
  }

  bin(buffer: Buffer, start: number, end: number): Particle | undefined {
    return this.#record.value(this.#record.find(buffer, start, end))
  }

  key(): Slice | undefined {
    const { buffer, keyStart, keyEnd } = this.#view
    return this.#exists && keyEnd > keyStart ? { buffer, start: keyStart, end: keyEnd } : undefined
  }

  setName(): Slice {
    return this.#set
  }

  digest(): Slice {
    return { buffer: this.#digestBuffer, start: this.#digestAt, end: this.#digestAt + 20 }
  }

  lastUpdate(): bigint {
    return BigInt(this.#exists ? this.#view.lastUpdate : this.#now) * NS_PER_MS
  }

  sinceUpdateMs(): bigint {
    return this.#exists ? BigInt(Math.max(0, this.#now - this.#view.lastUpdate)) : 0n
  }

  voidTime(): bigint {
    const { voidTime } = this.#view
    return this.#exists && voidTime > 0 ? (BigInt(voidTime) + EPOCH_2010_S) * NS_PER_S : -1n
  }

  ttlSeconds(): bigint {
    const { voidTime } = this.#view
    if (!this.#exists || voidTime === 0) return -1n
    return BigInt(voidTime) + EPOCH_2010_S - BigInt(Math.floor(this.#now / 1000))
  }

  recordBytes(): bigint {
    return BigInt(this.#record.bytes)
  }
}
