import { spread } from './intents.ts'
import type { StockKey } from './stock-record.ts'

/** Where a SKU has stock records: location → number of splits, in the order in which locations are tried. */
export type StockLayout = ReadonlyMap<string, number>

export interface StockLayouts {
  find(sku: string): Promise<StockLayout | undefined>
  findMany(skus: readonly string[]): Promise<ReadonlyMap<string, StockLayout>>
  /** Adds a location; one that is there keeps its splits. */
  add(sku: string, location: string, splits: number): Promise<void>
  /** Gives a location that is there more splits, never fewer. */
  grow(sku: string, location: string, splits: number): Promise<void>
}

/** Splits of one location: a power of two up to this. The newer half takes new holds, so 16,384 may live at once. */
export const MAX_SPLITS = 128

/** The line of a hold id (cart, line, revision), so that a line's revisions share a record. */
function lineOf(holdId: string): string {
  const end = holdId.lastIndexOf('.')
  return end < 0 ? holdId : holdId.slice(0, end)
}

/**
 * The record of a location that a new hold goes to: one of the newer half, because a location grows when its records
 * are full of holds, and the older ones may be so for a quarter of an hour.
 */
export function homeOf(sku: string, location: string, splits: number, holdId: string): StockKey {
  const older = Math.floor(splits / 2)
  return { sku, location, split: older + spread(lineOf(holdId), splits - older) }
}

/**
 * The records of a location that a hold may lie in, its home first: those it had while the location had fewer
 * splits. Because splits are powers of two there are at most eight.
 */
export function homesOf(sku: string, location: string, splits: number, holdId: string): StockKey[] {
  const homes: StockKey[] = []
  for (let level = splits; level >= 1; level = Math.floor(level / 2))
    homes.push(homeOf(sku, location, level, holdId))
  return homes
}

export function splitsOf(sku: string, location: string, splits: number): StockKey[] {
  return Array.from({ length: splits }, (_, split) => ({ sku, location, split }))
}

export function keysOf(sku: string, layout: StockLayout): StockKey[] {
  return [...layout].flatMap(([location, splits]) => splitsOf(sku, location, splits))
}
