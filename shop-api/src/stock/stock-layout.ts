import { spread } from './intents.ts'
import type { StockKey } from './stock-record.ts'

/** Where a SKU has stock records: location → number of splits, in the order in which locations are tried. */
export type StockLayout = ReadonlyMap<string, number>

export interface StockLayouts {
  find(sku: string): Promise<StockLayout | undefined>
  findMany(skus: readonly string[]): Promise<ReadonlyMap<string, StockLayout>>
  /** Adds a location; one that is there keeps its splits. */
  add(sku: string, location: string, splits: number): Promise<void>
}

/** The line of a hold id (cart, line, revision), so that a line's revisions share a record. */
function lineOf(holdId: string): string {
  const end = holdId.lastIndexOf('.')
  return end < 0 ? holdId : holdId.slice(0, end)
}

/** The one record of a location that a hold may lie in. */
export function homeOf(sku: string, location: string, splits: number, holdId: string): StockKey {
  return { sku, location, split: splits === 1 ? 0 : spread(lineOf(holdId), splits) }
}

export function keysOf(sku: string, layout: StockLayout): StockKey[] {
  return [...layout].flatMap(([location, splits]) =>
    Array.from({ length: splits }, (_, split) => ({ sku, location, split })),
  )
}
