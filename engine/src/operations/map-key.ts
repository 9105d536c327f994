import type { Collection } from '../values/collection.ts'
import { compareItems } from '../values/item-order.ts'
import { skipItem } from '../values/msgpack-item.ts'

/** Where a key of a map is, or where it would go. */
export interface KeyPlace {
  readonly found: boolean
  readonly index: number
  /** Start of the key, or of the pair in front of which it belongs. */
  readonly key: number
  readonly value: number
  readonly end: number
}

/** Looks a key up by walking over the pairs, which lie sorted, up to the first key that is not below it. */
export function findKey(map: Collection, buffer: Buffer, at: number): KeyPlace {
  let key = map.first
  for (let index = 0; index < map.count; index++) {
    const order = compareItems(map.buffer, key, buffer, at)
    if (order > 0) return { found: false, index, key, value: key, end: key }
    const value = skipItem(map.buffer, key, map.end)
    const end = skipItem(map.buffer, value, map.end)
    if (order === 0) return { found: true, index, key, value, end }
    key = end
  }
  return { found: false, index: map.count, key, value: key, end: key }
}

/** Number of keys below the item at `at`. */
export function keysBelow(map: Collection, starts: Uint32Array, buffer: Buffer, at: number): number {
  let low = 0
  let high = map.count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareItems(map.buffer, starts[2 * middle]!, buffer, at) < 0) low = middle + 1
    else high = middle
  }
  return low
}
