import { createHash } from 'node:crypto'
import {
  createOrder,
  findIdempotencyKey,
  findOrderByNumber,
  linesOfOrder,
  type NewOrderLine,
  type OrderLineRow,
  type OrderRow,
} from '../orders/order-store.ts'
import type { ShippingAddress } from '../orders/order.ts'
import { totalsOf } from '../orders/totals.ts'
import type { CheckoutDeps } from './checkout-ports.ts'
import { runOrder } from './run-order.ts'

export interface CheckoutRequest {
  readonly cartId: string
  readonly email: string
  readonly address: ShippingAddress
  readonly paymentMethod: string
  /** What the client believes to pay, in minor units; the server's own total decides. */
  readonly expectedTotal?: number | undefined
}

export type CheckoutOutcome =
  | { readonly kind: 'placed' | 'cancelled'; readonly order: OrderRow; readonly lines: OrderLineRow[] }
  | { readonly kind: 'unsettled'; readonly about: 'stock' | 'payment' }
  | { readonly kind: 'in-flight' }
  | { readonly kind: 'key-reused' }
  | { readonly kind: 'refused'; readonly refusal: CheckoutRefusal }

/** Found out before an order is written: the idempotency key is not used up. */
export type CheckoutRefusal =
  | { readonly code: 'cart-not-found' | 'cart-empty' | 'currency-mismatch' }
  | { readonly code: 'hold-ended' | 'sku-not-found'; readonly sku: string }
  | { readonly code: 'price-changed'; readonly total: number }

/** The same request gives the same fingerprint, whatever the order of its members. */
function fingerprintOf(request: CheckoutRequest): string {
  const { address, ...rest } = request
  const sorted = (value: object) =>
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([sorted(rest), sorted(address)]))
    .digest('base64url')
}

async function answerOf(deps: CheckoutDeps, orderNumber: number): Promise<CheckoutOutcome> {
  const order = await findOrderByNumber(deps.sql, orderNumber)
  if (!order) throw new Error(`Order ${orderNumber} of an idempotency key is gone`)
  const lines = () => linesOfOrder(deps.sql, order.number)
  if (order.state === 'placed' || order.state === 'completed')
    return { kind: 'placed', order, lines: await lines() }
  if (order.state === 'cancelled') return { kind: 'cancelled', order, lines: await lines() }
  return { kind: 'in-flight' }
}

type Pricing =
  | { readonly kind: 'refused'; readonly refusal: CheckoutRefusal }
  | { readonly kind: 'priced'; readonly lines: NewOrderLine[]; readonly currency: OrderRow['currency'] }

async function priceCart(deps: CheckoutDeps, cartId: string): Promise<Pricing> {
  const refused = (refusal: CheckoutRefusal) => ({ kind: 'refused', refusal }) as const
  const cart = await deps.carts.linesForCheckout(cartId)
  if (!cart) return refused({ code: 'cart-not-found' })
  if (cart.length === 0) return refused({ code: 'cart-empty' })
  const records = await deps.prices.skuRecords(cart.map((line) => line.sku))
  const lines: NewOrderLine[] = []
  let currency: OrderRow['currency'] | undefined
  for (const { sku, quantity, hold } of cart) {
    if (!hold || hold.quantity !== quantity) return refused({ code: 'hold-ended', sku })
    const record = records.get(sku)
    if (!record) return refused({ code: 'sku-not-found', sku })
    currency ??= record.price.currency
    if (record.price.currency !== currency) return refused({ code: 'currency-mismatch' })
    lines.push({
      sku,
      title: record.title,
      variantTitle: record.variantTitle,
      quantity,
      unitPrice: record.price.amount,
      lineTotal: record.price.amount * quantity,
      holdId: hold.holdId,
      location: hold.location,
    })
  }
  return { kind: 'priced', lines, currency: currency! }
}

/**
 * One checkout by idempotency key: the first request writes the order and runs it, later ones get its answer.
 * Keys are unique per cart.
 */
export async function startCheckout(
  deps: CheckoutDeps,
  key: string,
  request: CheckoutRequest,
): Promise<CheckoutOutcome> {
  const fingerprint = fingerprintOf(request)
  const known = await findIdempotencyKey(deps.sql, request.cartId, key)
  if (known)
    return known.fingerprint === fingerprint ? answerOf(deps, known.orderNumber) : { kind: 'key-reused' }

  const priced = await priceCart(deps, request.cartId)
  if (priced.kind === 'refused') return priced
  const totals = totalsOf(priced.lines, deps.pricing)
  if (request.expectedTotal !== undefined && request.expectedTotal !== totals.total)
    return { kind: 'refused', refusal: { code: 'price-changed', total: totals.total } }

  const claim = { scope: request.cartId, key, fingerprint }
  const { cartId, email, address, paymentMethod } = request
  const head = { id: deps.newOrderId(), cartId, email, address, paymentMethod, currency: priced.currency }
  const order = { ...head, ...totals, createdAt: new Date(deps.now()) }
  const creation = await createOrder(deps.sql, claim, order, priced.lines)
  if (creation.kind === 'known')
    return creation.fingerprint === fingerprint
      ? answerOf(deps, creation.orderNumber)
      : { kind: 'key-reused' }

  const outcome = await runOrder(deps, creation.order)
  const answer = await answerOf(deps, creation.order.number)
  return outcome.kind === 'unsettled' && answer.kind === 'in-flight' ? outcome : answer
}
