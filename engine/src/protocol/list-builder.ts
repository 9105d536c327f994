/** Steps on lists; the last argument is a path to a nested one. Source: protocol notes, list operations 2. */
import { type Argument, callStep, interval, ranged } from './call.ts'
import type { Context } from './collection-path.ts'
import type { Expression } from './expression.ts'
import { Op } from './message.ts'
import { ReturnType } from './return-type.ts'
import type { Value } from './value-codec.ts'

const reading = (bin: string, code: number, args: readonly Argument[], path?: Context) =>
  callStep(Op.CDT_READ, bin, code, args, path)
const changing = (bin: string, code: number, args: readonly Argument[], path?: Context) =>
  callStep(Op.CDT_MODIFY, bin, code, args, path)

export const ListFlag = { ADD_UNIQUE: 1, INSERT_BOUNDED: 2, NO_FAIL: 4, PARTIAL: 8 } as const
/** Of `sort`. */
export const ListSortFlag = { DESCENDING: 1, DROP_DUPLICATES: 2 } as const

const { NONE, VALUE } = ReturnType

/** Steps on list bins. @example client.operate(key, [list.append('seen', 42), list.size('seen')]) */
export const list = {
  setOrder: (bin: string, order: number, path?: Context) => changing(bin, 0, [order], path),
  append: (bin: string, value: Argument, path?: Context) => changing(bin, 1, [value], path),
  appendItems: (bin: string, values: readonly Value[] | Expression, path?: Context) =>
    changing(bin, 2, [values], path),
  /** With write flags (`ListFlag`), and the order a list gets that is made here. */
  appendWith: (bin: string, value: Argument, order: number, flags: number, path?: Context) =>
    changing(bin, 1, [value, order, flags], path),
  appendItemsWith: (
    bin: string,
    values: readonly Value[] | Expression,
    order: number,
    flags: number,
    path?: Context,
  ) => changing(bin, 2, [values, order, flags], path),
  insertWith: (bin: string, index: number, value: Argument, flags: number, path?: Context) =>
    changing(bin, 3, [index, value, flags], path),
  insertItemsWith: (
    bin: string,
    index: number,
    values: readonly Value[] | Expression,
    flags: number,
    path?: Context,
  ) => changing(bin, 4, [index, values, flags], path),
  setWith: (bin: string, index: number, value: Argument, flags: number, path?: Context) =>
    changing(bin, 9, [index, value, flags], path),
  incrementWith: (
    bin: string,
    index: number,
    delta: Argument,
    order: number,
    flags: number,
    path?: Context,
  ) => changing(bin, 12, [index, delta, order, flags], path),
  insert: (bin: string, index: number, value: Argument, path?: Context) =>
    changing(bin, 3, [index, value], path),
  insertItems: (bin: string, index: number, values: readonly Value[] | Expression, path?: Context) =>
    changing(bin, 4, [index, values], path),
  pop: (bin: string, index: number, path?: Context) => changing(bin, 5, [index], path),
  popRange: (bin: string, index: number, count?: number, path?: Context) =>
    changing(bin, 6, ranged(index, count), path),
  remove: (bin: string, index: number, path?: Context) => changing(bin, 7, [index], path),
  removeRange: (bin: string, index: number, count?: number, path?: Context) =>
    changing(bin, 8, ranged(index, count), path),
  set: (bin: string, index: number, value: Argument, path?: Context) =>
    changing(bin, 9, [index, value], path),
  trim: (bin: string, index: number, count: number, path?: Context) =>
    changing(bin, 10, [index, count], path),
  clear: (bin: string, path?: Context) => changing(bin, 11, [], path),
  increment: (bin: string, index: number, delta: Argument = 1, path?: Context) =>
    changing(bin, 12, [index, delta], path),
  /** Flags: 1 descending, 2 drop duplicates. */
  sort: (bin: string, flags = 0, path?: Context) => changing(bin, 13, [flags], path),
  size: (bin: string, path?: Context) => reading(bin, 16, [], path),
  get: (bin: string, index: number, path?: Context) => reading(bin, 17, [index], path),
  getRange: (bin: string, index: number, count?: number, path?: Context) =>
    reading(bin, 18, ranged(index, count), path),
  getByIndex: (bin: string, index: number, returns: number = VALUE, path?: Context) =>
    reading(bin, 19, [returns, index], path),
  getByRank: (bin: string, rank: number, returns: number = VALUE, path?: Context) =>
    reading(bin, 21, [returns, rank], path),
  getByValue: (bin: string, value: Argument, returns: number = VALUE, path?: Context) =>
    reading(bin, 22, [returns, value], path),
  getByValues: (
    bin: string,
    values: readonly Value[] | Expression,
    returns: number = VALUE,
    path?: Context,
  ) => reading(bin, 23, [returns, values], path),
  getByIndexRange: (bin: string, index: number, count?: number, returns: number = VALUE, path?: Context) =>
    reading(bin, 24, [returns, ...ranged(index, count)], path),
  /** begin ≤ value < end; an end left out means to the end. */
  getByValueRange: (bin: string, begin: Argument, end?: Argument, returns: number = VALUE, path?: Context) =>
    reading(bin, 25, [returns, ...interval(begin, end)], path),
  getByRankRange: (bin: string, rank: number, count?: number, returns: number = VALUE, path?: Context) =>
    reading(bin, 26, [returns, ...ranged(rank, count)], path),
  /** From the rank that lies `rank` places from where `value` is or would be. */
  getByValueRelativeRankRange: (
    bin: string,
    value: Argument,
    rank: number,
    count?: number,
    returns: number = VALUE,
    path?: Context,
  ) => reading(bin, 27, [returns, value, ...ranged(rank, count)], path),
  removeByIndex: (bin: string, index: number, returns: number = NONE, path?: Context) =>
    changing(bin, 32, [returns, index], path),
  removeByRank: (bin: string, rank: number, returns: number = NONE, path?: Context) =>
    changing(bin, 34, [returns, rank], path),
  removeByValue: (bin: string, value: Argument, returns: number = NONE, path?: Context) =>
    changing(bin, 35, [returns, value], path),
  removeByValues: (
    bin: string,
    values: readonly Value[] | Expression,
    returns: number = NONE,
    path?: Context,
  ) => changing(bin, 36, [returns, values], path),
  removeByIndexRange: (bin: string, index: number, count?: number, returns: number = NONE, path?: Context) =>
    changing(bin, 37, [returns, ...ranged(index, count)], path),
  removeByValueRange: (
    bin: string,
    begin: Argument,
    end?: Argument,
    returns: number = NONE,
    path?: Context,
  ) => changing(bin, 38, [returns, ...interval(begin, end)], path),
  removeByRankRange: (bin: string, rank: number, count?: number, returns: number = NONE, path?: Context) =>
    changing(bin, 39, [returns, ...ranged(rank, count)], path),
  removeByValueRelativeRankRange: (
    bin: string,
    value: Argument,
    rank: number,
    count?: number,
    returns: number = NONE,
    path?: Context,
  ) => changing(bin, 40, [returns, value, ...ranged(rank, count)], path),
} as const
