/**
 * Steps on lists and maps. Every builder takes an optional path to a nested collection as its last argument.
 * Source: protocol notes, list operations 2 and map operations 2.
 */
import { ByteWriter } from '../values/byte-writer.ts'
import { Op } from './message.ts'
import { checkBinName, encodedStep, type Operation } from './operation-writer.ts'
import { type Value, writeValue } from './value-codec.ts'

/** What a selecting step answers. */
export const ReturnType = {
  NONE: 0,
  INDEX: 1,
  REVERSE_INDEX: 2,
  RANK: 3,
  REVERSE_RANK: 4,
  COUNT: 5,
  KEY: 6,
  VALUE: 7,
  KEY_VALUE: 8,
  EXISTS: 13,
  UNORDERED_MAP: 16,
  ORDERED_MAP: 17,
  INVERTED: 0x10000,
} as const

/** One level of a path to a nested collection. */
export interface ContextItem {
  readonly type: number
  readonly value: Value
}
export type Context = readonly ContextItem[]

/** Levels of a path. @example list.append('orders', 5, [ctx.mapKey('2026')]) */
export const ctx = {
  listIndex: (index: number): ContextItem => ({ type: 0x10, value: index }),
  listRank: (rank: number): ContextItem => ({ type: 0x11, value: rank }),
  listValue: (value: Value): ContextItem => ({ type: 0x13, value }),
  mapIndex: (index: number): ContextItem => ({ type: 0x20, value: index }),
  mapRank: (rank: number): ContextItem => ({ type: 0x21, value: rank }),
  mapKey: (key: Value): ContextItem => ({ type: 0x22, value: key }),
  mapValue: (value: Value): ContextItem => ({ type: 0x23, value }),
} as const

/** An argument that stands above every value. */
const INFINITY = Buffer.from([0xd4, 0xff, 0x01])

type Argument = Value | typeof INFINITY

/** `[opcode, arguments…]`, with the path in front where there is one. */
export function encodeCall(code: number, args: readonly Argument[], path: Context = []): Buffer {
  const to = new ByteWriter(64)
  if (path.length > 0) {
    to.listHeader(3)
    to.integer(0xff)
    to.listHeader(path.length * 2)
    for (const { type, value } of path) {
      to.integer(type)
      writeValue(to, value)
    }
  }
  to.listHeader(1 + args.length)
  to.integer(code)
  for (const arg of args) {
    if (arg === INFINITY) to.bytes(INFINITY, 0, INFINITY.length)
    else writeValue(to, arg)
  }
  return to.buffer.subarray(0, to.length)
}

const step = (op: number, bin: string, code: number, args: readonly Argument[], path?: Context): Operation =>
  encodedStep(op, checkBinName(bin), encodeCall(code, args, path))
const reading = (bin: string, code: number, args: readonly Argument[], path?: Context) =>
  step(Op.CDT_READ, bin, code, args, path)
const changing = (bin: string, code: number, args: readonly Argument[], path?: Context) =>
  step(Op.CDT_MODIFY, bin, code, args, path)
const counted = (start: number, count: number | undefined) => (count === undefined ? [start] : [start, count])
const interval = (begin: Value, end: Value) => (end === undefined ? [begin] : [begin, end])

export const ListOrder = { UNORDERED: 0, ORDERED: 1 } as const
export const ListFlag = { ADD_UNIQUE: 1, INSERT_BOUNDED: 2, NO_FAIL: 4, PARTIAL: 8 } as const

const { NONE, VALUE } = ReturnType

/** Steps on list bins. @example client.operate(key, [list.append('seen', 42), list.size('seen')]) */
export const list = {
  setOrder: (bin: string, order: number, path?: Context) => changing(bin, 0, [order], path),
  append: (bin: string, value: Value, path?: Context) => changing(bin, 1, [value], path),
  appendItems: (bin: string, values: readonly Value[], path?: Context) => changing(bin, 2, [values], path),
  /** With write flags (`ListFlag`), and the order a list gets that is made here. */
  appendWith: (bin: string, value: Value, order: number, flags: number, path?: Context) =>
    changing(bin, 1, [value, order, flags], path),
  insert: (bin: string, index: number, value: Value, path?: Context) =>
    changing(bin, 3, [index, value], path),
  insertItems: (bin: string, index: number, values: readonly Value[], path?: Context) =>
    changing(bin, 4, [index, values], path),
  pop: (bin: string, index: number, path?: Context) => changing(bin, 5, [index], path),
  popRange: (bin: string, index: number, count?: number, path?: Context) =>
    changing(bin, 6, counted(index, count), path),
  remove: (bin: string, index: number, path?: Context) => changing(bin, 7, [index], path),
  removeRange: (bin: string, index: number, count?: number, path?: Context) =>
    changing(bin, 8, counted(index, count), path),
  set: (bin: string, index: number, value: Value, path?: Context) => changing(bin, 9, [index, value], path),
  trim: (bin: string, index: number, count: number, path?: Context) =>
    changing(bin, 10, [index, count], path),
  clear: (bin: string, path?: Context) => changing(bin, 11, [], path),
  increment: (bin: string, index: number, delta: Value = 1, path?: Context) =>
    changing(bin, 12, [index, delta], path),
  /** Flags: 1 descending, 2 drop duplicates. */
  sort: (bin: string, flags = 0, path?: Context) => changing(bin, 13, [flags], path),
  size: (bin: string, path?: Context) => reading(bin, 16, [], path),
  get: (bin: string, index: number, path?: Context) => reading(bin, 17, [index], path),
  getRange: (bin: string, index: number, count?: number, path?: Context) =>
    reading(bin, 18, counted(index, count), path),
  getByIndex: (bin: string, index: number, returns: number = VALUE, path?: Context) =>
    reading(bin, 19, [returns, index], path),
  getByRank: (bin: string, rank: number, returns: number = VALUE, path?: Context) =>
    reading(bin, 21, [returns, rank], path),
  getByValue: (bin: string, value: Value, returns: number = VALUE, path?: Context) =>
    reading(bin, 22, [returns, value], path),
  getByValues: (bin: string, values: readonly Value[], returns: number = VALUE, path?: Context) =>
    reading(bin, 23, [returns, values], path),
  getByIndexRange: (bin: string, index: number, count?: number, returns: number = VALUE, path?: Context) =>
    reading(bin, 24, [returns, ...counted(index, count)], path),
  /** begin ≤ value < end; an end left out means to the end. */
  getByValueRange: (bin: string, begin: Value, end?: Value, returns: number = VALUE, path?: Context) =>
    reading(bin, 25, [returns, ...interval(begin, end)], path),
  getByRankRange: (bin: string, rank: number, count?: number, returns: number = VALUE, path?: Context) =>
    reading(bin, 26, [returns, ...counted(rank, count)], path),
  removeByIndex: (bin: string, index: number, returns: number = NONE, path?: Context) =>
    changing(bin, 32, [returns, index], path),
  removeByRank: (bin: string, rank: number, returns: number = NONE, path?: Context) =>
    changing(bin, 34, [returns, rank], path),
  removeByValue: (bin: string, value: Value, returns: number = NONE, path?: Context) =>
    changing(bin, 35, [returns, value], path),
  removeByValues: (bin: string, values: readonly Value[], returns: number = NONE, path?: Context) =>
    changing(bin, 36, [returns, values], path),
  removeByIndexRange: (bin: string, index: number, count?: number, returns: number = NONE, path?: Context) =>
    changing(bin, 37, [returns, ...counted(index, count)], path),
  removeByValueRange: (bin: string, begin: Value, end?: Value, returns: number = NONE, path?: Context) =>
    changing(bin, 38, [returns, ...interval(begin, end)], path),
  removeByRankRange: (bin: string, rank: number, count?: number, returns: number = NONE, path?: Context) =>
    changing(bin, 39, [returns, ...counted(rank, count)], path),
} as const

export const MapOrder = { UNORDERED: 0, KEY_ORDERED: 1, KEY_VALUE_ORDERED: 3 } as const
export const MapFlag = { CREATE_ONLY: 1, UPDATE_ONLY: 2, NO_FAIL: 4, PARTIAL: 8 } as const

const KEY_ORDERED = MapOrder.KEY_ORDERED
const NEW_OR_KEEP = MapFlag.CREATE_ONLY | MapFlag.NO_FAIL

/** Steps on map bins; a map that a step makes is key-ordered. @example map.put('holds', 'cart-1', [1, 'held']) */
export const map = {
  setOrder: (bin: string, order: number, path?: Context) => changing(bin, 64, [order], path),
  put: (bin: string, key: Value, value: Value, path?: Context) =>
    changing(bin, 67, [key, value, KEY_ORDERED], path),
  /** Does nothing when the key is there. */
  putNew: (bin: string, key: Value, value: Value, path?: Context) =>
    changing(bin, 67, [key, value, KEY_ORDERED, NEW_OR_KEEP], path),
  /** With write flags (`MapFlag`). */
  putWith: (bin: string, key: Value, value: Value, flags: number, path?: Context) =>
    changing(bin, 67, [key, value, KEY_ORDERED, flags], path),
  putItems: (bin: string, items: Value, path?: Context) => changing(bin, 68, [items, KEY_ORDERED], path),
  increment: (bin: string, key: Value, delta: Value = 1, path?: Context) =>
    changing(bin, 73, [key, delta, KEY_ORDERED], path),
  clear: (bin: string, path?: Context) => changing(bin, 75, [], path),
  removeByKey: (bin: string, key: Value, returns: number = NONE, path?: Context) =>
    changing(bin, 76, [returns, key], path),
  removeByIndex: (bin: string, index: number, returns: number = NONE, path?: Context) =>
    changing(bin, 77, [returns, index], path),
  removeByRank: (bin: string, rank: number, returns: number = NONE, path?: Context) =>
    changing(bin, 79, [returns, rank], path),
  removeByKeys: (bin: string, keys: readonly Value[], returns: number = NONE, path?: Context) =>
    changing(bin, 81, [returns, keys], path),
  removeByValue: (bin: string, value: Value, returns: number = NONE, path?: Context) =>
    changing(bin, 82, [returns, value], path),
  removeByKeyRange: (bin: string, begin: Value, end?: Value, returns: number = NONE, path?: Context) =>
    changing(bin, 84, [returns, ...interval(begin, end)], path),
  removeByIndexRange: (bin: string, index: number, count?: number, returns: number = NONE, path?: Context) =>
    changing(bin, 85, [returns, ...counted(index, count)], path),
  removeByValueRange: (bin: string, begin: Value, end?: Value, returns: number = NONE, path?: Context) =>
    changing(bin, 86, [returns, ...interval(begin, end)], path),
  removeByRankRange: (bin: string, rank: number, count?: number, returns: number = NONE, path?: Context) =>
    changing(bin, 87, [returns, ...counted(rank, count)], path),
  size: (bin: string, path?: Context) => reading(bin, 96, [], path),
  getByKey: (bin: string, key: Value, returns: number = VALUE, path?: Context) =>
    reading(bin, 97, [returns, key], path),
  getByIndex: (bin: string, index: number, returns: number = VALUE, path?: Context) =>
    reading(bin, 98, [returns, index], path),
  getByRank: (bin: string, rank: number, returns: number = VALUE, path?: Context) =>
    reading(bin, 100, [returns, rank], path),
  getByValue: (bin: string, value: Value, returns: number = VALUE, path?: Context) =>
    reading(bin, 102, [returns, value], path),
  getByKeyRange: (
    bin: string,
    begin: Value,
    end?: Value,
    returns: number = ReturnType.ORDERED_MAP,
    path?: Context,
  ) => reading(bin, 103, [returns, ...interval(begin, end)], path),
  getByIndexRange: (
    bin: string,
    index: number,
    count?: number,
    returns: number = ReturnType.ORDERED_MAP,
    path?: Context,
  ) => reading(bin, 104, [returns, ...counted(index, count)], path),
  getByValueRange: (
    bin: string,
    begin: Value,
    end?: Value,
    returns: number = ReturnType.ORDERED_MAP,
    path?: Context,
  ) => reading(bin, 105, [returns, ...interval(begin, end)], path),
  getByRankRange: (
    bin: string,
    rank: number,
    count?: number,
    returns: number = ReturnType.KEY_VALUE,
    path?: Context,
  ) => reading(bin, 106, [returns, ...counted(rank, count)], path),
  /** Answers a map of those keys that are there. */
  getByKeys: (
    bin: string,
    keys: readonly Value[],
    returns: number = ReturnType.ORDERED_MAP,
    path?: Context,
  ) => reading(bin, 107, [returns, keys], path),
} as const

/** Stands for "above every value" where an end is wanted. */
export const infinity: Value = INFINITY
