import type { Particle } from '../values/particle.ts'
import { notApplicable } from './collection-call.ts'
import { answer, boolParticle, integerParticle } from './collection-result.ts'
import { ReturnType } from '../protocol/return-type.ts'
import { borrow, ranksOf, sharedRanksOf, valueOrder } from './collection-table.ts'
import type { ListSelection } from './list-selection.ts'

/**
 * What a call on several elements of a list answers. The order inside an answer differs with the kind of list,
 * call and return type; the rules are those of the protocol notes, lists, section 4. A "segment" is a run of
 * positions counted from the other end, ascending.
 */
export function listAnswer(selection: ListSelection, returnType: number): Particle | undefined {
  const inverted = (returnType & ReturnType.INVERTED) !== 0
  const { list, count } = selection
  const size = list.count
  switch (returnType & ~ReturnType.INVERTED) {
    case ReturnType.NONE:
      return undefined
    case ReturnType.COUNT:
      return integerParticle(inverted ? size - count : count)
    case ReturnType.EXISTS:
      return boolParticle(inverted ? othersExist(selection) : count > 0)
    case ReturnType.VALUE:
      return inverted ? valuesByPosition(selection, 0) : values(selection)
    case ReturnType.INDEX:
      return inverted ? indexes(selection, 0, false) : selectedIndexes(selection, false)
    case ReturnType.REVERSE_INDEX:
      return inverted ? otherReverseIndexes(selection) : selectedIndexes(selection, true)
    case ReturnType.RANK:
      return inverted ? otherRanks(selection, false) : selectedRanks(selection, false)
    case ReturnType.REVERSE_RANK:
      return inverted ? otherRanks(selection, true) : selectedRanks(selection, true)
    case ReturnType.INDEX_RANGE:
    case ReturnType.REVERSE_INDEX_RANGE:
    case ReturnType.RANK_RANGE:
    case ReturnType.REVERSE_RANK_RANGE:
      return runAnswer(selection, returnType)
    default:
      return notApplicable(`return type ${returnType}`)
  }
}

/** INVERTED with EXISTS on unordered lists by value or rank says "nothing matched", as the field's server does. */
function othersExist(selection: ListSelection): boolean {
  const { kind, count, list } = selection
  if (kind === 'value-ranks') return count === 0
  if (kind === 'rank-range') return count === 0 && list.count > 0
  return count < list.count
}

/** [start, count] of a run of positions or of ranks; the reverse forms count from the other end. */
function runAnswer(selection: ListSelection, returnType: number): Particle {
  const { kind, start, count, list, ordered } = selection
  const byRank = returnType === ReturnType.RANK_RANGE || returnType === ReturnType.REVERSE_RANK_RANGE
  const isRun = byRank ? ordered || kind !== 'positions' : kind === 'positions'
  if (kind === 'values' || !isRun || (returnType & ReturnType.INVERTED) !== 0) notApplicable('not one run')
  const reverse =
    returnType === ReturnType.REVERSE_INDEX_RANGE || returnType === ReturnType.REVERSE_RANK_RANGE
  answer.begin().integer(reverse ? list.count - start - count : start)
  answer.integer(count)
  return answer.list()
}

function values(selection: ListSelection): Particle {
  const { kind, list, starts, start, count, order, ordered, runs } = selection
  if (kind === 'rank-range') {
    const descending = start + count <= list.count - start
    answer.begin()
    for (let i = 0; i < count; i++) {
      const index = order![descending ? start + count - 1 - i : start + i]!
      answer.item(list.buffer, starts[index]!, starts[index + 1]!)
    }
    return answer.list()
  }
  if (kind === 'values' && ordered) {
    answer.begin()
    for (let i = 0; i < runs.length; i += 2) {
      const first = runs[i]!
      answer.items(list.buffer, starts[first]!, starts[first + runs[i + 1]!]!, runs[i + 1]!)
    }
    return answer.list()
  }
  return valuesByPosition(selection, 1)
}

function valuesByPosition(selection: ListSelection, mark: number): Particle {
  const { list, starts, marks } = selection
  answer.begin()
  for (let i = 0; i < list.count; i++) {
    if (marks[i] === mark) answer.item(list.buffer, starts[i]!, starts[i + 1]!)
  }
  return answer.list()
}

function indexes(selection: ListSelection, mark: number, reverse: boolean): Particle {
  const { list, marks } = selection
  answer.begin()
  for (let i = 0; i < list.count; i++) {
    if (marks[i] === mark) answer.integer(reverse ? list.count - 1 - i : i)
  }
  return answer.list()
}

function selectedIndexes(selection: ListSelection, reverse: boolean): Particle {
  const { kind, ordered, list, start, count } = selection
  if (kind === 'positions') return run(list.count, start, count, reverse)
  if (kind === 'values' && ordered) return runsAnswer(selection, reverse)
  return indexes(selection, 1, reverse)
}

function run(size: number, start: number, count: number, reverse: boolean): Particle {
  return answer
    .begin()
    .ascending(reverse ? size - start - count : start, count)
    .list()
}

/** The run of ranks of each searched value, in the order in which they were given. */
function runsAnswer(selection: ListSelection, reverse: boolean): Particle {
  const { list, runs, ordered } = selection
  answer.begin()
  for (let i = 0; i < runs.length; i += 2) {
    if (ordered) {
      answer.ascending(reverse ? list.count - runs[i]! - runs[i + 1]! : runs[i]!, runs[i + 1]!)
      continue
    }
    for (let rank = runs[i]!; rank < runs[i]! + runs[i + 1]!; rank++) {
      answer.integer(reverse ? list.count - 1 - rank : rank)
    }
  }
  return answer.list()
}

function otherReverseIndexes(selection: ListSelection): Particle {
  const { kind, list, start, count, runs } = selection
  if (kind === 'positions') return twoSegments(list.count, start, count)
  if (kind === 'values' && runs.length === 0) return run(list.count, 0, list.count, false)
  return indexes(selection, 0, true)
}

/** Reversed positions of the part before the selection, ascending, then those of the part behind it. */
function twoSegments(size: number, start: number, count: number): Particle {
  if (count === 0) return run(size, 0, size, false)
  return segmentsAround(size, start, count)
}

function segmentsAround(size: number, start: number, count: number): Particle {
  return answer
    .begin()
    .ascending(size - start, start)
    .ascending(0, size - start - count)
    .list()
}

function selectedRanks(selection: ListSelection, reverse: boolean): Particle {
  const { kind, ordered, list, start, count } = selection
  if (kind === 'values') return runsAnswer(selection, reverse)
  if (kind !== 'positions' || ordered) return run(list.count, start, count, reverse)
  if (count === list.count) return run(count, 0, count, false)
  return ranksOfEach(selection, 1, reverse)
}

/** The rank of each element with that mark, in list order; equal values share the lowest. */
function ranksOfEach(selection: ListSelection, mark: number, reverse: boolean): Particle {
  const { list, starts, marks } = selection
  const ranks = sharedRanksOf(list, starts, valueOrder(list, starts))
  answer.begin()
  for (let i = 0; i < list.count; i++) {
    if (marks[i] === mark) answer.integer(reverse ? list.count - 1 - ranks[i]! : ranks[i]!)
  }
  return answer.list()
}

function otherRanks(selection: ListSelection, reverse: boolean): Particle {
  const { kind, ordered, list, start, count, runs } = selection
  const size = list.count
  if (kind === 'values') {
    if (ordered) return reverse ? otherReverseIndexes(selection) : indexes(selection, 0, false)
    if (runs.length === 0) return run(size, 0, size, false)
    return remainingRuns(selection, reverse)
  }
  if (kind === 'positions' && !ordered) {
    return count === 0 ? run(size, 0, size, false) : ranksOfEach(selection, 0, reverse)
  }
  if (!reverse) {
    const behind = start + count
    return answer
      .begin()
      .ascending(0, start)
      .ascending(behind, size - behind)
      .list()
  }
  return kind === 'positions' ? twoSegments(size, start, count) : segmentsAround(size, start, count)
}

/** Ranks that no searched value has, run by run; each run reversed is ascending in itself. */
function remainingRuns(selection: ListSelection, reverse: boolean): Particle {
  const { list, order, marks } = selection
  const size = list.count
  const ranks = ranksOf(order!, size)
  const taken = borrow(size)
  for (let i = 0; i < size; i++) taken[ranks[i]!] = marks[i]!
  answer.begin()
  for (let rank = 0; rank < size; rank++) {
    if (taken[rank] !== 0) continue
    let end = rank
    while (end < size && taken[end] === 0) end++
    answer.ascending(reverse ? size - end : rank, end - rank)
    rank = end
  }
  return answer.list()
}
