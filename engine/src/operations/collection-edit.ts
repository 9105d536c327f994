import {
  listHeaderLength,
  MAX_COLLECTION_BYTES,
  writeListHeader,
  writeMapHeader,
} from '../values/byte-writer.ts'
import type { Collection } from '../values/collection.ts'
import { collectionAt } from '../values/collection.ts'
import type { Particle, Slice } from '../values/particle.ts'
import { ParticleType } from '../values/particle.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'

/** What one call does to one collection: its answer, and the new bytes unless it changed nothing. */
export interface Outcome {
  readonly result: Particle | undefined
  readonly changed: Buffer | undefined
}

export const NOTHING: Slice = { buffer: Buffer.alloc(0), start: 0, end: 0 }

export function unchanged(result: Particle | undefined): Outcome {
  return { result, changed: undefined }
}

/** Where the elements of a new collection start in its bytes. */
export interface Draft {
  readonly buffer: Buffer
  readonly first: number
}

/** Header and marker of a collection whose elements take `bodyLength` bytes, which the caller fills in. */
export function draftCollection(isMap: boolean, flags: number, count: number, bodyLength: number): Draft {
  const entries = flags === 0 ? count : count + 1
  const header = listHeaderLength(entries)
  const marker = flags === 0 ? 0 : isMap ? 4 : 3
  const length = header + marker + bodyLength
  if (length > MAX_COLLECTION_BYTES) throw new ResultError(ResultCode.RECORD_TOO_BIG, `${length} bytes`)
  const buffer = Buffer.allocUnsafe(length)
  if (isMap) writeMapHeader(buffer, 0, entries)
  else writeListHeader(buffer, 0, entries)
  if (marker > 0) {
    buffer[header] = 0xc7
    buffer[header + 1] = 0
    buffer[header + 2] = flags
    if (isMap) buffer[header + 3] = 0xc0
  }
  return { buffer, first: header + marker }
}

export function emptyCollection(isMap: boolean, flags: number): Collection {
  const { buffer } = draftCollection(isMap, flags, 0, 0)
  return collectionAt(buffer, 0, buffer.length)!
}

/** The collection with the bytes `from` to `to` replaced by `inserted`, which changes the count by `growth`. */
export function splice(
  collection: Collection,
  from: number,
  to: number,
  inserted: Slice,
  growth: number,
): Buffer {
  const { buffer, first, end } = collection
  const insertedLength = inserted.end - inserted.start
  const body = end - first - (to - from) + insertedLength
  const draft = draftCollection(collection.isMap, collection.flags, collection.count + growth, body)
  let at = draft.first + buffer.copy(draft.buffer, draft.first, first, from)
  at += inserted.buffer.copy(draft.buffer, at, inserted.start, inserted.end)
  buffer.copy(draft.buffer, at, to, end)
  return draft.buffer
}

/** The collection under other flags, its elements as they are. */
export function withFlags(collection: Collection, flags: number): Buffer {
  const { buffer, first, end } = collection
  const draft = draftCollection(collection.isMap, flags, collection.count, end - first)
  buffer.copy(draft.buffer, draft.first, first, end)
  return draft.buffer
}

/** The collection with its elements in the order of the first `count` indexes of `order`. */
export function rearranged(
  collection: Collection,
  flags: number,
  starts: Uint32Array,
  order: Uint32Array,
  count: number,
): Buffer {
  const { buffer } = collection
  const step = collection.isMap ? 2 : 1
  let length = 0
  for (let i = 0; i < count; i++) length += starts[step * (order[i]! + 1)]! - starts[step * order[i]!]!
  const draft = draftCollection(collection.isMap, flags, count, length)
  let at = draft.first
  for (let i = 0; i < count; i++) {
    const from = starts[step * order[i]!]!
    at += buffer.copy(draft.buffer, at, from, starts[step * (order[i]! + 1)])
  }
  return draft.buffer
}

/** The collection without the elements whose mark is not `keep`. */
export function keepMarked(
  collection: Collection,
  starts: Uint32Array,
  marks: Uint32Array,
  keep: number,
): Buffer {
  const { buffer, count } = collection
  const step = collection.isMap ? 2 : 1
  let length = 0
  let kept = 0
  for (let i = 0; i < count; i++) {
    if (marks[i] !== keep) continue
    length += starts[step * (i + 1)]! - starts[step * i]!
    kept++
  }
  const draft = draftCollection(collection.isMap, collection.flags, kept, length)
  let at = draft.first
  for (let i = 0; i < count; i++) {
    if (marks[i] !== keep) continue
    let last = i
    while (last + 1 < count && marks[last + 1] === keep) last++
    at += buffer.copy(draft.buffer, at, starts[step * i], starts[step * (last + 1)])
    i = last
  }
  return draft.buffer
}

export function collectionParticle(buffer: Buffer, isMap: boolean): Particle {
  return { type: isMap ? ParticleType.MAP : ParticleType.LIST, buffer, start: 0, end: buffer.length }
}
