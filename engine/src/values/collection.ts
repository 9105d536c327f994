import { normaliseItem } from './item-normal.ts'
import { headerLength, headerSize, ItemKind, itemKind, markerFlags, MARKER_LENGTH } from './msgpack-item.ts'
import type { Particle, Slice } from './particle.ts'
import { ParticleType } from './particle.ts'
import { ResultCode, ResultError } from './result-code.ts'

/**
 * Checks a LIST or MAP particle as a client sends it for a bin and answers it in the one form that is stored:
 * shortest headers, maps sorted by key. Particles of other types come back as they are.
 * Throws ResultError 1 (SERVER_ERROR) for bytes that are not a valid collection.
 */
export function normaliseCollection(particle: Particle): Particle {
  if (particle.type !== ParticleType.LIST && particle.type !== ParticleType.MAP) return particle
  const { buffer, start, end } = particle
  const kind = start < end ? itemKind(buffer, start) : ItemKind.INVALID
  if (kind !== (particle.type === ParticleType.LIST ? ItemKind.LIST : ItemKind.MAP)) {
    throw new ResultError(ResultCode.SERVER_ERROR, 'not the collection that the particle type says')
  }
  const item = normaliseItem(particle, ResultCode.SERVER_ERROR)
  if (item === particle) return particle
  return { type: particle.type, buffer: item.buffer, start: item.start, end: item.end }
}

/** A list or map in stored form: where its elements lie and what its order marker says. */
export interface Collection extends Slice {
  readonly isMap: boolean
  readonly flags: number
  /** Elements of a list, pairs of a map; the marker is not counted. */
  readonly count: number
  /** Offset of the first element or key. */
  readonly first: number
}

/** The collection item at `start`, or undefined when it is something else. */
export function collectionAt(buffer: Buffer, start: number, end: number): Collection | undefined {
  if (start >= end) return undefined
  const byte = buffer[start]!
  const kind = itemKind(buffer, start)
  if (kind !== ItemKind.LIST && kind !== ItemKind.MAP) return undefined
  const isMap = kind === ItemKind.MAP
  let first = start + headerLength(byte)
  if (first > end) return undefined
  let count = headerSize(buffer, start)
  const marker = count > 0 ? markerFlags(buffer, first, end) : -1
  let flags = 0
  if (marker >= 0) {
    flags = marker
    first += isMap ? MARKER_LENGTH + 1 : MARKER_LENGTH
    count--
  }
  return { buffer, start, end, isMap, flags, count, first }
}
