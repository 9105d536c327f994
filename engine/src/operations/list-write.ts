import type { Collection } from '../values/collection.ts'
import { collectionAt } from '../values/collection.ts'
import { compareItems } from '../values/item-order.ts'
import { normaliseItem } from '../values/item-normal.ts'
import { skipItem } from '../values/msgpack-item.ts'
import type { Particle, Slice } from '../values/particle.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import type { CollectionCall } from './collection-call.ts'
import { argumentSlice, integerArgument, notApplicable, parameterError } from './collection-call.ts'
import type { Outcome } from './collection-edit.ts'
import { draftCollection, keepMarked, rearranged, splice, unchanged } from './collection-edit.ts'
import { integerParticle } from './collection-result.ts'
import { borrow, elementStarts, lowerBound, upperBound, valueOrder } from './collection-table.ts'
import { MAX_COLLECTION_BYTES } from '../values/byte-writer.ts'
import { incremented } from './collection-number.ts'
import { isOrdered } from './list-selection.ts'

/** Write flags of list calls. */
const ADD_UNIQUE = 1
const INSERT_BOUNDED = 2
const NO_FAIL = 4
const PARTIAL = 8

const NIL_BYTE = 0xc0

export function appendValue(list: Collection, call: CollectionCall): Outcome {
  const value = normaliseItem(argumentSlice(call, 0), ResultCode.PARAMETER)
  const flags = integerArgument(call, 2, 0)
  if ((flags & ADD_UNIQUE) !== 0 && contains(list, value)) {
    return rejected(flags, ResultCode.ELEMENT_EXISTS, integerParticle(list.count))
  }
  const at = isOrdered(list) ? sortedPlace(list, value) : list.end
  return { result: integerParticle(list.count + 1), changed: splice(list, at, at, value, 1) }
}

export function insertValue(list: Collection, call: CollectionCall): Outcome {
  const value = normaliseItem(argumentSlice(call, 1), ResultCode.PARAMETER)
  const flags = integerArgument(call, 2, 0)
  const index = insertIndex(list, integerArgument(call, 0))
  const size = integerParticle(list.count)
  if ((flags & ADD_UNIQUE) !== 0 && contains(list, value)) {
    return rejected(flags, ResultCode.ELEMENT_EXISTS, size)
  }
  if (index > list.count && (flags & INSERT_BOUNDED) !== 0) {
    return rejected(flags, ResultCode.NOT_APPLICABLE, size)
  }
  return inserted(list, index, value, 1)
}

export function appendItems(list: Collection, call: CollectionCall): Outcome {
  const flags = integerArgument(call, 2, 0)
  const items = itemsArgument(call, 0)
  const chosen = acceptable(list, items, flags)
  if (typeof chosen === 'number') return rejected(flags, chosen, integerParticle(list.count))
  const size = list.count + chosen.count
  if (chosen.count === 0) return unchanged(integerParticle(size))
  const body = { buffer: chosen.buffer, start: chosen.first, end: chosen.end }
  const longer = splice(list, list.end, list.end, body, chosen.count)
  const result = integerParticle(size)
  return { result, changed: isOrdered(list) ? sortedList(longer) : longer }
}

export function insertItems(list: Collection, call: CollectionCall): Outcome {
  const flags = integerArgument(call, 2, 0)
  const items = itemsArgument(call, 1)
  const given = integerArgument(call, 0)
  const size = integerParticle(list.count)
  if (items.count === 0 && !isOrdered(list)) return unchanged(size)
  const index = insertIndex(list, given)
  if (index > list.count && (flags & INSERT_BOUNDED) !== 0) {
    return rejected(flags, ResultCode.NOT_APPLICABLE, size)
  }
  const chosen = acceptable(list, items, flags)
  if (typeof chosen === 'number') return rejected(flags, chosen, size)
  if (chosen.count === 0) return unchanged(size)
  const body = { buffer: chosen.buffer, start: chosen.first, end: chosen.end }
  return inserted(list, index, body, chosen.count)
}

export function setValue(list: Collection, call: CollectionCall): Outcome {
  const value = normaliseItem(argumentSlice(call, 1), ResultCode.PARAMETER)
  const flags = integerArgument(call, 2, 0)
  const index = insertIndex(list, integerArgument(call, 0))
  if ((flags & ADD_UNIQUE) !== 0 && contains(list, value, index)) {
    return rejected(flags, ResultCode.ELEMENT_EXISTS, undefined)
  }
  if (index > list.count && (flags & INSERT_BOUNDED) !== 0) {
    return rejected(flags, ResultCode.NOT_APPLICABLE, undefined)
  }
  if (index >= list.count) return { result: undefined, changed: inserted(list, index, value, 1).changed }
  const at = elementAt(list, index)
  const behind = skipItem(list.buffer, at, list.end)
  return { result: undefined, changed: splice(list, at, behind, value, 0) }
}

export function incrementElement(list: Collection, call: CollectionCall): Outcome {
  const delta = call.count > 1 ? argumentSlice(call, 1) : undefined
  const flags = integerArgument(call, 3, 0)
  const given = integerArgument(call, 0)
  const index = given < 0 ? given + list.count : given
  if (index < 0) notApplicable('index before the start')
  const exists = index < list.count
  const at = exists ? elementAt(list, index) : list.end
  const behind = exists ? skipItem(list.buffer, at, list.end) : at
  const sum = incremented(exists ? { buffer: list.buffer, start: at, end: behind } : undefined, delta, 1)
  if ((flags & ADD_UNIQUE) !== 0 && contains(list, sum.item, exists ? index : -1)) {
    return rejected(flags, ResultCode.ELEMENT_EXISTS, sum.particle)
  }
  if (index > list.count && (flags & INSERT_BOUNDED) !== 0) {
    return rejected(flags, ResultCode.NOT_APPLICABLE, sum.particle)
  }
  if (index > list.count && isOrdered(list)) notApplicable('no element there')
  if (!exists && !isOrdered(list)) {
    return { result: sum.particle, changed: inserted(list, index, sum.item, 1).changed }
  }
  const changed = splice(list, at, behind, sum.item, exists ? 0 : 1)
  return { result: sum.particle, changed: isOrdered(list) ? sortedList(changed) : changed }
}

/** A write that its flags forbid: an error, or with NO_FAIL an answer that leaves all as it was. */
function rejected(flags: number, code: ResultCode, result: Particle | undefined): Outcome {
  if ((flags & NO_FAIL) === 0) throw new ResultError(code, 'refused by the write flags')
  return unchanged(result)
}

/** Index of a positional write; may lie behind the end, which is then padded with nil. */
function insertIndex(list: Collection, given: number): number {
  if (isOrdered(list)) notApplicable('an ordered list has no positional writes')
  const index = given < 0 ? given + list.count : given
  if (index < 0) notApplicable('index before the start')
  return index
}

function inserted(list: Collection, index: number, body: Slice, count: number): Outcome {
  const result = (size: number) => integerParticle(size)
  if (index <= list.count) {
    const at = elementAt(list, index)
    return { result: result(list.count + count), changed: splice(list, at, at, body, count) }
  }
  const padding = index - list.count
  const length = body.end - body.start
  if (padding > MAX_COLLECTION_BYTES) throw new ResultError(ResultCode.RECORD_TOO_BIG, `${padding} nils`)
  const padded = Buffer.alloc(padding + length, NIL_BYTE)
  body.buffer.copy(padded, padding, body.start, body.end)
  const changed = splice(
    list,
    list.end,
    list.end,
    { buffer: padded, start: 0, end: padded.length },
    padding + count,
  )
  return { result: result(index + count), changed }
}

/** Offset of an element, or the end for the index behind the last. */
export function elementAt(list: Collection, index: number): number {
  let at = list.first
  if (index === list.count) return list.end
  for (let i = 0; i < index; i++) at = skipItem(list.buffer, at, list.end)
  return at
}

/** Whether an element other than the one at `except` equals the value. */
function contains(list: Collection, value: Slice, except = -1): boolean {
  let at = list.first
  for (let i = 0; i < list.count; i++) {
    if (i !== except && compareItems(list.buffer, at, value.buffer, value.start) === 0) return true
    at = skipItem(list.buffer, at, list.end)
  }
  return false
}

/** Where a value goes in an ordered list: behind its equals. */
function sortedPlace(list: Collection, value: Slice): number {
  if (list.count === 0) return list.end
  const starts = elementStarts(list)
  return starts[upperBound(list, starts, valueOrder(list, starts), value.buffer, value.start)]!
}

/** A list with the ordered mark whose elements are put in order. */
export function sortedList(bytes: Buffer): Buffer {
  const list = collectionAt(bytes, 0, bytes.length)!
  const starts = elementStarts(list)
  const order = valueOrder({ ...list, flags: 0 }, starts)
  return rearranged(list, list.flags, starts, order, list.count)
}

function itemsArgument(call: CollectionCall, index: number): Collection {
  const item = normaliseItem(argumentSlice(call, index), ResultCode.PARAMETER)
  const items = collectionAt(item.buffer, item.start, item.end)
  if (items === undefined || items.isMap) parameterError(`argument ${index} is a list`)
  return items
}

/**
 * The items that ADD_UNIQUE lets in, without those that are there already and without duplicates among them; a
 * result code when one is refused and PARTIAL with NO_FAIL does not excuse it.
 */
function acceptable(list: Collection, items: Collection, flags: number): Collection | ResultCode {
  if ((flags & ADD_UNIQUE) === 0 || items.count === 0) return items
  const partial = (flags & (NO_FAIL | PARTIAL)) === (NO_FAIL | PARTIAL)
  const itemStarts = elementStarts(items)
  const itemOrder = valueOrder({ ...items, flags: 0 }, itemStarts)
  const starts = elementStarts(list)
  const order = valueOrder(list, starts)
  const marks = borrow(items.count)
  let present = 0
  let repeated = 0
  for (let i = 0; i < items.count; i++) {
    const at = itemStarts[itemOrder[i]!]!
    const twin =
      i > 0 && compareItems(items.buffer, itemStarts[itemOrder[i - 1]!]!, items.buffer, at) === 0 ? 1 : 0
    const place = lowerBound(list, starts, order, items.buffer, at)
    const there =
      place < list.count && compareItems(list.buffer, starts[order[place]!]!, items.buffer, at) === 0 ? 1 : 0
    repeated += twin
    present += there
    marks[itemOrder[i]!] = twin | there
  }
  if (!partial && repeated > 0) return ResultCode.NOT_APPLICABLE
  if (!partial && present > 0) return ResultCode.ELEMENT_EXISTS
  const kept = keepMarked({ ...items, flags: 0 }, itemStarts, marks, 0)
  return collectionAt(kept, 0, kept.length)!
}

/** SORT: flag 1 descending (not on ordered lists), 2 drop duplicates, both together refused where it would matter. */
export function sortElements(list: Collection, call: CollectionCall): Outcome {
  const flags = integerArgument(call, 0, 0)
  const starts = elementStarts(list)
  const order = valueOrder(list, starts)
  const unique = borrow(list.count)
  let kept = 0
  for (let rank = 0; rank < list.count; rank++) {
    const at = starts[order[rank]!]!
    const twin = kept > 0 && compareItems(list.buffer, starts[unique[kept - 1]!]!, list.buffer, at) === 0
    if (!twin) unique[kept++] = order[rank]!
  }
  const drop = (flags & 2) !== 0
  const descending = (flags & 1) !== 0 && !isOrdered(list)
  if (drop && descending && kept > 1) parameterError('descending without duplicates')
  const sorted = drop ? unique : order
  const count = drop ? kept : list.count
  if (descending) sorted.subarray(0, count).reverse()
  return { result: undefined, changed: rearranged(list, list.flags, starts, sorted, count) }
}

/** SET_TYPE: 0 unordered, 1 ordered, 0x10 persisted index (which has no effect here and is not kept). */
export function setListOrder(list: Collection, call: CollectionCall): Outcome {
  const flags = listOrderFlags(integerArgument(call, 0))
  if (flags === list.flags) return unchanged(undefined)
  const draft = draftCollection(false, flags, list.count, list.end - list.first)
  list.buffer.copy(draft.buffer, draft.first, list.first, list.end)
  return { result: undefined, changed: flags === 0 ? draft.buffer : sortedList(draft.buffer) }
}

/** Order attributes of a call as marker flags. */
export function listOrderFlags(attributes: number): number {
  if (attributes < 0 || attributes > 0x11 || (attributes & ~0x11) !== 0) notApplicable('unknown order')
  return attributes & 1
}
