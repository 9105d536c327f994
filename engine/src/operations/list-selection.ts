import type { Collection } from '../values/collection.ts'
import { collectionAt } from '../values/collection.ts'
import { compareItems } from '../values/item-order.ts'
import { headerSize, ItemKind, itemKind } from '../values/msgpack-item.ts'
import type { CollectionCall } from './collection-call.ts'
import { argumentSlice, integerArgument, parameterError } from './collection-call.ts'
import { absoluteRange, rangeWithin } from './collection-range.ts'
import { borrow, elementStarts, lowerBound, upperBound, valueOrder } from './collection-table.ts'

/**
 * Which elements of a list a call means. On an ordered list, and for a range of indexes, that is a run of
 * positions. On an unordered list a call by value or rank means a run of ranks, scattered over positions: marks
 * tell which. A list of values is one run of ranks for each of them.
 */
export interface ListSelection {
  readonly list: Collection
  readonly starts: Uint32Array
  readonly ordered: boolean
  readonly kind: 'positions' | 'value-ranks' | 'rank-range' | 'values'
  /** Run of positions or ranks; for values, how many searched values there are is in `runs`. */
  readonly start: number
  readonly count: number
  /** 1 for each element that is meant, by position. */
  readonly marks: Uint32Array
  /** Pairs (first rank, count), one for each searched value. */
  readonly runs: readonly number[]
  /** Value order, where it had to be found. */
  readonly order: Uint32Array | undefined
}

export function isOrdered(list: Collection): boolean {
  return (list.flags & 1) !== 0
}

export function selectIndexRange(list: Collection, call: CollectionCall): ListSelection {
  const { start, count } = rangeWithin(integerArgument(call, 1), integerArgument(call, 2, -1), list.count)
  return positions(list, elementStarts(list), start, count)
}

export function selectByValue(list: Collection, call: CollectionCall): ListSelection {
  const starts = elementStarts(list)
  const at = call.starts[1]!
  if (isOrdered(list)) {
    const order = valueOrder(list, starts)
    const low = lowerBound(list, starts, order, call.buffer, at)
    return positions(list, starts, low, upperBound(list, starts, order, call.buffer, at) - low)
  }
  return scan(list, starts, call, at, -1)
}

/** begin <= value < end; no end means no upper limit. */
export function selectInterval(list: Collection, call: CollectionCall): ListSelection {
  const starts = elementStarts(list)
  const begin = call.starts[1]!
  const end = call.count > 2 ? call.starts[2]! : -1
  if (!isOrdered(list)) return scan(list, starts, call, begin, end)
  const order = valueOrder(list, starts)
  const wildcard = itemKind(call.buffer, begin) === ItemKind.WILDCARD
  const low = wildcard ? list.count : lowerBound(list, starts, order, call.buffer, begin)
  const high = end < 0 ? list.count : lowerBound(list, starts, order, call.buffer, end)
  return positions(list, starts, low, Math.max(0, high - low))
}

export function selectRankRange(list: Collection, call: CollectionCall): ListSelection {
  const { start, count } = rangeWithin(integerArgument(call, 1), integerArgument(call, 2, -1), list.count)
  return ranks(list, elementStarts(list), start, count)
}

export function selectRelativeRanks(list: Collection, call: CollectionCall): ListSelection {
  const offset = integerArgument(call, 2)
  const wanted = integerArgument(call, 3, -1)
  const starts = elementStarts(list)
  const order = valueOrder(list, starts)
  const rank = lowerBound(list, starts, order, call.buffer, call.starts[1]!)
  const { start, count } = absoluteRange(rank + offset, wanted, list.count)
  return ranks(list, starts, start, count, order)
}

export function selectValueList(list: Collection, call: CollectionCall): ListSelection {
  const wanted = listArgument(call, 1)
  const starts = elementStarts(list)
  const order = valueOrder(list, starts)
  const values = elementStarts(wanted)
  const ordered = isOrdered(list)
  const marks = borrow(list.count).fill(0, 0, list.count)
  const runs: number[] = []
  let marked = 0
  for (let i = 0; i < wanted.count; i++) {
    const low = lowerBound(list, starts, order, call.buffer, values[i]!)
    const high = upperBound(list, starts, order, call.buffer, values[i]!)
    const repeated = high > low && marks[order[low]!] !== 0
    if (ordered || !repeated) runs.push(low, high - low)
    if (repeated) continue
    for (let rank = low; rank < high; rank++) {
      if (marks[order[rank]!] === 0) marked++
      marks[order[rank]!] = 1
    }
  }
  return { list, starts, ordered, kind: 'values', start: 0, count: marked, marks, runs, order }
}

/** An argument that must be a list. */
export function listArgument(call: CollectionCall, index: number): Collection {
  const { buffer, start, end } = argumentSlice(call, index)
  const list = collectionAt(buffer, start, end)
  if (list === undefined || list.isMap) parameterError(`argument ${index} is a list`)
  if (headerSize(buffer, start) > end - start) parameterError('list cut short')
  return list
}

function positions(list: Collection, starts: Uint32Array, start: number, count: number): ListSelection {
  const marks = borrow(list.count)
    .fill(0, 0, list.count)
    .fill(1, start, start + count)
  const ordered = isOrdered(list)
  return { list, starts, ordered, kind: 'positions', start, count, marks, runs: [], order: undefined }
}

function ranks(
  list: Collection,
  starts: Uint32Array,
  start: number,
  count: number,
  order = valueOrder(list, starts),
): ListSelection {
  if (isOrdered(list)) return positions(list, starts, start, count)
  const marks = borrow(list.count).fill(0, 0, list.count)
  for (let rank = start; rank < start + count; rank++) marks[order[rank]!] = 1
  return { list, starts, ordered: false, kind: 'rank-range', start, count, marks, runs: [], order }
}

/** One pass over an unordered list: counts what lies below `begin` and marks what lies in the interval. */
function scan(
  list: Collection,
  starts: Uint32Array,
  call: CollectionCall,
  begin: number,
  end: number,
): ListSelection {
  const exact = call.code === 22 || call.code === 35
  const marks = borrow(list.count)
  let below = 0
  let count = 0
  for (let i = 0; i < list.count; i++) {
    const low = compareItems(list.buffer, starts[i]!, call.buffer, begin)
    if (low < 0) below++
    const inside = exact
      ? low === 0
      : low >= 0 && (end < 0 || compareItems(list.buffer, starts[i]!, call.buffer, end) < 0)
    marks[i] = inside ? 1 : 0
    if (inside) count++
  }
  const base = { list, starts, ordered: false, marks, runs: [], order: undefined }
  return { ...base, kind: 'value-ranks', start: below, count }
}
