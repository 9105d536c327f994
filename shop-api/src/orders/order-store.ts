import { and, asc, eq, inArray, lt } from 'drizzle-orm'
import type { Sql, SqlSession } from '../database/database.ts'
import { idempotencyKeys, orderLines, orders } from '../database/schema.ts'
import { mayMove, passingStates, type OrderState } from './order-state.ts'

export type OrderRow = typeof orders.$inferSelect
export type OrderLineRow = typeof orderLines.$inferSelect
export type NewOrder = Omit<typeof orders.$inferInsert, 'number' | 'state' | 'version' | 'movedAt'>
export type NewOrderLine = Omit<typeof orderLines.$inferInsert, 'orderNumber' | 'position'>

export interface IdempotencyClaim {
  readonly scope: string
  readonly key: string
  readonly fingerprint: string
}

export type OrderCreation =
  | { readonly kind: 'created'; readonly order: OrderRow; readonly lines: OrderLineRow[] }
  /** The key was there before: with the fingerprint it was first used with. */
  | { readonly kind: 'known'; readonly fingerprint: string; readonly orderNumber: number }

export async function findIdempotencyKey(sql: SqlSession, scope: string, key: string) {
  const where = and(eq(idempotencyKeys.scope, scope), eq(idempotencyKeys.key, key))
  const [row] = await sql.select().from(idempotencyKeys).where(where)
  return row
}

class KeyIsKnown extends Error {}

/** Writes order, lines and idempotency key in one transaction; of two that run at once one finds the key known. */
export async function createOrder(
  sql: Sql,
  claim: IdempotencyClaim,
  order: NewOrder,
  lines: readonly NewOrderLine[],
): Promise<OrderCreation> {
  try {
    return await sql.transaction(async (tx) => {
      const [row] = await tx
        .insert(orders)
        .values({ ...order, state: 'created', version: 0, movedAt: order.createdAt })
        .returning()
      const claimed = await tx
        .insert(idempotencyKeys)
        .values({ ...claim, orderNumber: row!.number, createdAt: order.createdAt })
        .onConflictDoNothing()
        .returning({ key: idempotencyKeys.key })
      if (claimed.length === 0) throw new KeyIsKnown()
      const values = lines.map((line, position) => ({ ...line, position, orderNumber: row!.number }))
      return { kind: 'created', order: row!, lines: await tx.insert(orderLines).values(values).returning() }
    })
  } catch (error) {
    if (!(error instanceof KeyIsKnown)) throw error
    const known = await findIdempotencyKey(sql, claim.scope, claim.key)
    if (!known) throw new Error(`The idempotency key ${claim.key} was there and is gone`, { cause: error })
    return { kind: 'known', fingerprint: known.fingerprint, orderNumber: known.orderNumber }
  }
}

export type OrderChanges = Partial<Pick<OrderRow, 'chargeId' | 'failure' | 'placedAt'>>

/**
 * The compare-and-set on (state, version) that stands before every step. Moving to the same state is how
 * recovery takes an order over.
 *
 * @returns the order as it is now, or undefined when someone else has moved it: then stop
 */
export async function moveOrder(
  sql: SqlSession,
  order: Pick<OrderRow, 'number' | 'state' | 'version'>,
  to: OrderState,
  changes: OrderChanges & { readonly movedAt: Date },
): Promise<OrderRow | undefined> {
  if (to !== order.state && !mayMove(order.state, to))
    throw new Error(`Order ${order.number} cannot go from ${order.state} to ${to}`)
  const [row] = await sql
    .update(orders)
    .set({ ...changes, state: to, version: order.version + 1 })
    .where(
      and(eq(orders.number, order.number), eq(orders.state, order.state), eq(orders.version, order.version)),
    )
    .returning()
  return row
}

export async function findOrderById(sql: SqlSession, id: string): Promise<OrderRow | undefined> {
  const [row] = await sql.select().from(orders).where(eq(orders.id, id))
  return row
}

export async function findOrderByNumber(sql: SqlSession, number: number): Promise<OrderRow | undefined> {
  const [row] = await sql.select().from(orders).where(eq(orders.number, number))
  return row
}

export function linesOfOrder(sql: SqlSession, number: number): Promise<OrderLineRow[]> {
  return sql
    .select()
    .from(orderLines)
    .where(eq(orderLines.orderNumber, number))
    .orderBy(asc(orderLines.position))
}

/** Orders in a passing state that nobody has moved since `before`, the oldest first. */
export function stalledOrders(sql: SqlSession, before: Date, limit: number): Promise<OrderRow[]> {
  return sql
    .select()
    .from(orders)
    .where(and(inArray(orders.state, [...passingStates]), lt(orders.movedAt, before)))
    .orderBy(asc(orders.movedAt))
    .limit(limit)
}
