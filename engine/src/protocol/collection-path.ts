import { Expression } from './expression.ts'
import { ListOrder, MapOrder } from './collection-order.ts'
import type { Value } from './value-codec.ts'

/** One level of a path to a nested collection. Source: protocol notes, list operations 6 and expressions 9. */
export interface ContextItem {
  readonly type: number
  readonly value: Value | Expression
}
export type Context = readonly ContextItem[]

const Level = {
  CHILDREN: 0x04,
  LIST_INDEX: 0x10,
  LIST_RANK: 0x11,
  LIST_VALUE: 0x13,
  MAP_INDEX: 0x20,
  MAP_RANK: 0x21,
  MAP_KEY: 0x22,
  MAP_VALUE: 0x23,
  MAP_KEYS: 0x2a,
  AND: 0x204,
} as const

/** Added to a level: the collection it leads into is made, with an order, where it is missing. */
const CREATE = { UNORDERED: 0x40, SECOND: 0x80, ORDERED: 0xc0 } as const

const newList = (order: number, pad: boolean): number => {
  if (order === ListOrder.ORDERED) return CREATE.ORDERED
  return pad ? CREATE.SECOND : CREATE.UNORDERED
}

const newMap = (order: number): number => {
  if (order === MapOrder.KEY_VALUE_ORDERED) return CREATE.ORDERED
  return order === MapOrder.UNORDERED ? CREATE.UNORDERED : CREATE.SECOND
}

const TRUE = new Expression(Buffer.of(0xc3))

/** Levels of a path. @example list.append('orders', 5, [ctx.mapKey('2026')]) */
export const ctx = {
  listIndex: (index: number): ContextItem => ({ type: Level.LIST_INDEX, value: index }),
  listRank: (rank: number): ContextItem => ({ type: Level.LIST_RANK, value: rank }),
  listValue: (value: Value): ContextItem => ({ type: Level.LIST_VALUE, value }),
  mapIndex: (index: number): ContextItem => ({ type: Level.MAP_INDEX, value: index }),
  mapRank: (rank: number): ContextItem => ({ type: Level.MAP_RANK, value: rank }),
  mapKey: (key: Value): ContextItem => ({ type: Level.MAP_KEY, value: key }),
  mapValue: (value: Value): ContextItem => ({ type: Level.MAP_VALUE, value }),
  /** A place in a list that is made, with this order, where it is missing; `pad` fills the places before with nulls. */
  listIndexCreate: (index: number, order: number = ListOrder.UNORDERED, pad = false): ContextItem => ({
    type: Level.LIST_INDEX | newList(order, pad),
    value: index,
  }),
  /** A key of a map that is made, with this order, where it is missing. */
  mapKeyCreate: (key: Value, order: number = MapOrder.KEY_ORDERED): ContextItem => ({
    type: Level.MAP_KEY | newMap(order),
    value: key,
  }),
  /** For `path` alone: every child. */
  all: (): ContextItem => ({ type: Level.CHILDREN, value: TRUE }),
  /** For `path` alone: every child for which this is true, asked with `exp.loopValue` and its like. */
  where: (condition: Expression): ContextItem => ({ type: Level.CHILDREN, value: condition }),
  /** For `path` alone: those of these keys that are there. */
  mapKeys: (keys: readonly Value[]): ContextItem => ({ type: Level.MAP_KEYS, value: keys }),
  /** For `path` alone, after `mapKeys`: of those, the ones for which this is true. */
  andWhere: (condition: Expression): ContextItem => ({ type: Level.AND, value: condition }),
} as const
