import { copyBytes, putUint32 } from '../values/byte-copy.ts'
import type { Particle } from '../values/particle.ts'

/** From here on bins are found by a table instead of one after the other. */
const TABLE_FROM = 24
export const MAX_BINS = 32_767
const OP_HEAD_BYTES = 8

interface Bin {
  nameBuffer: Buffer
  nameStart: number
  nameEnd: number
  value: Particle
}

/** The bins of one record while a command works on them, in the order of their creation. */
export class WorkingRecord {
  readonly bins: Bin[] = []
  #table: Map<string, number> | undefined

  clear(): void {
    // Taking them out one by one keeps the array's room.
    while (this.bins.length > 0) this.bins.pop()
    this.#table = undefined
  }

  /** Takes the bins from their stored form. */
  load(buffer: Buffer, start: number, end: number): void {
    this.clear()
    for (let at = start; at < end;) {
      const next = at + 4 + buffer.readUInt32BE(at)
      const nameStart = at + OP_HEAD_BYTES
      const nameEnd = nameStart + buffer[at + 7]!
      const value = { type: buffer[at + 5]!, buffer, start: nameEnd, end: next }
      this.bins.push({ nameBuffer: buffer, nameStart, nameEnd, value })
      at = next
    }
  }

  find(name: Buffer, start: number, end: number): number {
    if (this.bins.length >= TABLE_FROM) return this.#lookUp(name.toString('latin1', start, end))
    const length = end - start
    for (let i = 0; i < this.bins.length; i++) {
      const bin = this.bins[i]!
      if (bin.nameEnd - bin.nameStart !== length) continue
      let same = true
      for (let k = 0; same && k < length; k++) same = bin.nameBuffer[bin.nameStart + k] === name[start + k]
      if (same) return i
    }
    return -1
  }

  value(index: number): Particle | undefined {
    return index < 0 ? undefined : this.bins[index]!.value
  }

  /** Changes the bin at `index`, or adds one with this name where that is -1. False when there are too many. */
  set(index: number, value: Particle, name: Buffer, nameStart: number, nameEnd: number): boolean {
    if (index >= 0) {
      this.bins[index]!.value = value
      return true
    }
    if (this.bins.length >= MAX_BINS) return false
    this.#table?.set(name.toString('latin1', nameStart, nameEnd), this.bins.length)
    this.bins.push({ nameBuffer: name, nameStart, nameEnd, value })
    return true
  }

  /** The last bin takes the place of the one that goes, as on the real server. */
  delete(index: number): void {
    const last = this.bins.pop()!
    if (index < this.bins.length) this.bins[index] = last
    this.#table = undefined
  }

  /** Bytes of the stored form. */
  get bytes(): number {
    let bytes = 0
    for (const { nameStart, nameEnd, value } of this.bins)
      bytes += OP_HEAD_BYTES + nameEnd - nameStart + value.end - value.start
    return bytes
  }

  /** Lays the bins out as READ answer ops. */
  store(target: Buffer): number {
    let at = 0
    for (const { nameBuffer, nameStart, nameEnd, value } of this.bins) {
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

  #lookUp(name: string): number {
    this.#table ??= new Map(
      this.bins.map(({ nameBuffer, nameStart, nameEnd }, i) => [
        nameBuffer.toString('latin1', nameStart, nameEnd),
        i,
      ]),
    )
    return this.#table.get(name) ?? -1
  }
}
