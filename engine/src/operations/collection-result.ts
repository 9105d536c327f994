import { ByteWriter, listHeaderLength, writeListHeader, writeMapHeader } from '../values/byte-writer.ts'
import {
  doubleItem,
  headerLength,
  integerBits,
  itemKind,
  ItemKind,
  skipItem,
} from '../values/msgpack-item.ts'
import type { Particle } from '../values/particle.ts'
import { ParticleType } from '../values/particle.ts'

export function integerParticle(value: number): Particle {
  const buffer = Buffer.allocUnsafe(8)
  const high = Math.floor(value / 0x1_0000_0000)
  buffer.writeInt32BE(high | 0, 0)
  buffer.writeUInt32BE(value >>> 0, 4)
  return { type: ParticleType.INTEGER, buffer, start: 0, end: 8 }
}

export function boolParticle(value: boolean): Particle {
  const buffer = Buffer.allocUnsafe(1)
  buffer[0] = value ? 1 : 0
  return { type: ParticleType.BOOL, buffer, start: 0, end: 1 }
}

/** An item of a collection as the particle that answers it; nil is undefined. */
export function itemParticle(buffer: Buffer, at: number, end: number): Particle | undefined {
  switch (itemKind(buffer, at)) {
    case ItemKind.BOOL:
      return boolParticle(buffer[at] === 0xc3)
    case ItemKind.INTEGER: {
      const value = Buffer.allocUnsafe(8)
      value.writeBigInt64BE(integerBits(buffer, at))
      return { type: ParticleType.INTEGER, buffer: value, start: 0, end: 8 }
    }
    case ItemKind.DOUBLE: {
      const value = Buffer.allocUnsafe(8)
      value.writeDoubleBE(doubleItem(buffer, at))
      return { type: ParticleType.DOUBLE, buffer: value, start: 0, end: 8 }
    }
    case ItemKind.STRING:
    case ItemKind.BYTES:
      return stringParticle(buffer, at, end)
    case ItemKind.GEOJSON:
      return geojsonParticle(buffer, at, end)
    case ItemKind.LIST:
      return { type: ParticleType.LIST, buffer, start: at, end }
    case ItemKind.MAP:
      return { type: ParticleType.MAP, buffer, start: at, end }
    default:
      return undefined
  }
}

function stringParticle(buffer: Buffer, at: number, end: number): Particle {
  const payload = at + headerLength(buffer[at]!)
  if (payload === end) return { type: ParticleType.BLOB, buffer, start: end, end }
  return { type: buffer[payload]!, buffer, start: payload + 1, end }
}

/** Flags and number of cells stand in front of the text of a GeoJSON particle; inside collections there are none. */
function geojsonParticle(buffer: Buffer, at: number, end: number): Particle {
  const text = at + headerLength(buffer[at]!) + 1
  const particle = Buffer.alloc(3 + end - text)
  buffer.copy(particle, 3, text, end)
  return { type: ParticleType.GEOJSON, buffer: particle, start: 0, end: particle.length }
}

const KEPT_CAPACITY = 1024 * 1024

/** A list or map that is built as the answer of a call: elements first, the header when their number is known. */
export class AnswerWriter {
  #body = new ByteWriter(1024)
  #count = 0

  begin(): this {
    if (this.#body.buffer.length > KEPT_CAPACITY) this.#body = new ByteWriter(1024)
    this.#body.length = 0
    this.#count = 0
    return this
  }

  integer(value: number): void {
    this.#body.integer(value)
    this.#count++
  }

  /** Numbers `start`, `start` + 1, ... */
  ascending(start: number, count: number): this {
    for (let i = 0; i < count; i++) this.#body.integer(start + i)
    this.#count += count
    return this
  }

  item(buffer: Buffer, start: number, end: number): void {
    this.items(buffer, start, end, 1)
  }

  /** `count` elements, or pairs, that lie one behind the other. */
  items(buffer: Buffer, start: number, end: number, count: number): void {
    this.#body.bytes(buffer, start, end)
    this.#count += count
  }

  list(): Particle {
    const header = listHeaderLength(this.#count)
    const buffer = Buffer.allocUnsafe(header + this.#body.length)
    writeListHeader(buffer, 0, this.#count)
    this.#body.buffer.copy(buffer, header, 0, this.#body.length)
    return { type: ParticleType.LIST, buffer, start: 0, end: buffer.length }
  }

  /** A map whose marker carries `flags`, without marker when they are 0. */
  map(flags: number): Particle {
    const entries = flags === 0 ? this.#count : this.#count + 1
    const header = listHeaderLength(entries)
    const marker = flags === 0 ? 0 : 4
    const buffer = Buffer.allocUnsafe(header + marker + this.#body.length)
    writeMapHeader(buffer, 0, entries)
    if (marker > 0) buffer.writeUInt32BE((0xc70000c0 | (flags << 8)) >>> 0, header)
    this.#body.buffer.copy(buffer, header + marker, 0, this.#body.length)
    return { type: ParticleType.MAP, buffer, start: 0, end: buffer.length }
  }
}

/** The one answer that is being built; calls do not overlap while they build. */
export const answer = new AnswerWriter()

/** The particle of the item at `at`, whose end is not known yet. */
export function itemParticleAt(buffer: Buffer, at: number, limit: number): Particle | undefined {
  return itemParticle(buffer, at, skipItem(buffer, at, limit))
}
