/** Steps on maps; the last argument is a path to a nested one. Source: protocol notes, map operations 2. */
import { type Argument, callStep, interval, ranged } from './call.ts'
import { MapOrder } from './collection-order.ts'
import type { Context } from './collection-path.ts'
import type { Expression } from './expression.ts'
import { Op } from './message.ts'
import { ReturnType } from './return-type.ts'
import type { Value } from './value-codec.ts'

const reading = (bin: string, code: number, args: readonly Argument[], path?: Context) =>
  callStep(Op.CDT_READ, bin, code, args, path)
const changing = (bin: string, code: number, args: readonly Argument[], path?: Context) =>
  callStep(Op.CDT_MODIFY, bin, code, args, path)

export const MapFlag = { CREATE_ONLY: 1, UPDATE_ONLY: 2, NO_FAIL: 4, PARTIAL: 8 } as const

const { NONE, VALUE } = ReturnType
const KEY_ORDERED = MapOrder.KEY_ORDERED
const NEW_OR_KEEP = MapFlag.CREATE_ONLY | MapFlag.NO_FAIL

/** Steps on map bins; a map that a step makes is key-ordered. @example map.put('holds', 'cart-1', [1, 'held']) */
export const map = {
  setOrder: (bin: string, order: number, path?: Context) => changing(bin, 64, [order], path),
  put: (bin: string, key: Argument, value: Argument, path?: Context) =>
    changing(bin, 67, [key, value, KEY_ORDERED], path),
  /** Does nothing when the key is there. */
  putNew: (bin: string, key: Argument, value: Argument, path?: Context) =>
    changing(bin, 67, [key, value, KEY_ORDERED, NEW_OR_KEEP], path),
  /** With write flags (`MapFlag`). */
  putWith: (bin: string, key: Argument, value: Argument, flags: number, path?: Context) =>
    changing(bin, 67, [key, value, KEY_ORDERED, flags], path),
  putItemsWith: (bin: string, items: Argument, order: number, flags: number, path?: Context) =>
    changing(bin, 68, [items, order, flags], path),
  putItems: (bin: string, items: Argument, path?: Context) => changing(bin, 68, [items, KEY_ORDERED], path),
  increment: (bin: string, key: Argument, delta: Argument = 1, path?: Context) =>
    changing(bin, 73, [key, delta, KEY_ORDERED], path),
  decrement: (bin: string, key: Argument, delta: Argument = 1, path?: Context) =>
    changing(bin, 74, [key, delta, KEY_ORDERED], path),
  clear: (bin: string, path?: Context) => changing(bin, 75, [], path),
  removeByKey: (bin: string, key: Argument, returns: number = NONE, path?: Context) =>
    changing(bin, 76, [returns, key], path),
  removeByIndex: (bin: string, index: number, returns: number = NONE, path?: Context) =>
    changing(bin, 77, [returns, index], path),
  removeByRank: (bin: string, rank: number, returns: number = NONE, path?: Context) =>
    changing(bin, 79, [returns, rank], path),
  removeByKeys: (bin: string, keys: readonly Value[] | Expression, returns: number = NONE, path?: Context) =>
    changing(bin, 81, [returns, keys], path),
  removeByValue: (bin: string, value: Argument, returns: number = NONE, path?: Context) =>
    changing(bin, 82, [returns, value], path),
  removeByValues: (
    bin: string,
    values: readonly Value[] | Expression,
    returns: number = NONE,
    path?: Context,
  ) => changing(bin, 83, [returns, values], path),
  removeByKeyRange: (bin: string, begin: Argument, end?: Argument, returns: number = NONE, path?: Context) =>
    changing(bin, 84, [returns, ...interval(begin, end)], path),
  removeByIndexRange: (bin: string, index: number, count?: number, returns: number = NONE, path?: Context) =>
    changing(bin, 85, [returns, ...ranged(index, count)], path),
  removeByValueRange: (
    bin: string,
    begin: Argument,
    end?: Argument,
    returns: number = NONE,
    path?: Context,
  ) => changing(bin, 86, [returns, ...interval(begin, end)], path),
  removeByRankRange: (bin: string, rank: number, count?: number, returns: number = NONE, path?: Context) =>
    changing(bin, 87, [returns, ...ranged(rank, count)], path),
  removeByKeyRelativeIndexRange: (
    bin: string,
    key: Argument,
    index: number,
    count?: number,
    returns: number = NONE,
    path?: Context,
  ) => changing(bin, 88, [returns, key, ...ranged(index, count)], path),
  removeByValueRelativeRankRange: (
    bin: string,
    value: Argument,
    rank: number,
    count?: number,
    returns: number = NONE,
    path?: Context,
  ) => changing(bin, 89, [returns, value, ...ranged(rank, count)], path),
  size: (bin: string, path?: Context) => reading(bin, 96, [], path),
  getByKey: (bin: string, key: Argument, returns: number = VALUE, path?: Context) =>
    reading(bin, 97, [returns, key], path),
  getByIndex: (bin: string, index: number, returns: number = VALUE, path?: Context) =>
    reading(bin, 98, [returns, index], path),
  getByRank: (bin: string, rank: number, returns: number = VALUE, path?: Context) =>
    reading(bin, 100, [returns, rank], path),
  getByValue: (bin: string, value: Argument, returns: number = VALUE, path?: Context) =>
    reading(bin, 102, [returns, value], path),
  getByKeyRange: (
    bin: string,
    begin: Argument,
    end?: Argument,
    returns: number = ReturnType.ORDERED_MAP,
    path?: Context,
  ) => reading(bin, 103, [returns, ...interval(begin, end)], path),
  getByIndexRange: (
    bin: string,
    index: number,
    count?: number,
    returns: number = ReturnType.ORDERED_MAP,
    path?: Context,
  ) => reading(bin, 104, [returns, ...ranged(index, count)], path),
  getByValueRange: (
    bin: string,
    begin: Argument,
    end?: Argument,
    returns: number = ReturnType.ORDERED_MAP,
    path?: Context,
  ) => reading(bin, 105, [returns, ...interval(begin, end)], path),
  getByRankRange: (
    bin: string,
    rank: number,
    count?: number,
    returns: number = ReturnType.KEY_VALUE,
    path?: Context,
  ) => reading(bin, 106, [returns, ...ranged(rank, count)], path),
  /** Answers a map of those keys that are there. */
  getByKeys: (
    bin: string,
    keys: readonly Value[] | Expression,
    returns: number = ReturnType.ORDERED_MAP,
    path?: Context,
  ) => reading(bin, 107, [returns, keys], path),
  /** From the index that lies `index` places from where `key` is or would be. */
  getByKeyRelativeIndexRange: (
    bin: string,
    key: Argument,
    index: number,
    count?: number,
    returns: number = ReturnType.ORDERED_MAP,
    path?: Context,
  ) => reading(bin, 109, [returns, key, ...ranged(index, count)], path),
  /** From the rank that lies `rank` places from where `value` is or would be. */
  getByValueRelativeRankRange: (
    bin: string,
    value: Argument,
    rank: number,
    count?: number,
    returns: number = ReturnType.KEY_VALUE,
    path?: Context,
  ) => reading(bin, 110, [returns, value, ...ranged(rank, count)], path),
  getByValues: (
    bin: string,
    values: readonly Value[] | Expression,
    returns: number = ReturnType.ORDERED_MAP,
    path?: Context,
  ) => reading(bin, 108, [returns, values], path),
} as const
