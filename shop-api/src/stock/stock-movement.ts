import type { StockDeps } from './hold-service.ts'
import { bucketOf, type Intent } from './intents.ts'
import { HoldState, recordKeyOf, type HoldEntry, type StockKey, type StockNumbers } from './stock-record.ts'
import type { StockCondition, StockStatement } from './stock-statement.ts'

/**
 * Units that come and go other than by sale. Each movement has an id that the record remembers, so that
 * repeating one changes nothing.
 */

const TRANSFER_WINDOW_MS = 10_000
const ATTEMPTS = 3
/** Receipts, adjustments and transfers are repeated by people. */
const MOVED_KEEP_MS = 24 * 3_600_000

export type Movement =
  | { readonly kind: 'receive'; readonly quantity: number }
  /** A count found more (positive) or fewer (negative) units than the books say. */
  | { readonly kind: 'adjust'; readonly quantity: number }
  | { readonly kind: 'return'; readonly quantity: number }

export type MovementOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'too-few'; readonly available: number }
  | { readonly kind: 'no-stock-record' }
  /** This id belongs to another movement of this record. */
  | { readonly kind: 'other-movement' }
  | { readonly kind: 'unsettled' }

const bookOf = { receive: 'received', adjust: 'adjusted', return: 'returned' } as const

interface Move {
  /** As the record knows it. */
  readonly id: string
  readonly quantity: number
  readonly book: Partial<StockNumbers>
  readonly now: number
  readonly keepMs?: number | undefined
}

function movement(move: Move, more: readonly StockCondition[]): StockStatement {
  const { id, quantity, book, now, keepMs = MOVED_KEEP_MS } = move
  const entry: HoldEntry = {
    state: HoldState.moved,
    quantity: Math.abs(quantity),
    deadline: now + keepMs,
    order: 0,
    endedAt: now,
  }
  return {
    conditions: [
      { name: 'never-seen', kind: 'entry-absent', id },
      ...(quantity < 0
        ? [{ name: 'enough', kind: 'at-least', number: 'available', value: -quantity } as const]
        : []),
      ...more,
    ],
    changes: { add: { available: quantity, onHand: quantity, ...book }, put: [[id, entry]] },
  }
}

const movementId = (id: string) => `move:${id}`

async function applyMovement(
  deps: StockDeps,
  key: StockKey,
  move: Move,
  more: readonly StockCondition[] = [],
): Promise<MovementOutcome> {
  const { id } = move
  const statement = movement(move, more)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const outcome = await deps.records.apply(key, statement)
      if (outcome === 'applied') return { kind: 'done' }
      const seen = await deps.records.look(key, [id])
      if (!seen) return { kind: 'no-stock-record' }
      const known = seen.holds.get(id)
      if (!known) return { kind: 'too-few', available: seen.numbers.available }
      return { kind: known.quantity === Math.abs(move.quantity) ? 'done' : 'other-movement' }
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
  { kind, quantity }: Movement,
): Promise<MovementOutcome> {
  const own = movementId(id)
  const book = { [bookOf[kind]]: quantity }
  return applyMovement(deps, key, { id: own, quantity, book, now: deps.now() })
}

export interface Transfer {
  readonly id: string
  readonly quantity: number
  /** How long its records remember it; a day unless told. */
  readonly keepMs?: number
}

/**
 * Out of one record, then into the other. The intent stands before the first step: after a crash in between the
 * sweeper brings the units to where they were going.
 */
export async function transferStock(
  deps: StockDeps,
  from: StockKey,
  to: StockKey,
  { id, quantity, keepMs }: Transfer,
): Promise<MovementOutcome> {
  // With its target, so that an id that is used again cannot bring the same units to another place too.
  const own = movementId(`${id}>${recordKeyOf(to)}`)
  const now = deps.now()
  const deadline = now + TRANSFER_WINDOW_MS
  await deps.intents.add(bucketOf(own, deadline), { ...from, holdId: own, deadline, to })
  const book = { transferredOut: quantity, moving: isWithin(from, to) ? quantity : 0 }
  const out = { id: own, quantity: -quantity, book, now, keepMs }
  const left = await applyMovement(deps, from, out, [{ name: 'in-time', kind: 'not-after', time: deadline }])
  if (left.kind !== 'done') return left
  return arrive(deps, from, to, { id: own, quantity, now, keepMs })
}

/** From one split to another of the same location. */
function isWithin(from: StockKey, to: StockKey): boolean {
  return from.sku === to.sku && from.location === to.location
}

function arrive(
  deps: StockDeps,
  from: StockKey,
  to: StockKey,
  move: Omit<Move, 'book'>,
): Promise<MovementOutcome> {
  const { quantity } = move
  const book = { transferredIn: quantity, moving: isWithin(from, to) ? -quantity : 0 }
  return applyMovement(deps, to, { ...move, book })
}

/** Brings the units of a transfer that has left its source to their target; repeating it changes nothing. */
export async function finishTransfer(deps: StockDeps, intent: Intent, to: StockKey): Promise<void> {
  const { sku, location, split, holdId } = intent
  const from = { sku, location, split }
  const left = (await deps.records.look(from, [holdId]))?.holds.get(holdId)
  if (!left) return
  const outcome = await arrive(deps, from, to, { id: holdId, quantity: left.quantity, now: deps.now() })
  if (outcome.kind !== 'done') throw new Error(`The transfer ${holdId} waits for its target: ${outcome.kind}`)
}
