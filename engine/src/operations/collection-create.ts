import { MAX_COLLECTION_BYTES } from '../values/byte-writer.ts'
import type { Collection } from '../values/collection.ts'
import { isKey, normaliseItem } from '../values/item-normal.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import type { PathItem } from './collection-call.ts'
import { parameterError } from './collection-call.ts'
import { integerValue, pathType, PathType } from './collection-child.ts'
import { emptyCollection, splice } from './collection-edit.ts'
import { findKey } from './map-key.ts'
import { sortedList } from './list-write.ts'

/**
 * Create flags of path items: what kind of collection is made for an item whose collection is missing, and where
 * in a collection a missing child may be made. Source: protocol notes, lists, section 6.
 */
const CREATE_FLAGS = 0xc0
const PAD = 0x80
const NIL_BYTE = 0xc0

/** The empty collection in which a path item makes its child; undefined for items that cannot make one. */
export function newCollection(item: PathItem): Collection | undefined {
  const flags = item.type & CREATE_FLAGS
  switch (pathType(item)) {
    case PathType.LIST_INDEX:
      return emptyCollection(false, flags === CREATE_FLAGS ? 1 : 0)
    case PathType.MAP_KEY:
      return emptyCollection(true, flags === CREATE_FLAGS ? 3 : flags === PAD ? 1 : 0)
    default:
      return undefined
  }
}

/** Whether the child that `parent` lacks may be made. A new parent needs no flag: deeper levels follow suit. */
export function canCreate(parent: Collection, item: PathItem, buffer: Buffer, isNew = false): boolean {
  const flags = item.type & CREATE_FLAGS
  if (flags === 0 && !isNew) return false
  const type = pathType(item)
  if (type === PathType.MAP_KEY) {
    return isKey(buffer, item.value) || parameterError('a key is an integer, a string or bytes')
  }
  if (type !== PathType.LIST_INDEX) return false
  const index = integerValue(item, buffer)
  if (index < 0 && flags === PAD) parameterError('padding before the start')
  if (index === -1 && parent.count === 0 && flags !== PAD) return true
  if (index < 0) return false
  return flags === PAD || (parent.flags & 1) !== 0 || index <= parent.count
}

/** `parent` with the new child at the place that the path item names. */
export function addElement(parent: Collection, item: PathItem, buffer: Buffer, child: Buffer): Buffer {
  const body = { buffer: child, start: 0, end: child.length }
  if (parent.isMap) {
    const key = normaliseItem({ buffer, start: item.value, end: item.valueEnd }, ResultCode.PARAMETER)
    const { key: at } = findKey(parent, key.buffer, key.start)
    const pair = Buffer.concat([key.buffer.subarray(key.start, key.end), child])
    return splice(parent, at, at, { buffer: pair, start: 0, end: pair.length }, 1)
  }
  if ((parent.flags & 1) !== 0) return sortedList(splice(parent, parent.end, parent.end, body, 1))
  const padding = Math.max(0, integerValue(item, buffer) - parent.count)
  if (padding === 0) return splice(parent, parent.end, parent.end, body, 1)
  if (padding > MAX_COLLECTION_BYTES) throw new ResultError(ResultCode.RECORD_TOO_BIG, `${padding} nils`)
  const padded = Buffer.alloc(padding + child.length, NIL_BYTE)
  child.copy(padded, padding)
  return splice(parent, parent.end, parent.end, { buffer: padded, start: 0, end: padded.length }, padding + 1)
}
