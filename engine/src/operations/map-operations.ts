import type { Collection } from '../values/collection.ts'
import { compareItems } from '../values/item-order.ts'
import type { Particle } from '../values/particle.ts'
import { skipItem } from '../values/msgpack-item.ts'
import type { CollectionCall } from './collection-call.ts'
import { expectArguments, integerArgument, notApplicable, returnTypeArgument } from './collection-call.ts'
import type { Outcome } from './collection-edit.ts'
import { emptyCollection, keepMarked, NOTHING, splice, unchanged } from './collection-edit.ts'
import { positionWithin } from './collection-range.ts'
import { answer, boolParticle, integerParticle, itemParticle } from './collection-result.ts'
import { ReturnType } from '../protocol/return-type.ts'
import { elementStarts, ranksOf, valueOrder } from './collection-table.ts'
import { mapAnswer, mapFlags } from './map-answer.ts'
import type { KeyPlace } from './map-key.ts'
import { findKey } from './map-key.ts'
import type { MapSelection } from './map-selection.ts'
import {
  selectIndexes,
  selectKeyInterval,
  selectKeyList,
  selectMapRelativeRanks,
  selectMapValue,
  selectMapValueList,
  selectRanks,
  selectRelativeIndexes,
  selectValueInterval,
} from './map-selection.ts'
import {
  CREATE_ONLY,
  incrementValue,
  mapOrderFlags,
  putItems,
  putValue,
  setMapOrder,
  UPDATE_ONLY,
} from './map-write.ts'

/** The map calls, by code: how many arguments each takes and what it does. */
interface MapRead {
  readonly least: number
  readonly most: number
  read(map: Collection, call: CollectionCall): Particle | undefined
}

interface MapWrite {
  readonly least: number
  readonly most: number
  /** Place of the order attributes among the arguments, for calls that create their map. */
  readonly creates?: number
  write(map: Collection, call: CollectionCall): Outcome
}

type Select = (map: Collection, call: CollectionCall) => MapSelection
type Find = (map: Collection, call: CollectionCall) => KeyPlace

const ANY_NUMBER = Infinity
const REPLACE = 69
const REPLACE_ITEMS = 70

const MAP_READS: Record<number, MapRead> = {
  96: { least: 0, most: ANY_NUMBER, read: (map) => integerParticle(map.count) },
  97: readOne(findByKey),
  98: readOne(findByIndex),
  99: readOne(findByValue),
  100: readOne(findByRank),
  102: readMany(2, 2, selectMapValue),
  103: readMany(2, 3, selectKeyInterval),
  104: readMany(2, 3, selectIndexes),
  105: readMany(2, 3, selectValueInterval),
  106: readMany(2, 3, selectRanks),
  107: readMany(2, 2, selectKeyList),
  108: readMany(2, 2, selectMapValueList),
  109: readMany(3, 4, selectRelativeIndexes),
  110: readMany(3, 4, selectMapRelativeRanks),
}

const MAP_WRITES: Record<number, MapWrite> = {
  64: { least: 1, most: 1, creates: 0, write: setMapOrder },
  65: { least: 2, most: 3, creates: 2, write: (map, call) => putValue(map, call, CREATE_ONLY) },
  66: { least: 1, most: 2, creates: 1, write: (map, call) => putItems(map, call, CREATE_ONLY) },
  67: {
    least: 2,
    most: 4,
    creates: 2,
    write: (map, call) => putValue(map, call, integerArgument(call, 3, 0)),
  },
  68: {
    least: 1,
    most: 3,
    creates: 1,
    write: (map, call) => putItems(map, call, integerArgument(call, 2, 0)),
  },
  69: { least: 2, most: 2, write: (map, call) => putValue(map, call, UPDATE_ONLY) },
  70: { least: 1, most: 1, write: (map, call) => putItems(map, call, UPDATE_ONLY) },
  73: { least: 1, most: 3, creates: 2, write: (map, call) => incrementValue(map, call, 1) },
  74: { least: 1, most: 3, creates: 2, write: (map, call) => incrementValue(map, call, -1) },
  75: { least: 0, most: ANY_NUMBER, write: clear },
  76: takeOne(findByKey),
  77: takeOne(findByIndex),
  78: takeOne(findByValue),
  79: takeOne(findByRank),
  81: takeMany(2, 2, selectKeyList),
  82: takeMany(2, 2, selectMapValue),
  83: takeMany(2, 2, selectMapValueList),
  84: takeMany(2, 3, selectKeyInterval),
  85: takeMany(2, 3, selectIndexes),
  86: takeMany(2, 3, selectValueInterval),
  87: takeMany(2, 3, selectRanks),
  88: takeMany(3, 4, selectRelativeIndexes),
  89: takeMany(3, 4, selectMapRelativeRanks),
}

export function isMapRead(code: number): boolean {
  return MAP_READS[code] !== undefined
}

export function isMapWrite(code: number): boolean {
  return MAP_WRITES[code] !== undefined
}

/** Calls that change only what is there, and say so when it is not. */
export function isUpdateOnly(code: number): boolean {
  return code === REPLACE || code === REPLACE_ITEMS
}

export function readMap(map: Collection, call: CollectionCall): Particle | undefined {
  const read = MAP_READS[call.code]!
  expectArguments(call, read.least, read.most)
  return read.read(map, call)
}

export function writeMap(map: Collection, call: CollectionCall): Outcome {
  const write = MAP_WRITES[call.code]!
  expectArguments(call, write.least, write.most)
  return write.write(map, call)
}

/** Checks the number of arguments of a modifying call. */
export function expectMapArguments(call: CollectionCall): void {
  const write = MAP_WRITES[call.code]!
  expectArguments(call, write.least, write.most)
}

/** The empty map that a creating call starts from, or undefined for calls that create nothing. */
export function newMapFor(call: CollectionCall): Collection | undefined {
  const { creates } = MAP_WRITES[call.code]!
  if (creates === undefined) return undefined
  const attributes = call.count <= creates ? 0 : integerArgument(call, creates)
  return emptyCollection(true, mapOrderFlags(attributes))
}

function readMany(least: number, most: number, select: Select): MapRead {
  return { least, most, read: (map, call) => mapAnswer(select(map, call), returnTypeArgument(call)) }
}

function takeMany(least: number, most: number, select: Select): MapWrite {
  const write = (map: Collection, call: CollectionCall): Outcome => {
    const returnType = returnTypeArgument(call)
    const selection = select(map, call)
    const result = mapAnswer(selection, returnType)
    const inverted = (returnType & ReturnType.INVERTED) !== 0
    const removed = inverted ? map.count - selection.count : selection.count
    if (removed === 0) return unchanged(result)
    return { result, changed: keepMarked(map, selection.starts, selection.marks, inverted ? 1 : 0) }
  }
  return { least, most, write }
}

function readOne(find: Find): MapRead {
  const read = (map: Collection, call: CollectionCall) =>
    pairAnswer(map, find(map, call), returnTypeArgument(call), {
      byRank: find === findByRank,
      byKey: find === findByKey,
    })
  return { least: 2, most: 2, read }
}

function takeOne(find: Find): MapWrite {
  const write = (map: Collection, call: CollectionCall): Outcome => {
    const place = find(map, call)
    const result = pairAnswer(map, place, returnTypeArgument(call), {
      byRank: find === findByRank,
      byKey: find === findByKey,
    })
    if (!place.found) return unchanged(result)
    return { result, changed: splice(map, place.key, place.end, NOTHING, -1) }
  }
  return { least: 2, most: 2, write }
}

function findByKey(map: Collection, call: CollectionCall): KeyPlace {
  return findKey(map, call.buffer, call.starts[1]!)
}

function findByIndex(map: Collection, call: CollectionCall): KeyPlace {
  const index = positionWithin(integerArgument(call, 1), map.count)
  if (index < 0) notApplicable('no pair there')
  let key = map.first
  for (let i = 0; i < 2 * index; i++) key = skipItem(map.buffer, key, map.end)
  return placeAt(map, index, key)
}

function findByRank(map: Collection, call: CollectionCall): KeyPlace {
  const rank = positionWithin(integerArgument(call, 1), map.count)
  if (rank < 0) notApplicable('no pair of that rank')
  const starts = elementStarts(map)
  const index = valueOrder(map, starts)[rank]!
  return placeAt(map, index, starts[2 * index]!)
}

/** The first pair, in key order, that has the value. */
function findByValue(map: Collection, call: CollectionCall): KeyPlace {
  let key = map.first
  for (let index = 0; index < map.count; index++) {
    const value = skipItem(map.buffer, key, map.end)
    if (compareItems(map.buffer, value, call.buffer, call.starts[1]!) === 0) return placeAt(map, index, key)
    key = skipItem(map.buffer, value, map.end)
  }
  return { found: false, index: map.count, key, value: key, end: key }
}

function placeAt(map: Collection, index: number, key: number): KeyPlace {
  const value = skipItem(map.buffer, key, map.end)
  return { found: true, index, key, value, end: skipItem(map.buffer, value, map.end) }
}

/** What a call on one pair looked it up by, where that shows in the answer. */
interface Sought {
  readonly byRank: boolean
  readonly byKey: boolean
}

function pairAnswer(
  map: Collection,
  place: KeyPlace,
  returnType: number,
  { byRank, byKey }: Sought,
): Particle | undefined {
  const { found, index, key, value, end } = place
  const last = map.count - 1
  const inverted = (returnType & ReturnType.INVERTED) !== 0
  // INVERTED is refused for one pair, but a missing key of an ordered map is answered before that is looked at.
  if (inverted && (found || !byKey || (map.flags & 1) === 0)) notApplicable('INVERTED on one pair')
  switch (returnType & ~ReturnType.INVERTED) {
    case ReturnType.NONE:
      return undefined
    case ReturnType.INDEX:
      return integerParticle(found ? index : -1)
    case ReturnType.REVERSE_INDEX:
      return integerParticle(found ? last - index : -1)
    case ReturnType.RANK:
      return integerParticle(found ? rankOf(map, index) : -1)
    case ReturnType.REVERSE_RANK:
      return integerParticle(found ? last - rankOf(map, index) : -1)
    case ReturnType.COUNT:
      return integerParticle(found ? 1 : 0)
    case ReturnType.KEY:
      return found ? itemParticle(map.buffer, key, value) : undefined
    case ReturnType.VALUE:
      return found ? itemParticle(map.buffer, value, end) : undefined
    case ReturnType.EXISTS:
      return boolParticle(found)
    case ReturnType.KEY_VALUE:
    case ReturnType.UNORDERED_MAP:
    case ReturnType.ORDERED_MAP:
      answer.begin()
      if (found) answer.item(map.buffer, key, end)
      return answer.map(mapFlags(returnType & ~ReturnType.INVERTED))
    default:
      return singleRun(map, place, returnType, byRank)
  }
}

/** [start, 1] of the pair's index, or of its rank where the call went by rank. */
function singleRun(
  map: Collection,
  { found, index }: KeyPlace,
  returnType: number,
  exactRank: boolean,
): Particle {
  const byIndex = returnType === ReturnType.INDEX_RANGE || returnType === ReturnType.REVERSE_INDEX_RANGE
  const byRank = returnType === ReturnType.RANK_RANGE || returnType === ReturnType.REVERSE_RANK_RANGE
  if (!byIndex && !(byRank && exactRank)) notApplicable(`return type ${returnType}`)
  const start = byRank ? rankOf(map, index) : index
  const reverse =
    returnType === ReturnType.REVERSE_INDEX_RANGE || returnType === ReturnType.REVERSE_RANK_RANGE
  answer.begin().integer(reverse ? map.count - 1 - start : start)
  answer.integer(found ? 1 : 0)
  return answer.list()
}

function rankOf(map: Collection, index: number): number {
  const starts = elementStarts(map)
  return ranksOf(valueOrder(map, starts), map.count)[index]!
}

function clear(map: Collection): Outcome {
  if (map.count === 0) return unchanged(undefined)
  return { result: undefined, changed: splice(map, map.first, map.end, NOTHING, -map.count) }
}
