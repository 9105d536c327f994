import type { Collection } from '../values/collection.ts'
import { compareItems } from '../values/item-order.ts'
import { skipItem } from '../values/msgpack-item.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'

/**
 * Tables over a collection: where its elements start, and in which order their values lie. They live in arrays
 * that are borrowed and given back in stack order, so that a call allocates none; a call inside a call (an
 * expression in a path) simply borrows further ones.
 */

const pool: Uint32Array[] = []
let used = 0
/** Larger arrays are dropped after use, so that one huge collection does not hold memory for ever. */
const KEPT_LENGTH = 128 * 1024

/** An array of at least `length` numbers with any content. */
export function borrow(length: number): Uint32Array {
  let array = pool[used]
  if (array === undefined || array.length < length) {
    array = new Uint32Array(Math.max(256, length + (length >> 1)))
    pool[used] = array
  }
  used++
  return array
}

/** Runs `work` and gives back all that it borrowed. */
export function withTables<Result>(work: () => Result): Result {
  const mark = used
  try {
    return work()
  } finally {
    for (let i = mark; i < used; i++) if (pool[i]!.length > KEPT_LENGTH) pool[i] = new Uint32Array(256)
    used = mark
  }
}

/**
 * Start of each element, and the end of the last. A map has two entries a pair: key of pair i at 2i, value at
 * 2i + 1.
 */
export function elementStarts(collection: Collection): Uint32Array {
  const { buffer, end } = collection
  const items = collection.isMap ? 2 * collection.count : collection.count
  if (items > end - collection.first) throw new ResultError(ResultCode.PARAMETER, 'collection cut short')
  const starts = borrow(items + 1)
  let at = collection.first
  for (let i = 0; i < items; i++) {
    starts[i] = at
    at = skipItem(buffer, at, end)
    if (at < 0) throw new ResultError(ResultCode.PARAMETER, 'collection cut short')
  }
  starts[items] = at
  return starts
}

/** Offset of the value of element `index`: the element of a list, the second half of a pair. */
export function valueStart(collection: Collection, starts: Uint32Array, index: number): number {
  return collection.isMap ? starts[2 * index + 1]! : starts[index]!
}

/** Indexes of the elements sorted by value; equal values keep the order in which they stand. */
export function valueOrder(collection: Collection, starts: Uint32Array): Uint32Array {
  const { buffer, count, isMap } = collection
  const order = borrow(count)
  for (let i = 0; i < count; i++) order[i] = i
  if (!isMap && (collection.flags & 1) !== 0) return order
  const at = (index: number) => (isMap ? starts[2 * index + 1]! : starts[index]!)
  let sorted = true
  for (let i = 1; i < count && sorted; i++) sorted = compareItems(buffer, at(i - 1), buffer, at(i)) <= 0
  if (!sorted) order.subarray(0, count).sort((a, b) => compareItems(buffer, at(a), buffer, at(b)) || a - b)
  return order
}

/** Ranks by index: the inverse of `order`. */
export function ranksOf(order: Uint32Array, count: number): Uint32Array {
  const ranks = borrow(count)
  for (let rank = 0; rank < count; rank++) ranks[order[rank]!] = rank
  return ranks
}

/** Like `ranksOf`, but equal values share the lowest of their ranks. */
export function sharedRanksOf(collection: Collection, starts: Uint32Array, order: Uint32Array): Uint32Array {
  const { buffer, count } = collection
  const ranks = borrow(count)
  let low = 0
  for (let rank = 0; rank < count; rank++) {
    const at = valueStart(collection, starts, order[rank]!)
    if (
      rank > 0 &&
      compareItems(buffer, valueStart(collection, starts, order[rank - 1]!), buffer, at) !== 0
    ) {
      low = rank
    }
    ranks[order[rank]!] = low
  }
  return ranks
}

/** First place in the value order whose value is not below the item at `at`. */
export function lowerBound(
  collection: Collection,
  starts: Uint32Array,
  order: Uint32Array,
  buffer: Buffer,
  at: number,
): number {
  let low = 0
  let high = collection.count
  while (low < high) {
    const middle = (low + high) >>> 1
    const value = valueStart(collection, starts, order[middle]!)
    if (compareItems(collection.buffer, value, buffer, at) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** First place in the value order whose value is above the item at `at`. */
export function upperBound(
  collection: Collection,
  starts: Uint32Array,
  order: Uint32Array,
  buffer: Buffer,
  at: number,
): number {
  let low = 0
  let high = collection.count
  while (low < high) {
    const middle = (low + high) >>> 1
    const value = valueStart(collection, starts, order[middle]!)
    if (compareItems(collection.buffer, value, buffer, at) <= 0) low = middle + 1
    else high = middle
  }
  return low
}
