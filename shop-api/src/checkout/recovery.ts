import { findOrderById, moveOrder, stalledOrders, type OrderRow } from '../orders/order-store.ts'
import type { ChargeAnswer } from '../payment/payment-provider.ts'
import { startRounds } from '../rounds.ts'
import { STALLED_MS, type CheckoutDeps } from './checkout-ports.ts'
import { afterCharge, runOrder } from './run-order.ts'

const BATCH = 50

/** An order that crashed before it asked for money is undone: its customer has long gone away or tried again. */
function nextState(order: OrderRow) {
  if (order.state !== 'created' && order.state !== 'pinning') return { to: order.state, changes: {} }
  const failure = {
    code: 'unavailable',
    detail: 'The checkout was interrupted; nothing was charged',
  } as const
  return { to: 'undoing' as const, changes: { failure } }
}

/**
 * Takes over orders that nobody has moved for a while, and finishes or undoes them.
 *
 * @returns how many reached their end
 */
export async function recoverOrders(deps: CheckoutDeps): Promise<number> {
  const before = new Date(deps.now() - (deps.stalledMs ?? STALLED_MS))
  let ended = 0
  for (const order of await stalledOrders(deps.sql, before, BATCH)) {
    const { to, changes } = nextState(order)
    const mine = await moveOrder(deps.sql, order, to, { ...changes, movedAt: new Date(deps.now()) })
    if (!mine) continue
    try {
      const outcome = await runOrder(deps, mine)
      if (outcome.kind === 'ended') ended++
    } catch (error) {
      deps.log.error(
        { order: order.id, error: String(error) },
        'recovery of an order failed and is tried again',
      )
    }
  }
  return ended
}

/** An answer of the provider that came outside of a call: late, or for the second time. */
export async function paymentAnswered(
  deps: CheckoutDeps,
  orderId: string,
  answer: ChargeAnswer,
): Promise<void> {
  const order = await findOrderById(deps.sql, orderId)
  if (order?.state !== 'paying') return
  const { to, changes } = afterCharge(answer, deps.now())
  const moved = await moveOrder(deps.sql, order, to, { ...changes, movedAt: new Date(deps.now()) })
  if (moved) await runOrder(deps, moved)
}

/** Looks for stalled orders until it is stopped; the returned function waits for the round that runs. */
export function startRecovery(deps: CheckoutDeps, intervalMs: number): () => Promise<void> {
  return startRounds(
    () => recoverOrders(deps),
    intervalMs,
    (error) => deps.log.error({ error: String(error) }, 'recovery could not look for orders'),
  )
}
