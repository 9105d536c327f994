import type {
  HoldEntry,
  StockKey,
  StockNumber,
  StockNumbers,
  StockRecord,
  StockSight,
} from './stock-record.ts'

/**
 * One conditional operation on one stock record, as data: when every condition holds, all changes are made, and
 * otherwise none, in one step of the engine. It only ever updates a record that is there, and the record never
 * expires.
 */
export interface StockStatement {
  readonly conditions: readonly StockCondition[]
  readonly changes: StockChanges
}

/** `name` is what tests take a condition out by. */
export type StockCondition = { readonly name: string } & (
  | { readonly kind: 'at-least' | 'below'; readonly number: StockNumber; readonly value: number }
  | { readonly kind: 'entry-absent'; readonly id: string }
  | { readonly kind: 'entry-is'; readonly id: string; readonly entry: HoldEntry }
  | { readonly kind: 'entries-below'; readonly value: number }
  /** By the engine's clock, in milliseconds: a request that was delayed for too long does nothing. */
  | { readonly kind: 'not-after'; readonly time: number }
)

export interface StockChanges {
  readonly add?: Partial<StockNumbers>
  readonly put?: readonly (readonly [id: string, entry: HoldEntry])[]
  readonly remove?: readonly string[]
}

/** Where stock records lie. Rejects when it is not known whether a statement was carried out. */
export interface StockRecords {
  apply(key: StockKey, statement: StockStatement): Promise<'applied' | 'refused' | 'missing'>
  /** Numbers, and the entries of these ids, all of one moment. */
  look(key: StockKey, ids: readonly string[]): Promise<StockSight | undefined>
  lookMany(keys: readonly StockKey[]): Promise<readonly (StockNumbers | undefined)[]>
  readWhole(key: StockKey): Promise<StockRecord | undefined>
  /** False when the record was there before. */
  create(key: StockKey, numbers: StockNumbers): Promise<boolean>
}
