import type { Particle } from '../values/particle.ts'
import { notApplicable } from './collection-call.ts'
import { answer, boolParticle, integerParticle } from './collection-result.ts'
import { ReturnType } from '../protocol/return-type.ts'
import { borrow, ranksOf, valueOrder } from './collection-table.ts'
import type { MapSelection } from './map-selection.ts'

/**
 * What a call on several pairs of a map answers. Pairs come in key order, those of a range of ranks in rank
 * order; the order of the numbers differs with call and return type. The rules are those of the protocol notes,
 * maps, section 3. A "segment" is a run of positions counted from the other end, ascending.
 */
export function mapAnswer(selection: MapSelection, returnType: number): Particle | undefined {
  const inverted = (returnType & ReturnType.INVERTED) !== 0
  const { map, count, kind } = selection
  const type = returnType & ~ReturnType.INVERTED
  switch (type) {
    case ReturnType.NONE:
      return undefined
    case ReturnType.COUNT:
      return integerParticle(inverted ? map.count - count : count)
    case ReturnType.EXISTS:
      return boolParticle(inverted ? othersExist(selection) : count > 0)
    case ReturnType.KEY:
    case ReturnType.VALUE:
    case ReturnType.KEY_VALUE:
    case ReturnType.UNORDERED_MAP:
      return pairs(selection, pairOrder(selection, inverted), type)
    case ReturnType.ORDERED_MAP:
      return pairs(selection, keyOrder(selection, inverted), type)
    case ReturnType.INDEX:
      return indexAnswer(selection, inverted)
    case ReturnType.REVERSE_INDEX:
      return inverted ? otherReverseIndexes(selection) : reverseIndexes(selection)
    case ReturnType.RANK:
    case ReturnType.REVERSE_RANK: {
      if (kind === 'keys') notApplicable('ranks of a list of keys')
      const reverse = type === ReturnType.REVERSE_RANK
      return inverted ? otherRanks(selection, reverse) : selectedRanks(selection, reverse)
    }
    default:
      return runAnswer(selection, returnType)
  }
}

/** INVERTED with EXISTS follows the field's server, which is not always what one would expect. */
function othersExist(selection: MapSelection): boolean {
  const { kind, byKey, map, start, count } = selection
  const size = map.count
  if (kind === 'value-ranks') return count === 0
  const unordered = (map.flags & 1) === 0
  if (byKey === 'interval' && unordered) return count === 0
  if ((kind === 'indexes' && unordered) || kind === 'rank-range') {
    const inside = start > 0 && start + count < size && count > 0
    return !inside && count < size
  }
  return count < size
}

/** [start, count] of a run of indexes or of ranks; the reverse forms count from the other end. */
function runAnswer(selection: MapSelection, returnType: number): Particle {
  const { kind, start, count, map } = selection
  const byIndex = returnType === ReturnType.INDEX_RANGE || returnType === ReturnType.REVERSE_INDEX_RANGE
  const byRank = returnType === ReturnType.RANK_RANGE || returnType === ReturnType.REVERSE_RANK_RANGE
  const isRun = kind === 'indexes' ? byIndex : byRank && (kind === 'value-ranks' || kind === 'rank-range')
  if (!isRun) notApplicable(`return type ${returnType}`)
  const reverse =
    returnType === ReturnType.REVERSE_INDEX_RANGE || returnType === ReturnType.REVERSE_RANK_RANGE
  answer.begin().integer(reverse ? map.count - start - count : start)
  answer.integer(count)
  return answer.list()
}

interface Sequence {
  readonly indexes: Uint32Array
  readonly length: number
}

/** Indexes of the pairs meant (or, inverted, of all others) in key order. */
function keyOrder({ map, marks }: MapSelection, inverted: boolean): Sequence {
  const indexes = borrow(map.count)
  const mark = inverted ? 0 : 1
  let length = 0
  for (let i = 0; i < map.count; i++) if (marks[i] === mark) indexes[length++] = i
  return { indexes, length }
}

/** Ranges of ranks show their pairs in rank order; inverted too, unless two parts are left. */
function pairOrder(selection: MapSelection, inverted: boolean): Sequence {
  const { kind, map, start, count, order, marks } = selection
  const inside = start > 0 && start + count < map.count && count > 0
  if (kind !== 'rank-range' || (inverted && inside)) return keyOrder(selection, inverted)
  const indexes = borrow(map.count)
  const mark = inverted ? 0 : 1
  let length = 0
  for (let rank = 0; rank < map.count; rank++) {
    if (marks[order![rank]!] === mark) indexes[length++] = order![rank]!
  }
  return { indexes, length }
}

function pairs(selection: MapSelection, sequence: Sequence, type: number): Particle {
  const { map, starts } = selection
  answer.begin()
  for (let i = 0; i < sequence.length; i++) {
    const pair = 2 * sequence.indexes[i]!
    const from = type === ReturnType.VALUE ? starts[pair + 1]! : starts[pair]!
    const to = type === ReturnType.KEY ? starts[pair + 1]! : starts[pair + 2]!
    answer.item(map.buffer, from, to)
  }
  if (type === ReturnType.KEY || type === ReturnType.VALUE) return answer.list()
  return answer.map(mapFlags(type))
}

/** Marker of a map that is an answer: 8 asks the reader to keep the order in which the pairs stand. */
export function mapFlags(returnType: number): number {
  if (returnType === ReturnType.KEY_VALUE) return 8
  return returnType === ReturnType.ORDERED_MAP ? 1 : 0
}

function numbers(sequence: Sequence, number: (index: number) => number): Particle {
  answer.begin()
  for (let i = 0; i < sequence.length; i++) answer.integer(number(sequence.indexes[i]!))
  return answer.list()
}

function run(start: number, count: number): Particle {
  return answer.begin().ascending(start, count).list()
}

function indexAnswer(selection: MapSelection, inverted: boolean): Particle {
  if (selection.kind === 'keys' && !inverted) return keyIndexes(selection, false)
  return numbers(pairOrder(selection, inverted), (index) => index)
}

/** Indexes of the keys that were found, in the order in which they were given. */
function keyIndexes({ map, runs }: MapSelection, reverse: boolean): Particle {
  answer.begin()
  for (let i = 0; i < runs.length; i += 2) answer.integer(reverse ? map.count - 1 - runs[i]! : runs[i]!)
  return answer.list()
}

function reverseIndexes(selection: MapSelection): Particle {
  const { kind, map, start, count } = selection
  if (kind === 'indexes') return run(map.count - start - count, count)
  if (kind === 'keys') return keyIndexes(selection, true)
  return numbers(pairOrder(selection, false), (index) => map.count - 1 - index)
}

function otherReverseIndexes(selection: MapSelection): Particle {
  const { kind, map, start, count, byKey } = selection
  const size = map.count
  const unordered = (map.flags & 1) === 0
  if (kind === 'indexes') {
    const whole = count === 0 && !(unordered && byKey === 'interval')
    return whole ? run(0, size) : segmentsAround(size, start, count)
  }
  if (kind === 'keys' && unordered) return remainingSegments(selection)
  if (kind === 'value-ranks' && count === 0) return run(0, size)
  return numbers(pairOrder(selection, true), (index) => size - 1 - index)
}

/** Each run of pairs that are not meant, as a segment. */
function remainingSegments({ map, marks }: MapSelection): Particle {
  const size = map.count
  answer.begin()
  for (let index = 0; index < size; index++) {
    if (marks[index] !== 0) continue
    let end = index
    while (end < size && marks[end] === 0) end++
    answer.ascending(size - end, end - index)
    index = end
  }
  return answer.list()
}

/** Reversed positions of the part before the selection, ascending, then those of the part behind it. */
function segmentsAround(size: number, start: number, count: number): Particle {
  return answer
    .begin()
    .ascending(size - start, start)
    .ascending(0, size - start - count)
    .list()
}

function selectedRanks(selection: MapSelection, reverse: boolean): Particle {
  const { kind, map, start, count, runs } = selection
  const size = map.count
  if (kind === 'indexes') return ranksOfEach(selection, false, reverse)
  if (kind !== 'values') return run(reverse ? size - start - count : start, count)
  answer.begin()
  for (let i = 0; i < runs.length; i += 2) {
    for (let rank = runs[i]!; rank < runs[i]! + runs[i + 1]!; rank++) {
      answer.integer(reverse ? size - 1 - rank : rank)
    }
  }
  return answer.list()
}

/** The rank of each pair in key order; plain numbers where all pairs are meant, but for intervals of unordered maps. */
function ranksOfEach(selection: MapSelection, inverted: boolean, reverse: boolean): Particle {
  const { map, starts, byKey, count } = selection
  const size = map.count
  const all = inverted ? count === 0 : count === size
  const real = byKey === 'interval' && (map.flags & 1) === 0
  if (all && !real) return run(0, size)
  const ranks = ranksOf(valueOrder(map, starts), size)
  return numbers(keyOrder(selection, inverted), (index) =>
    reverse ? size - 1 - ranks[index]! : ranks[index]!,
  )
}

function otherRanks(selection: MapSelection, reverse: boolean): Particle {
  const { kind, map, start, count } = selection
  const size = map.count
  if (kind === 'indexes') return ranksOfEach(selection, true, reverse)
  if (kind === 'values') return remainingRuns(selection, reverse)
  if (reverse) return count === 0 ? run(0, size) : segmentsAround(size, start, count)
  const behind = start + count
  return answer
    .begin()
    .ascending(0, start)
    .ascending(behind, size - behind)
    .list()
}

/** Ranks that no searched value has, run by run; each run reversed is ascending in itself. */
function remainingRuns({ map, order, marks }: MapSelection, reverse: boolean): Particle {
  const size = map.count
  answer.begin()
  for (let rank = 0; rank < size; rank++) {
    if (marks[order![rank]!] !== 0) continue
    let end = rank
    while (end < size && marks[order![end]!] === 0) end++
    answer.ascending(reverse ? size - end : rank, end - rank)
    rank = end
  }
  return answer.list()
}
