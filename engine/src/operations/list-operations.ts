import type { Collection } from '../values/collection.ts'
import { compareItems } from '../values/item-order.ts'
import { skipItem } from '../values/msgpack-item.ts'
import type { Particle } from '../values/particle.ts'
import { expectArguments, integerArgument, notApplicable, returnTypeArgument } from './collection-call.ts'
import type { CollectionCall } from './collection-call.ts'
import type { Outcome } from './collection-edit.ts'
import { emptyCollection, keepMarked, splice, unchanged } from './collection-edit.ts'
import { positionWithin, rangeWithin } from './collection-range.ts'
import { answer, boolParticle, integerParticle, itemParticle, itemParticleAt } from './collection-result.ts'
import { ReturnType } from '../protocol/return-type.ts'
import { elementStarts, lowerBound, ranksOf, sharedRanksOf, valueOrder } from './collection-table.ts'
import { listAnswer } from './list-answer.ts'
import type { ListSelection } from './list-selection.ts'
import {
  isOrdered,
  selectByValue,
  selectIndexRange,
  selectInterval,
  selectRankRange,
  selectRelativeRanks,
  selectValueList,
} from './list-selection.ts'
import {
  appendItems,
  appendValue,
  elementAt,
  incrementElement,
  insertItems,
  insertValue,
  listOrderFlags,
  setListOrder,
  setValue,
  sortElements,
} from './list-write.ts'

/** The list calls, by code: how many arguments each takes and what it does. */
interface ListRead {
  readonly least: number
  readonly most: number
  read(list: Collection, call: CollectionCall): Particle | undefined
}

interface ListWrite {
  readonly least: number
  readonly most: number
  /** Place of the order attributes among the arguments, for calls that create their list; -1: always unordered. */
  readonly creates?: number
  write(list: Collection, call: CollectionCall): Outcome
}

type Select = (list: Collection, call: CollectionCall) => ListSelection
type Position = (list: Collection, starts: Uint32Array, call: CollectionCall) => number

const ANY_NUMBER = Infinity

const LIST_READS: Record<number, ListRead> = {
  16: { least: 0, most: ANY_NUMBER, read: (list) => integerParticle(list.count) },
  17: { least: 1, most: 1, read: getElement },
  18: { least: 1, most: 2, read: getRange },
  19: { least: 2, most: 2, read: (list, call) => readElement(list, call, byIndex) },
  20: { least: 2, most: 2, read: (list, call) => readElement(list, call, byValue) },
  21: { least: 2, most: 2, read: (list, call) => readElement(list, call, byRank) },
  22: readMany(2, 2, selectByValue),
  23: readMany(2, 2, selectValueList),
  24: readMany(2, 3, selectIndexRange),
  25: readMany(2, 3, selectInterval),
  26: readMany(2, 3, selectRankRange),
  27: readMany(3, 4, selectRelativeRanks),
}

const LIST_WRITES: Record<number, ListWrite> = {
  0: { least: 1, most: 1, creates: 0, write: setListOrder },
  1: { least: 1, most: 3, creates: 1, write: appendValue },
  2: { least: 1, most: 3, creates: 1, write: appendItems },
  3: { least: 2, most: 3, creates: -1, write: insertValue },
  4: { least: 2, most: 3, creates: -1, write: insertItems },
  5: { least: 1, most: 1, write: popElement },
  6: { least: 1, most: 2, write: (list, call) => removeRange(list, call, true) },
  7: { least: 1, most: 1, write: removeElement },
  8: { least: 1, most: 2, write: (list, call) => removeRange(list, call, false) },
  9: { least: 2, most: 3, creates: -1, write: setValue },
  10: { least: 2, most: 2, write: trim },
  11: { least: 0, most: ANY_NUMBER, write: clear },
  12: { least: 1, most: 4, creates: 2, write: incrementElement },
  13: { least: 0, most: 1, write: sortElements },
  32: { least: 2, most: 2, write: (list, call) => takeElement(list, call, byIndex) },
  33: { least: 2, most: 2, write: (list, call) => takeElement(list, call, byValue) },
  34: { least: 2, most: 2, write: (list, call) => takeElement(list, call, byRank) },
  35: takeMany(2, 2, selectByValue),
  36: takeMany(2, 2, selectValueList),
  37: takeMany(2, 3, selectIndexRange),
  38: takeMany(2, 3, selectInterval),
  39: takeMany(2, 3, selectRankRange),
  40: takeMany(3, 4, selectRelativeRanks),
}

export function isListRead(code: number): boolean {
  return LIST_READS[code] !== undefined
}

export function isListWrite(code: number): boolean {
  return LIST_WRITES[code] !== undefined
}

export function readList(list: Collection, call: CollectionCall): Particle | undefined {
  const read = LIST_READS[call.code]!
  expectArguments(call, read.least, read.most)
  return read.read(list, call)
}

export function writeList(list: Collection, call: CollectionCall): Outcome {
  const write = LIST_WRITES[call.code]!
  expectArguments(call, write.least, write.most)
  return write.write(list, call)
}

/** The empty list that a creating call starts from, or undefined for calls that create nothing. */
export function newListFor(call: CollectionCall): Collection | undefined {
  const { creates } = LIST_WRITES[call.code]!
  if (creates === undefined) return undefined
  const attributes = creates < 0 || call.count <= creates ? 0 : integerArgument(call, creates)
  return emptyCollection(false, listOrderFlags(attributes))
}

function readMany(least: number, most: number, select: Select): ListRead {
  return { least, most, read: (list, call) => listAnswer(select(list, call), returnTypeArgument(call)) }
}

function takeMany(least: number, most: number, select: Select): ListWrite {
  const write = (list: Collection, call: CollectionCall): Outcome => {
    const returnType = returnTypeArgument(call)
    const selection = select(list, call)
    const result = listAnswer(selection, returnType)
    const inverted = (returnType & ReturnType.INVERTED) !== 0
    const removed = inverted ? list.count - selection.count : selection.count
    if (removed === 0) return unchanged(result)
    return { result, changed: keepMarked(list, selection.starts, selection.marks, inverted ? 1 : 0) }
  }
  return { least, most, write }
}

function getElement(list: Collection, call: CollectionCall): Particle | undefined {
  const position = positionWithin(integerArgument(call, 0), list.count)
  if (position < 0) notApplicable('no element there')
  return itemParticleAt(list.buffer, elementAt(list, position), list.end)
}

function getRange(list: Collection, call: CollectionCall): Particle {
  const { start, count } = rangeWithin(integerArgument(call, 0), integerArgument(call, 1, -1), list.count)
  const from = elementAt(list, start)
  let to = from
  for (let i = 0; i < count; i++) to = skipItem(list.buffer, to, list.end)
  answer.begin().items(list.buffer, from, to, count)
  return answer.list()
}

function byIndex(list: Collection, _starts: Uint32Array, call: CollectionCall): number {
  const position = positionWithin(integerArgument(call, 1), list.count)
  return position < 0 ? notApplicable('no element there') : position
}

function byRank(list: Collection, starts: Uint32Array, call: CollectionCall): number {
  const rank = positionWithin(integerArgument(call, 1), list.count)
  return rank < 0 ? notApplicable('no element of that rank') : valueOrder(list, starts)[rank]!
}

/** The first element that equals the value; -1 when there is none. */
function byValue(list: Collection, starts: Uint32Array, call: CollectionCall): number {
  const at = call.starts[1]!
  if (isOrdered(list)) {
    const place = lowerBound(list, starts, valueOrder(list, starts), call.buffer, at)
    return place < list.count && compareItems(list.buffer, starts[place]!, call.buffer, at) === 0 ? place : -1
  }
  for (let i = 0; i < list.count; i++) {
    if (compareItems(list.buffer, starts[i]!, call.buffer, at) === 0) return i
  }
  return -1
}

function readElement(list: Collection, call: CollectionCall, find: Position): Particle | undefined {
  const returnType = returnTypeArgument(call)
  const starts = elementStarts(list)
  return elementAnswer(list, starts, find(list, starts, call), returnType, find === byRank)
}

function takeElement(list: Collection, call: CollectionCall, find: Position): Outcome {
  const returnType = returnTypeArgument(call)
  const starts = elementStarts(list)
  const position = find(list, starts, call)
  const result = elementAnswer(list, starts, position, returnType, find === byRank)
  if (position < 0) return unchanged(result)
  return { result, changed: removed(list, starts[position]!, starts[position + 1]!, 1) }
}

/** Asked for by rank, an element answers that very rank; otherwise equal elements share the lowest. */
function elementAnswer(
  list: Collection,
  starts: Uint32Array,
  position: number,
  returnType: number,
  exactRank: boolean,
): Particle | undefined {
  const last = list.count - 1
  const missing = position < 0
  switch (returnType) {
    case ReturnType.NONE:
      return undefined
    case ReturnType.INDEX:
      return integerParticle(position)
    case ReturnType.REVERSE_INDEX:
      return integerParticle(missing ? -1 : last - position)
    case ReturnType.RANK:
    case ReturnType.REVERSE_RANK: {
      if (missing) return integerParticle(-1)
      const rank = rankAt(list, starts, position, exactRank)
      return integerParticle(returnType === ReturnType.RANK ? rank : last - rank)
    }
    case ReturnType.COUNT:
      return integerParticle(missing ? 0 : 1)
    case ReturnType.VALUE:
      return missing ? undefined : itemParticle(list.buffer, starts[position]!, starts[position + 1]!)
    case ReturnType.EXISTS:
      return boolParticle(!missing)
    case ReturnType.INDEX_RANGE:
    case ReturnType.REVERSE_INDEX_RANGE:
      return singleRun(returnType === ReturnType.INDEX_RANGE ? position : last - position)
    case ReturnType.RANK_RANGE:
    case ReturnType.REVERSE_RANK_RANGE: {
      if (!exactRank) notApplicable('not one run of ranks')
      const rank = rankAt(list, starts, position, true)
      return singleRun(returnType === ReturnType.RANK_RANGE ? rank : last - rank)
    }
    default:
      return notApplicable(`return type ${returnType}`)
  }
}

function singleRun(start: number): Particle {
  answer.begin().integer(start)
  answer.integer(1)
  return answer.list()
}

function rankAt(list: Collection, starts: Uint32Array, position: number, exact: boolean): number {
  if (isOrdered(list)) return position
  const order = valueOrder(list, starts)
  return (exact ? ranksOf(order, list.count) : sharedRanksOf(list, starts, order))[position]!
}

const NO_BYTES = { buffer: Buffer.alloc(0), start: 0, end: 0 }

function removed(list: Collection, from: number, to: number, count: number): Buffer {
  return splice(list, from, to, NO_BYTES, -count)
}

function popElement(list: Collection, call: CollectionCall): Outcome {
  const position = positionWithin(integerArgument(call, 0), list.count)
  if (position < 0) notApplicable('no element there')
  const at = elementAt(list, position)
  const behind = skipItem(list.buffer, at, list.end)
  return { result: itemParticle(list.buffer, at, behind), changed: removed(list, at, behind, 1) }
}

function removeElement(list: Collection, call: CollectionCall): Outcome {
  return { result: integerParticle(1), changed: popElement(list, call).changed }
}

function removeRange(list: Collection, call: CollectionCall, pop: boolean): Outcome {
  const { start, count } = rangeWithin(integerArgument(call, 0), integerArgument(call, 1, -1), list.count)
  const from = elementAt(list, start)
  let to = from
  for (let i = 0; i < count; i++) to = skipItem(list.buffer, to, list.end)
  if (pop) answer.begin().items(list.buffer, from, to, count)
  const result = pop ? answer.list() : integerParticle(count)
  return count === 0 ? unchanged(result) : { result, changed: removed(list, from, to, count) }
}

/** Keeps a range; answers how many elements went. */
function trim(list: Collection, call: CollectionCall): Outcome {
  const { start, count } = rangeWithin(integerArgument(call, 0), integerArgument(call, 1), list.count)
  const result = integerParticle(list.count - count)
  if (count === list.count) return unchanged(result)
  const from = elementAt(list, start)
  let to = from
  for (let i = 0; i < count; i++) to = skipItem(list.buffer, to, list.end)
  const kept = { buffer: list.buffer, start: from, end: to }
  return { result, changed: splice(list, list.first, list.end, kept, count - list.count) }
}

function clear(list: Collection): Outcome {
  if (list.count === 0) return unchanged(undefined)
  return { result: undefined, changed: removed(list, list.first, list.end, list.count) }
}
