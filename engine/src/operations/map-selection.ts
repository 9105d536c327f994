import type { Collection } from '../values/collection.ts'
import { compareItems } from '../values/item-order.ts'
import type { CollectionCall } from './collection-call.ts'
import { integerArgument } from './collection-call.ts'
import { absoluteRange, rangeWithin } from './collection-range.ts'
import { borrow, elementStarts, lowerBound, upperBound, valueOrder } from './collection-table.ts'
import { listArgument } from './list-selection.ts'
import { keysBelow } from './map-key.ts'

/**
 * Which pairs of a map a call means: a run of indexes (key order), a run of ranks (order of values, ties by key)
 * found by value or by rank, or those of a list of keys or values.
 */
export interface MapSelection {
  readonly map: Collection
  readonly starts: Uint32Array
  readonly kind: 'indexes' | 'value-ranks' | 'rank-range' | 'keys' | 'values'
  /** The call looked for keys (103, 109), not for indexes. */
  readonly byKey: 'interval' | 'relative' | undefined
  /** Run of indexes or ranks. */
  readonly start: number
  /** How many pairs are meant. */
  readonly count: number
  /** 1 for each pair that is meant, by index. */
  readonly marks: Uint32Array
  /** Pairs (first rank, count) for each searched value; (index, 1) for each key that was found. */
  readonly runs: readonly number[]
  /** Value order, where it had to be found. */
  readonly order: Uint32Array | undefined
}

export function selectIndexes(map: Collection, call: CollectionCall): MapSelection {
  const { start, count } = rangeWithin(integerArgument(call, 1), integerArgument(call, 2, -1), map.count)
  return indexes(map, elementStarts(map), start, count)
}

export function selectKeyInterval(map: Collection, call: CollectionCall): MapSelection {
  const starts = elementStarts(map)
  const low = keysBelow(map, starts, call.buffer, call.starts[1]!)
  const high = call.count > 2 ? keysBelow(map, starts, call.buffer, call.starts[2]!) : map.count
  return indexes(map, starts, low, Math.max(0, high - low), 'interval')
}

export function selectRelativeIndexes(map: Collection, call: CollectionCall): MapSelection {
  const offset = integerArgument(call, 2)
  const wanted = integerArgument(call, 3, -1)
  const starts = elementStarts(map)
  const index = keysBelow(map, starts, call.buffer, call.starts[1]!) + offset
  const { start, count } = absoluteRange(index, wanted, map.count)
  return indexes(map, starts, start, count, 'relative')
}

export function selectMapValue(map: Collection, call: CollectionCall): MapSelection {
  return scan(map, call, undefined)
}

/** begin <= value < end; no end means no upper limit. */
export function selectValueInterval(map: Collection, call: CollectionCall): MapSelection {
  return scan(map, call, call.count > 2 ? call.starts[2]! : -1)
}

export function selectRanks(map: Collection, call: CollectionCall): MapSelection {
  const { start, count } = rangeWithin(integerArgument(call, 1), integerArgument(call, 2, -1), map.count)
  const starts = elementStarts(map)
  return ranks(map, starts, valueOrder(map, starts), start, count)
}

export function selectMapRelativeRanks(map: Collection, call: CollectionCall): MapSelection {
  const offset = integerArgument(call, 2)
  const wanted = integerArgument(call, 3, -1)
  const starts = elementStarts(map)
  const order = valueOrder(map, starts)
  const rank = lowerBound(map, starts, order, call.buffer, call.starts[1]!) + offset
  const { start, count } = absoluteRange(rank, wanted, map.count)
  return ranks(map, starts, order, start, count)
}

export function selectKeyList(map: Collection, call: CollectionCall): MapSelection {
  const wanted = listArgument(call, 1)
  const keys = elementStarts(wanted)
  const starts = elementStarts(map)
  const marks = noMarks(map)
  const ordered = (map.flags & 1) !== 0
  const runs: number[] = []
  let count = 0
  for (let i = 0; i < wanted.count; i++) {
    const index = keysBelow(map, starts, call.buffer, keys[i]!)
    const at = starts[2 * index]!
    if (index === map.count || compareItems(map.buffer, at, call.buffer, keys[i]!) !== 0) continue
    const repeated = marks[index] !== 0
    if (ordered || !repeated) runs.push(index, 1)
    if (!repeated) count++
    marks[index] = 1
  }
  return base(map, starts, 'keys', { count, marks, runs })
}

export function selectMapValueList(map: Collection, call: CollectionCall): MapSelection {
  const wanted = listArgument(call, 1)
  const values = elementStarts(wanted)
  const starts = elementStarts(map)
  const order = valueOrder(map, starts)
  const marks = noMarks(map)
  const runs: number[] = []
  let count = 0
  for (let i = 0; i < wanted.count; i++) {
    const low = lowerBound(map, starts, order, call.buffer, values[i]!)
    const high = upperBound(map, starts, order, call.buffer, values[i]!)
    if (high > low && marks[order[low]!] !== 0) continue
    runs.push(low, high - low)
    count += high - low
    for (let rank = low; rank < high; rank++) marks[order[rank]!] = 1
  }
  return base(map, starts, 'values', { count, marks, runs, order })
}

function base(
  map: Collection,
  starts: Uint32Array,
  kind: MapSelection['kind'],
  found: Partial<MapSelection> & Pick<MapSelection, 'count' | 'marks'>,
): MapSelection {
  return { map, starts, kind, byKey: undefined, start: 0, runs: [], order: undefined, ...found }
}

function noMarks(map: Collection): Uint32Array {
  return borrow(map.count).fill(0, 0, map.count)
}

function indexes(
  map: Collection,
  starts: Uint32Array,
  start: number,
  count: number,
  byKey?: MapSelection['byKey'],
): MapSelection {
  const marks = noMarks(map).fill(1, start, start + count)
  return base(map, starts, 'indexes', { byKey, start, count, marks })
}

function ranks(
  map: Collection,
  starts: Uint32Array,
  order: Uint32Array,
  start: number,
  count: number,
): MapSelection {
  const marks = noMarks(map)
  for (let rank = start; rank < start + count; rank++) marks[order[rank]!] = 1
  return base(map, starts, 'rank-range', { start, count, marks, order })
}

/** One pass over the values: counts those below `begin`, marks those equal to it (no `end`) or in the interval. */
function scan(map: Collection, call: CollectionCall, end: number | undefined): MapSelection {
  const starts = elementStarts(map)
  const begin = call.starts[1]!
  const marks = borrow(map.count)
  let start = 0
  let count = 0
  for (let i = 0; i < map.count; i++) {
    const at = starts[2 * i + 1]!
    const low = compareItems(map.buffer, at, call.buffer, begin)
    if (low < 0) start++
    let inside = end === undefined ? low === 0 : low >= 0
    if (inside && end !== undefined && end >= 0) {
      inside = compareItems(map.buffer, at, call.buffer, end) < 0
    }
    marks[i] = inside ? 1 : 0
    if (inside) count++
  }
  return base(map, starts, 'value-ranks', { start, count, marks })
}
