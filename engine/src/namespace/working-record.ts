import { copyBytes, putUint32, uint32At } from '../values/byte-copy.ts'
import type { BinSource } from '../storage/record.ts'
import type { Particle } from '../values/particle.ts'

/** From here on bins are found by a table instead of one after the other. */
const TABLE_FROM = 24
const MAX_BINS = 32_767
const OP_HEAD_BYTES = 8

interface Bin {
  nameBuffer: Buffer
  nameStart: number
  nameEnd: number
  value: Particle
}

/** Objects of bins that are kept for the next command; each may keep a buffer that nobody else needs. */
const KEPT_BINS = 8

/** The bins of one record while a command works on them, in the order of their creation. */
export class WorkingRecord implements BinSource {
  /** The first `count` are the record's. */
  readonly #bins: Bin[] = []
  #table: Map<string, number> | undefined
  count = 0

  clear(): void {
    if (this.#bins.length > KEPT_BINS) this.#bins.length = KEPT_BINS
    this.count = 0
    this.#table = undefined
  }

  /** Takes the bins from their stored form. */
  load(buffer: Buffer, start: number, end: number): void {
    this.clear()
    for (let at = start; at < end;) {
      const next = at + 4 + uint32At(buffer, at)
      const nameStart = at + OP_HEAD_BYTES
      const nameEnd = nameStart + buffer[at + 7]!
      this.#add({ type: buffer[at + 5]!, buffer, start: nameEnd, end: next }, buffer, nameStart, nameEnd)
      at = next
    }
  }

  bin(index: number): Bin {
    return this.#bins[index]!
  }

  find(name: Buffer, start: number, end: number): number {
    if (this.count >= TABLE_FROM) return this.#lookUp(name.toString('latin1', start, end))
    const length = end - start
    for (let i = 0; i < this.count; i++) {
      const bin = this.#bins[i]!
      if (bin.nameEnd - bin.nameStart !== length) continue
      let same = true
      for (let k = 0; same && k < length; k++) same = bin.nameBuffer[bin.nameStart + k] === name[start + k]
      if (same) return i
    }
    return -1
  }

  value(index: number): Particle | undefined {
    return index < 0 ? undefined : this.#bins[index]!.value
  }

  /** Changes the bin at `index`, or adds one with this name where that is -1. False when there are too many. */
  set(index: number, value: Particle, name: Buffer, nameStart: number, nameEnd: number): boolean {
    if (index >= 0) {
      this.#bins[index]!.value = value
      return true
    }
    if (this.count >= MAX_BINS) return false
    this.#table?.set(name.toString('latin1', nameStart, nameEnd), this.count)
    this.#add(value, name, nameStart, nameEnd)
    return true
  }

  /** The last bin takes the place of the one that goes, as on the real server. */
  delete(index: number): void {
    const bins = this.#bins
    const last = --this.count
    const gone = bins[index]!
    bins[index] = bins[last]!
    bins[last] = gone
    this.#table = undefined
  }

  /** Bytes of the stored form. */
  get bytes(): number {
    let bytes = 0
    for (let i = 0; i < this.count; i++) {
      const { nameStart, nameEnd, value } = this.#bins[i]!
      bytes += OP_HEAD_BYTES + nameEnd - nameStart + value.end - value.start
    }
    return bytes
  }

  /** Lays the bins out as READ answer ops at `at`; answers where they end. */
  store(target: Buffer, at: number): number {
    for (let i = 0; i < this.count; i++) {
      const { nameBuffer, nameStart, nameEnd, value } = this.#bins[i]!
      const nameBytes = nameEnd - nameStart
      const valueBytes = value.end - value.start
      putUint32(target, at, 4 + nameBytes + valueBytes)
      target[at + 4] = 1
      target[at + 5] = value.type
      target[at + 6] = 0
      target[at + 7] = nameBytes
      copyBytes(nameBuffer, nameStart, nameEnd, target, at + OP_HEAD_BYTES)
      copyBytes(value.buffer, value.start, value.end, target, at + OP_HEAD_BYTES + nameBytes)
      at += OP_HEAD_BYTES + nameBytes + valueBytes
    }
    return at
  }

  #add(value: Particle, nameBuffer: Buffer, nameStart: number, nameEnd: number): void {
    const bin = this.#bins[this.count]
    if (bin) {
      bin.nameBuffer = nameBuffer
      bin.nameStart = nameStart
      bin.nameEnd = nameEnd
      bin.value = value
    } else this.#bins.push({ nameBuffer, nameStart, nameEnd, value })
    this.count++
  }

  #lookUp(name: string): number {
    this.#table ??= new Map(
      this.#bins
        .slice(0, this.count)
        .map(({ nameBuffer, nameStart, nameEnd }, i) => [
          nameBuffer.toString('latin1', nameStart, nameEnd),
          i,
        ]),
    )
    return this.#table.get(name) ?? -1
  }
}
