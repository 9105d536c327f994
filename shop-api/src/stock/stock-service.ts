import type { InitialStock, StockPort } from '../carts/stock-port.ts'
import { releaseHold, type StockDeps } from './hold-service.ts'
import { takeHold } from './take-hold.ts'
import { keysOf } from './stock-layout.ts'
import { freshNumbers } from './stock-record.ts'

/** The part of `quantity` that one of several splits gets; together they get all of it. */
function share(quantity: number, splits: number, split: number): number {
  return Math.floor(quantity / splits) + (split < quantity % splits ? 1 : 0)
}

/** Record first, layout last: a location is seen only when all its records are there. */
export async function createStock(deps: StockDeps, initial: InitialStock, splits = 1): Promise<void> {
  const { sku, location, quantity } = initial
  for (let split = 0; split < splits; split++)
    await deps.records.create({ sku, location, split }, freshNumbers(share(quantity, splits, split), splits))
  await deps.layouts.add(sku, location, splits)
}

export async function availableUnits(
  deps: StockDeps,
  skus: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const layouts = await deps.layouts.findMany(skus)
  const keys = [...layouts].flatMap(([sku, layout]) => keysOf(sku, layout))
  const numbers = await deps.records.lookMany(keys)
  const units = new Map<string, number>(skus.map((sku) => [sku, 0]))
  keys.forEach(({ sku }, i) => units.set(sku, (units.get(sku) ?? 0) + (numbers[i]?.available ?? 0)))
  return units
}

/** Stock as carts, storefront and import see it. */
export function stockPort(deps: StockDeps): StockPort {
  return {
    hold: (request) => takeHold(deps, request),
    release: (sku, hold) => releaseHold(deps, sku, hold),
    available: (skus) => availableUnits(deps, skus),
    createStock: (initial) => createStock(deps, initial),
  }
}
