import { createRoute, z } from '@hono/zod-openapi'
import { Problem, problemResponses } from '../http/problem.ts'
import { createRouter } from '../http/router.ts'
import { OrderSchema, orderView, ShippingAddressSchema } from '../orders/order.ts'
import { testPaymentMethods } from '../payment/test-provider.ts'
import type { CheckoutDeps } from './checkout-ports.ts'
import { startCheckout, type CheckoutRefusal } from './start-checkout.ts'

const RETRY_AFTER_SECONDS = '2'

const IdempotencyKey = /^[\x21-\x7e]{1,128}$/

export const CheckoutRequestSchema = z
  .strictObject({
    cartId: z.string().min(1).max(100),
    email: z.email().max(254),
    address: ShippingAddressSchema,
    paymentMethod: z.enum(testPaymentMethods),
    expectedTotal: z.int().min(0).optional().openapi({
      description:
        'The total the client shows, in minor units. Where the server computes another: price-changed.',
    }),
  })
  .openapi('CheckoutRequest')

const route = createRoute({
  method: 'post',
  path: '/checkout',
  tags: ['checkout'],
  summary: 'Turns a cart into an order',
  description:
    'Send the same Idempotency-Key again to get the first answer; the cart is charged at most once.',
  request: {
    headers: z.object({
      'idempotency-key': z.string().optional().openapi({ description: '1 to 128 visible ASCII characters' }),
    }),
    body: { content: { 'application/json': { schema: CheckoutRequestSchema } }, required: true },
  },
  responses: {
    201: { description: 'The order is placed', content: { 'application/json': { schema: OrderSchema } } },
    ...problemResponses(
      'idempotency-key-required',
      'idempotency-key-reused',
      'idempotency-in-flight',
      'validation-failed',
      'cart-not-found',
      'cart-empty',
      'sku-not-found',
      'currency-mismatch',
      'price-changed',
      'hold-ended',
      'payment-declined',
      'stock-unsettled',
      'payment-unsettled',
      'unavailable',
    ),
  },
})

function refusalDetail(refusal: CheckoutRefusal): string {
  switch (refusal.code) {
    case 'cart-not-found':
      return 'There is no such cart, or it has expired'
    case 'cart-empty':
      return 'A cart without lines cannot be checked out'
    case 'currency-mismatch':
      return 'The lines of the cart have different currencies'
    case 'hold-ended':
      return `${refusal.sku} is not reserved for this cart: put it in again`
    case 'sku-not-found':
      return `${refusal.sku} is not sold any more`
    case 'price-changed':
      return `The total is ${refusal.total}`
  }
}

export function checkoutRoutes(deps: CheckoutDeps) {
  return createRouter().openapi(route, async (c) => {
    const key = c.req.valid('header')['idempotency-key']
    if (key === undefined || !IdempotencyKey.test(key))
      throw new Problem('idempotency-key-required', 'Send 1 to 128 visible ASCII characters')
    const outcome = await startCheckout(deps, key, c.req.valid('json'))
    const headers = { 'retry-after': RETRY_AFTER_SECONDS }
    switch (outcome.kind) {
      case 'placed':
        return c.json(orderView(outcome.order, outcome.lines), 201, {
          location: `/orders/${outcome.order.id}`,
        })
      case 'cancelled': {
        const failure = outcome.order.failure ?? {
          code: 'unavailable',
          detail: 'The checkout was interrupted',
        }
        throw new Problem(failure.code, failure.detail, { members: { orderId: outcome.order.id } })
      }
      case 'unsettled':
        throw new Problem(`${outcome.about}-unsettled`, 'Ask again with the same key', { headers })
      case 'in-flight':
        throw new Problem('idempotency-in-flight', 'Ask again with the same key', { headers })
      case 'key-reused':
        throw new Problem('idempotency-key-reused', 'Use a new key for another request')
      case 'refused': {
        const { code, ...members } = outcome.refusal
        throw new Problem(code, refusalDetail(outcome.refusal), { members })
      }
    }
  })
}
