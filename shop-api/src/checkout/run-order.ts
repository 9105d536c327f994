import type { CheckoutFailure } from '../orders/order-failure.ts'
import {
  linesOfOrder,
  moveOrder,
  type OrderChanges,
  type OrderLineRow,
  type OrderRow,
} from '../orders/order-store.ts'
import type { OrderState } from '../orders/order-state.ts'
import { chargeKey, type ChargeAnswer } from '../payment/payment-provider.ts'
import {
  PAYMENT_ATTEMPTS,
  PAYMENT_TIMEOUT_MS,
  type CheckoutDeps,
  type CheckoutPoint,
  type OrderHold,
} from './checkout-ports.ts'

/**
 * Takes an order from the state it is in to its end; request and recovery run the same steps.
 *
 * The order row is the only coordinator. Before each outside effect the row is moved by compare-and-set on
 * (state, version), and whoever loses one stops. Every outside effect can be repeated: pinning and ending holds
 * are decided by the stock record and fenced by the order's number, the charge by its idempotency key. So two
 * processes that both believe to own an order, one of them paused for as long as you like, can do no harm: the
 * late one repeats effects that change nothing and then loses its compare-and-set.
 *
 *   created ─→ pinning ─→ paying ─→ placed ─→ completed
 *      └──────────┴──────────┴────→ undoing ─→ cancelled
 */

export type RunOutcome =
  | { readonly kind: 'ended'; readonly order: OrderRow }
  /** Not known yet; recovery goes on. */
  | { readonly kind: 'unsettled'; readonly about: 'stock' | 'payment'; readonly order: OrderRow }
  /** Someone else has moved the order. */
  | { readonly kind: 'lost' }

type Step = (deps: CheckoutDeps, order: OrderRow, lines: readonly OrderLineRow[]) => Promise<StepOutcome>
type StepOutcome =
  | { readonly kind: 'move'; readonly to: OrderState; readonly changes?: OrderChanges }
  | { readonly kind: 'unsettled'; readonly about: 'stock' | 'payment' }

const pass = (deps: CheckoutDeps, point: CheckoutPoint, order: OrderRow) =>
  deps.passing?.(point, order.number)

const undoWith = (failure: CheckoutFailure): StepOutcome => ({
  kind: 'move',
  to: 'undoing',
  changes: { failure },
})

function holdOf(line: OrderLineRow): OrderHold {
  return { sku: line.sku, holdId: line.holdId, location: line.location, quantity: line.quantity }
}

const pinAll: Step = async (deps, order, lines) => {
  await pass(deps, 'pinning', order)
  for (const line of lines) {
    const outcome = await deps.stock.pin(holdOf(line), order.number)
    if (outcome === 'unsettled') return { kind: 'unsettled', about: 'stock' }
    if (outcome === 'ended')
      return undoWith({ code: 'hold-ended', detail: `The reservation of ${line.sku} has ended` })
    await pass(deps, 'hold-pinned', order)
  }
  await pass(deps, 'all-pinned', order)
  return { kind: 'move', to: 'paying' }
}

async function askProvider(deps: CheckoutDeps, order: OrderRow): Promise<ChargeAnswer | undefined> {
  const request = {
    idempotencyKey: chargeKey(order.id),
    orderId: order.id,
    amount: order.total,
    currency: order.currency,
    method: order.paymentMethod,
  }
  for (let attempt = 1; attempt <= PAYMENT_ATTEMPTS; attempt++) {
    const signal = AbortSignal.timeout(deps.paymentTimeoutMs ?? PAYMENT_TIMEOUT_MS)
    try {
      return await deps.payment.charge(request, signal)
    } catch (error) {
      deps.log.warn({ order: order.id, attempt, error: String(error) }, 'the charge is in doubt')
    }
  }
  return undefined
}

export function afterCharge(answer: ChargeAnswer, now: number): { to: OrderState; changes: OrderChanges } {
  return answer.kind === 'captured'
    ? { to: 'placed', changes: { chargeId: answer.chargeId, placedAt: new Date(now) } }
    : { to: 'undoing', changes: { failure: { code: 'payment-declined', detail: answer.reason } } }
}

const pay: Step = async (deps, order) => {
  await pass(deps, 'paying', order)
  const answer = await askProvider(deps, order)
  if (!answer) return { kind: 'unsettled', about: 'payment' }
  await pass(deps, 'charged', order)
  return { kind: 'move', ...afterCharge(answer, deps.now()) }
}

const sellAll: Step = async (deps, order, lines) => {
  await pass(deps, 'placed', order)
  for (const line of lines) {
    const outcome = await deps.stock.sell(holdOf(line), order.number)
    if (outcome === 'unsettled') return { kind: 'unsettled', about: 'stock' }
    if (outcome === 'lost')
      deps.log.error({ order: order.id, hold: line.holdId }, 'a pinned hold was not there when it was sold')
    await pass(deps, 'hold-sold', order)
  }
  const holdIds = lines.map((line) => line.holdId)
  await deps.carts.removeBought(order.cartId, holdIds).catch((error: unknown) => {
    deps.log.warn({ order: order.id, error: String(error) }, 'bought lines stay in the cart')
  })
  return { kind: 'move', to: 'completed' }
}

const undoAll: Step = async (deps, order, lines) => {
  await pass(deps, 'undoing', order)
  const keep = order.failure?.code === 'payment-declined'
  for (const line of lines) {
    if ((await deps.stock.undo(holdOf(line), order.number, keep)) === 'unsettled')
      return { kind: 'unsettled', about: 'stock' }
    await pass(deps, 'hold-undone', order)
  }
  return { kind: 'move', to: 'cancelled' }
}

const start: Step = async (deps, order) => {
  await pass(deps, 'order-created', order)
  return { kind: 'move', to: 'pinning' }
}

const steps: Partial<Record<OrderState, Step>> = {
  created: start,
  pinning: pinAll,
  paying: pay,
  placed: sellAll,
  undoing: undoAll,
}

export async function runOrder(deps: CheckoutDeps, first: OrderRow): Promise<RunOutcome> {
  const lines = await linesOfOrder(deps.sql, first.number)
  let order = first
  for (;;) {
    const step = steps[order.state]
    if (!step) {
      await pass(deps, order.state === 'completed' ? 'completed' : 'cancelled', order)
      return { kind: 'ended', order }
    }
    const outcome = await step(deps, order, lines)
    if (outcome.kind === 'unsettled') return { ...outcome, order }
    const changes = { ...outcome.changes, movedAt: new Date(deps.now()) }
    const moved = await moveOrder(deps.sql, order, outcome.to, changes)
    if (!moved) return { kind: 'lost' }
    order = moved
  }
}
