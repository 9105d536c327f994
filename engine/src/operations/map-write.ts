import type { Collection } from '../values/collection.ts'
import { collectionAt } from '../values/collection.ts'
import { ByteWriter } from '../values/byte-writer.ts'
import { compareItems } from '../values/item-order.ts'
import { isKey, normaliseItem } from '../values/item-normal.ts'
import type { Slice } from '../values/particle.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import type { CollectionCall } from './collection-call.ts'
import { argumentSlice, integerArgument, notApplicable, parameterError } from './collection-call.ts'
import type { Outcome } from './collection-edit.ts'
import { draftCollection, splice, unchanged, withFlags } from './collection-edit.ts'
import { incremented } from './collection-number.ts'
import { integerParticle } from './collection-result.ts'
import { elementStarts } from './collection-table.ts'
import { findKey } from './map-key.ts'

/** Write flags of map calls; ADD and REPLACE are PUT with one of them set. */
export const CREATE_ONLY = 1
export const UPDATE_ONLY = 2
const NO_FAIL = 4
const PARTIAL = 8

export function putValue(map: Collection, call: CollectionCall, flags: number): Outcome {
  const key = keyArgument(call)
  const value = normaliseItem(argumentSlice(call, 1), ResultCode.PARAMETER)
  const place = findKey(map, key.buffer, key.start)
  const refused = refusal(place.found, flags)
  if (refused !== undefined) {
    if ((flags & NO_FAIL) === 0) throw new ResultError(refused, 'refused by the write flags')
    return unchanged(integerParticle(map.count))
  }
  if (place.found) {
    return { result: integerParticle(map.count), changed: splice(map, place.value, place.end, value, 0) }
  }
  const pair = joined(key, value)
  return { result: integerParticle(map.count + 1), changed: splice(map, place.key, place.key, pair, 1) }
}

function keyArgument(call: CollectionCall): Slice {
  const key = argumentSlice(call, 0)
  if (!isKey(key.buffer, key.start)) parameterError('a key is an integer, a string or bytes')
  return normaliseItem(key, ResultCode.PARAMETER)
}

function refusal(exists: boolean, flags: number): ResultCode | undefined {
  if (exists) return (flags & CREATE_ONLY) !== 0 ? ResultCode.ELEMENT_EXISTS : undefined
  return (flags & UPDATE_ONLY) !== 0 ? ResultCode.ELEMENT_NOT_FOUND : undefined
}

function joined(key: Slice, value: Slice): Slice {
  const keyLength = key.end - key.start
  const buffer = Buffer.allocUnsafe(keyLength + value.end - value.start)
  key.buffer.copy(buffer, 0, key.start, key.end)
  value.buffer.copy(buffer, keyLength, value.start, value.end)
  return { buffer, start: 0, end: buffer.length }
}

let merged = new ByteWriter(1024)
const KEPT_CAPACITY = 1024 * 1024

/** Both maps lie sorted, so one pass merges them; what the flags refuse stops it or, with PARTIAL, is left out. */
export function putItems(map: Collection, call: CollectionCall, flags: number): Outcome {
  const item = normaliseItem(argumentSlice(call, 0), ResultCode.PARAMETER)
  const items = collectionAt(item.buffer, item.start, item.end)
  if (!items?.isMap) parameterError('argument 0 is a map')
  const mine = elementStarts(map)
  const theirs = elementStarts(items)
  const partial = (flags & (NO_FAIL | PARTIAL)) === (NO_FAIL | PARTIAL)
  if (partial && map.count === 0) flags &= ~UPDATE_ONLY // as the field's server does on an empty map
  if (merged.buffer.length > KEPT_CAPACITY) merged = new ByteWriter(1024)
  merged.length = 0
  let size = map.count
  let i = 0
  for (let j = 0; j < items.count; j++) {
    const key = theirs[2 * j]!
    const from = mine[2 * i]!
    let order = -1
    while (i < map.count) {
      order = compareItems(map.buffer, mine[2 * i]!, items.buffer, key)
      if (order >= 0) break
      i++
    }
    const exists = i < map.count && order === 0
    merged.bytes(map.buffer, from, mine[2 * i]!)
    const refused = refusal(exists, flags)
    if (refused === undefined) {
      merged.bytes(items.buffer, key, theirs[2 * j + 2]!)
      if (exists) i++
      else size++
    } else if (!partial) {
      if ((flags & NO_FAIL) === 0) throw new ResultError(refused, 'refused by the write flags')
      return unchanged(integerParticle(map.count))
    }
  }
  merged.bytes(map.buffer, mine[2 * i]!, mine[2 * map.count]!)
  const draft = draftCollection(true, map.flags, size, merged.length)
  merged.buffer.copy(draft.buffer, draft.first, 0, merged.length)
  return { result: integerParticle(size), changed: draft.buffer }
}

export function incrementValue(map: Collection, call: CollectionCall, sign: 1 | -1): Outcome {
  const key = keyArgument(call)
  const delta = call.count > 1 ? argumentSlice(call, 1) : undefined
  const place = findKey(map, key.buffer, key.start)
  if (place.found) {
    const sum = incremented({ buffer: map.buffer, start: place.value, end: place.end }, delta, sign)
    return { result: sum.particle, changed: splice(map, place.value, place.end, sum.item, 0) }
  }
  const sum = incremented(undefined, delta, sign)
  return { result: sum.particle, changed: splice(map, place.key, place.key, joined(key, sum.item), 1) }
}

/** SET_TYPE: every map lies sorted by key, so only the marker changes. */
export function setMapOrder(map: Collection, call: CollectionCall): Outcome {
  const flags = mapOrderFlags(integerArgument(call, 0))
  return flags === map.flags ? unchanged(undefined) : { result: undefined, changed: withFlags(map, flags) }
}

/** Order attributes of a call as marker flags; the persisted index (0x10) has no effect here and is not kept. */
export function mapOrderFlags(attributes: number): number {
  if (attributes < 0 || attributes > 0x13 || (attributes & ~0x13) !== 0) notApplicable('unknown order')
  return attributes & 3
}
