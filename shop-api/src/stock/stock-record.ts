/**
 * One stock record per SKU, location and split: all its numbers and its holds lie in one record, so that one
 * conditional operation on it decides. Bin names are at most 15 bytes. `live` counts the holds that have not ended;
 * `splits` is how many records the location had when this one last heard, and only grows (stock-split.ts); `moving`
 * is what this one sent to other splits of its location less what it got from them, so that over all of them it is
 * what is under way.
 */

export const stockNumbers = [
  'available',
  'held',
  'onHand',
  'sold',
  'initial',
  'received',
  'adjusted',
  'returned',
  'transferredIn',
  'transferredOut',
  'backOrdered',
  'live',
  'splits',
  'moving',
] as const
export type StockNumber = (typeof stockNumbers)[number]
export type StockNumbers = Readonly<Record<StockNumber, number>>

/** The numbers of a record that is made with so many units. */
export function freshNumbers(initial: number, splits = 1): StockNumbers {
  const zeros = Object.fromEntries(stockNumbers.map((name) => [name, 0])) as Record<StockNumber, number>
  return { ...zeros, initial, onHand: initial, available: initial, splits }
}

export const HoldState = { held: 0, committing: 1, sold: 2, released: 3, moved: 4 } as const
export type HoldState = (typeof HoldState)[keyof typeof HoldState]

/**
 * What the record keeps of a hold. An ended hold (sold, released) stays for longer than any request can live, so
 * that a late duplicate finds it; a transfer that arrived stays as `moved` for the same reason.
 */
export interface HoldEntry {
  readonly state: HoldState
  readonly quantity: number
  /** Milliseconds since 1970; means nothing while committing. Of a movement: how long it is remembered. */
  readonly deadline: number
  /** The highest number of an order that pinned or gave up this hold: only a higher one may pin it. */
  readonly order: number
  /** When it ended; 0 before. */
  readonly endedAt: number
}

export interface StockKey {
  readonly sku: string
  readonly location: string
  readonly split: number
}

export interface StockRecord {
  readonly numbers: StockNumbers
  readonly holds: ReadonlyMap<string, HoldEntry>
}

/** Live holds a record keeps at most: a take rewrites the record, so its size is what a take costs. */
export const MAX_LIVE_HOLDS = 256
/** Live and ended entries together, which bounds the record's bytes (about 60 an entry) far below 1 MiB. */
export const MAX_ENTRIES = 1024

/** What one look at a record shows: the holds that were asked for, and how many entries there are in all. */
export interface StockSight extends StockRecord {
  readonly entries: number
}

export function isLive(entry: HoldEntry): boolean {
  return entry.state === HoldState.held || entry.state === HoldState.committing
}

/** An entry as the record has it: a list of integers. */
export function entryToList(entry: HoldEntry): number[] {
  return [entry.state, entry.quantity, entry.deadline, entry.order, entry.endedAt]
}

export function entryFromList(list: readonly unknown[]): HoldEntry {
  const [state, quantity, deadline, order, endedAt] = list.map(Number)
  return {
    state: state as HoldState,
    quantity: quantity!,
    deadline: deadline!,
    order: order!,
    endedAt: endedAt!,
  }
}

export function recordKeyOf({ sku, location, split }: StockKey): string {
  return `${sku}|${location}|${split}`
}
