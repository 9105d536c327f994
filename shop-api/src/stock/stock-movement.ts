import type { StockDeps } from './hold-service.ts'
import { bucketOf, type Intent } from './intents.ts'
import { HoldState, type HoldEntry, type StockKey, type StockNumbers } from './stock-record.ts'
import type { StockStatement } from './stock-statement.ts'

/**
 * Units that come and go other than by sale. Each movement has an id that the record remembers, so that
 * repeating one changes nothing.
 */

const TRANSFER_WINDOW_MS = 10_000
const ATTEMPTS = 3

export type Movement =
  | { readonly kind: 'receive'; readonly quantity: number }
  /** A count found more (positive) or fewer (negative) units than the books say. */
  | { readonly kind: 'adjust'; readonly quantity: number }
  | { readonly kind: 'return'; readonly quantity: number }

export type MovementOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'too-few'; readonly available: number }
  | { readonly kind: 'no-stock-record' }
  | { readonly kind: 'unsettled' }

const bookOf = { receive: 'received', adjust: 'adjusted', return: 'returned' } as const

function movement(id: string, quantity: number, book: Partial<StockNumbers>, now: number): StockStatement {
  const entry: HoldEntry = {
    state: HoldState.moved,
    quantity: Math.abs(quantity),
    deadline: 0,
    order: 0,
    endedAt: now,
  }
  return {
    conditions: [
      { name: 'never-seen', kind: 'entry-absent', id },
      ...(quantity < 0
        ? [{ name: 'enough', kind: 'at-least', number: 'available', value: -quantity } as const]
        : []),
    ],
    changes: { add: { available: quantity, onHand: quantity, ...book }, put: [[id, entry]] },
  }
}

const movementId = (id: string) => `move:${id}`

async function applyMovement(
  deps: StockDeps,
  key: StockKey,
  id: string,
  statement: StockStatement,
): Promise<MovementOutcome> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const outcome = await deps.records.apply(key, statement)
      if (outcome === 'applied') return { kind: 'done' }
      const seen = await deps.records.look(key, [id])
      if (!seen) return { kind: 'no-stock-record' }
      return seen.holds.has(id) ? { kind: 'done' } : { kind: 'too-few', available: seen.numbers.available }
    } catch (error) {
      deps.log.warn({ ...key, id, error: String(error) }, 'a movement of stock is in doubt')
    }
  }
  return { kind: 'unsettled' }
}

export function moveStock(
  deps: StockDeps,
  key: StockKey,
  id: string,
  change: Movement,
): Promise<MovementOutcome> {
  const book = { [bookOf[change.kind]]: change.quantity }
  const own = movementId(id)
  return applyMovement(deps, key, own, movement(own, change.quantity, book, deps.now()))
}

/**
 * Out of one record, then into the other. The intent stands before the first step: after a crash in between the
 * sweeper brings the units to where they were going.
 */
export async function transferStock(
  deps: StockDeps,
  from: StockKey,
  to: StockKey,
  id: string,
  quantity: number,
): Promise<MovementOutcome> {
  const own = movementId(id)
  const start = deps.now()
  const deadline = start + TRANSFER_WINDOW_MS
  await deps.intents.add(bucketOf(own, deadline), { ...from, holdId: own, deadline, to })
  const out = movement(own, -quantity, { transferredOut: quantity }, start)
  const inTime = { name: 'in-time', kind: 'not-after', time: deadline } as const
  const left = await applyMovement(deps, from, own, { ...out, conditions: [...out.conditions, inTime] })
  if (left.kind !== 'done') return left
  return arrive(deps, to, own, quantity)
}

function arrive(deps: StockDeps, to: StockKey, id: string, quantity: number): Promise<MovementOutcome> {
  return applyMovement(deps, to, id, movement(id, quantity, { transferredIn: quantity }, deps.now()))
}

/** Brings the units of a transfer that has left its source to their target; repeating it changes nothing. */
export async function finishTransfer(deps: StockDeps, intent: Intent, to: StockKey): Promise<void> {
  const { sku, location, split, holdId } = intent
  const left = (await deps.records.look({ sku, location, split }, [holdId]))?.holds.get(holdId)
  if (!left) return
  const outcome = await arrive(deps, to, holdId, left.quantity)
  if (outcome.kind !== 'done') throw new Error(`The transfer ${holdId} waits for its target: ${outcome.kind}`)
}
