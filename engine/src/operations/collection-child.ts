import type { Collection } from '../values/collection.ts'
import { compareItems } from '../values/item-order.ts'
import { integerItem, skipItem } from '../values/msgpack-item.ts'
import type { PathItem } from './collection-call.ts'
import { notApplicable } from './collection-call.ts'
import { positionWithin } from './collection-range.ts'
import { elementStarts, valueOrder, valueStart } from './collection-table.ts'
import { findKey } from './map-key.ts'

/** Path types without their create flags. */
export const PathType = {
  LIST_INDEX: 0x10,
  LIST_RANK: 0x11,
  LIST_VALUE: 0x13,
  MAP_INDEX: 0x20,
  MAP_RANK: 0x21,
  MAP_KEY: 0x22,
  MAP_VALUE: 0x23,
} as const

const MAP_BIT = 0x20

/** The type without create flags and the bits above; 0 means an index of a list. */
export function pathType(item: PathItem): number {
  return item.type & 0x3f || PathType.LIST_INDEX
}

/** Whether finding the child means looking at every element: by rank or by value. */
export function searchesAll(item: PathItem): boolean {
  return (item.type & 0x01) !== 0
}

/** Start of the value that a path item names inside `parent`, or -1. Throws 26 for an item that does not fit. */
export function childAt(parent: Collection, item: PathItem, buffer: Buffer): number {
  const type = pathType(item)
  if (parent.isMap !== ((type & MAP_BIT) !== 0)) notApplicable('a path item of the other kind')
  switch (type) {
    case PathType.LIST_INDEX:
    case PathType.MAP_INDEX:
      return elementStart(parent, positionWithin(integerValue(item, buffer), parent.count))
    case PathType.LIST_RANK:
    case PathType.MAP_RANK:
      return ranked(parent, positionWithin(integerValue(item, buffer), parent.count))
    case PathType.LIST_VALUE:
    case PathType.MAP_VALUE:
      return firstEqual(parent, item, buffer)
    case PathType.MAP_KEY: {
      const place = findKey(parent, buffer, item.value)
      return place.found ? place.value : -1
    }
    default:
      return notApplicable(`path type ${item.type}`)
  }
}

/** An index or rank; what is no integer can be found nowhere. */
export function integerValue(item: PathItem, buffer: Buffer): number {
  const value = integerItem(buffer, item.value)
  return Number.isNaN(value) ? notApplicable('an index is an integer') : value
}

function elementStart(parent: Collection, position: number): number {
  if (position < 0) return -1
  let at = parent.first
  const items = parent.isMap ? 2 * position + 1 : position
  for (let i = 0; i < items; i++) at = skipItem(parent.buffer, at, parent.end)
  return at
}

function ranked(parent: Collection, rank: number): number {
  if (rank < 0) return -1
  const starts = elementStarts(parent)
  return valueStart(parent, starts, valueOrder(parent, starts)[rank]!)
}

function firstEqual(parent: Collection, item: PathItem, buffer: Buffer): number {
  let at = parent.first
  for (let i = 0; i < parent.count; i++) {
    if (parent.isMap) at = skipItem(parent.buffer, at, parent.end)
    if (compareItems(parent.buffer, at, buffer, item.value) === 0) return at
    at = skipItem(parent.buffer, at, parent.end)
  }
  return -1
}
