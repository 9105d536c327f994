import type { StockDeps } from './hold-service.ts'
import { moveStock, transferStock, type Movement, type MovementOutcome } from './stock-movement.ts'
import type { StockKey } from './stock-record.ts'
import { gather } from './stock-split.ts'

/** What an operator does to the stock of a SKU at a location, however many records it is split over. */
export type StockOrder = { readonly id: string; readonly location: string } & (
  Movement | { readonly kind: 'transfer'; readonly to: string; readonly quantity: number }
)

export type StockOrderOutcome = MovementOutcome | { readonly kind: 'no-location'; readonly location: string }

/** Units come to the first record of a location and leave from it; takes bring them where they are wanted. */
export async function carryOut(deps: StockDeps, sku: string, order: StockOrder): Promise<StockOrderOutcome> {
  const layout = await deps.layouts.find(sku)
  const splits = layout?.get(order.location)
  if (splits === undefined) return { kind: 'no-location', location: order.location }
  const at: StockKey = { sku, location: order.location, split: 0 }
  if (order.kind !== 'transfer') {
    const move = () => moveStock(deps, at, order.id, order)
    return gathered(deps, at, splits, { id: order.id, needed: -order.quantity, move })
  }
  if (!layout?.has(order.to)) return { kind: 'no-location', location: order.to }
  const to: StockKey = { sku, location: order.to, split: 0 }
  const move = () => transferStock(deps, at, to, order)
  return gathered(deps, at, splits, { id: order.id, needed: order.quantity, move })
}

interface Attempt {
  readonly id: string
  readonly needed: number
  readonly move: () => Promise<MovementOutcome>
}

async function gathered(
  deps: StockDeps,
  at: StockKey,
  splits: number,
  { id, needed, move }: Attempt,
): Promise<MovementOutcome> {
  const outcome = await move()
  if (outcome.kind !== 'too-few' || splits === 1) return outcome
  const gathered = await gather(deps, at, { splits, needed, reason: id })
  if (gathered.kind === 'contended') return { kind: 'unsettled' }
  return gathered.kind === 'enough' ? move() : gathered
}
