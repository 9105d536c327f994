import type { Context } from 'hono'
import { QUANTITY_MAX, QuantitySchema, viewOf, type Cart } from '../carts/cart.ts'
import { SkuSchema } from '../catalog/product.ts'
import { problemTable } from '../http/problem-table.ts'
import { Problem } from '../http/problem.ts'
import { createRouter, type RouteEnv } from '../http/router.ts'
import { OrderIdSchema, OrderSchema } from '../orders/order.ts'
import { totalsOf } from '../orders/totals.ts'
import { refusedBy, type CheckoutAnswer, type CheckoutRefused } from './checkout-refused.ts'
import { cartPage, checkoutPage, orderPage, type Sums } from './buying-pages.ts'
import { send, visitorCart, visitorCartOrNew, type StorefrontDeps } from './storefront-deps.ts'

type Answered = (
  c: Context<RouteEnv>,
  deps: StorefrontDeps,
  run: () => Promise<Response>,
) => Promise<Response>
export type Form = Readonly<Record<string, string>>

async function formOf(c: Context<RouteEnv>): Promise<Form> {
  const body = await c.req.parseBody()
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, typeof value === 'string' ? value : '']),
  )
}

function lineOf(form: Form): { sku: string; quantity: number } {
  const sku = SkuSchema.safeParse(form.sku)
  const quantity = QuantitySchema.safeParse(Number(form.quantity))
  if (!sku.success) throw new Problem('validation-failed', 'Choose a variant first.')
  if (!quantity.success)
    throw new Problem('validation-failed', `The quantity must be a whole number from 1 to ${QUANTITY_MAX}.`)
  return { sku: sku.data, quantity: quantity.data }
}

/** What a visitor is told when the cart could not be changed. */
function wordsOf(problem: Problem): string {
  if (problem.code !== 'sold-out') return problem.message
  const left = Number(problem.extra.members?.available ?? 0)
  return left > 0 ? `Sorry, only ${left} left.` : 'Sorry, this has just sold out.'
}

function sumsOf(cart: Cart, deps: StorefrontDeps): Sums {
  const currency = cart.lines[0]!.unitPrice.currency
  const lines = cart.lines.map(({ quantity, unitPrice }) => ({ quantity, unitPrice: unitPrice.amount }))
  const totals = totalsOf(lines, deps.pricing)
  const money = (amount: number) => ({ amount, currency })
  return {
    subtotal: money(totals.subtotal),
    shipping: money(totals.shipping),
    tax: money(totals.tax),
    total: money(totals.total),
  }
}

async function showCart(c: Context<RouteEnv>, deps: StorefrontDeps, problem?: Problem): Promise<Response> {
  const cart = await visitorCart(c, deps)
  const now = deps.now()
  const skus = await deps.catalog.findSkus(cart?.lines.map((line) => line.sku) ?? [])
  const content = cartPage({
    cart: cart && viewOf(cart, now),
    categories: new Map([...skus.values()].map(({ sku, category }) => [sku, category])),
    now,
    problem: problem && wordsOf(problem),
  })
  return send(c, deps, { title: 'Cart' }, content, problem ? problemTable[problem.code].status : 200)
}

async function showCheckout(
  c: Context<RouteEnv>,
  deps: StorefrontDeps,
  values: Form = {},
  refusal?: CheckoutRefused,
) {
  const cart = await visitorCart(c, deps)
  if (!cart || cart.lines.length === 0) return c.redirect('/shop/cart', 303)
  const view = viewOf(cart, deps.now())
  const content = checkoutPage({
    cart: view,
    sums: sumsOf(cart, deps),
    // What may yet have been done is asked for again by its own key.
    idempotencyKey: (refusal?.isOpen && values.key) || deps.newKey(),
    values,
    problem: refusal?.words,
    wrong: refusal?.wrong ?? {},
  })
  return send(c, deps, { title: 'Check out' }, content, refusal?.status ?? 200)
}

async function buy(c: Context<RouteEnv>, deps: StorefrontDeps): Promise<Response> {
  const form = await formOf(c)
  const cart = await visitorCart(c, deps)
  if (!cart) return c.redirect('/shop/cart', 303)
  const {
    email = '',
    name = '',
    line1 = '',
    postalCode = '',
    city = '',
    country = '',
    paymentMethod = '',
  } = form
  const answer = await deps.api('/checkout', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': form.key ?? '' },
    body: JSON.stringify({
      cartId: cart.id,
      email,
      address: { name, line1, postalCode, city, country },
      paymentMethod,
      expectedTotal: Number(form.total),
    }),
  })
  const body = (await answer.json()) as CheckoutAnswer
  if (answer.status === 201 && body.id) return c.redirect(`/shop/orders/${body.id}`, 303)
  return showCheckout(c, deps, form, refusedBy(answer.status, body, form))
}

export function buyingRoutes(deps: StorefrontDeps, answered: Answered) {
  const router = createRouter()

  /** Post, redirect, get: loading the page again repeats nothing. */
  const changing = (path: string, change: (cart: Cart, form: Form) => Promise<unknown>) =>
    router.post(path, (c) =>
      answered(c, deps, async () => {
        const form = await formOf(c)
        try {
          await change(await visitorCartOrNew(c, deps), form)
          return c.redirect('/shop/cart', 303)
        } catch (error) {
          if (!(error instanceof Problem)) throw error
          return showCart(c, deps, error)
        }
      }),
    )
  changing('/shop/cart/add', (cart, form) => {
    const { sku, quantity } = lineOf(form)
    return deps.carts.addLine(cart.id, sku, quantity)
  })
  changing('/shop/cart/set', (cart, form) => {
    const { sku, quantity } = lineOf(form)
    return deps.carts.setLine(cart.id, sku, quantity)
  })
  changing('/shop/cart/remove', (cart, form) =>
    deps.carts.removeLine(cart.id, lineOf({ ...form, quantity: '1' }).sku),
  )

  router.get('/shop/cart', (c) => answered(c, deps, () => showCart(c, deps)))
  router.get('/shop/checkout', (c) => answered(c, deps, () => showCheckout(c, deps)))
  router.post('/shop/checkout', (c) => answered(c, deps, () => buy(c, deps)))
  router.get('/shop/orders/:id', (c) =>
    answered(c, deps, async () => {
      const id = OrderIdSchema.safeParse(c.req.param('id'))
      const answer = id.success ? await deps.api(`/orders/${id.data}`) : undefined
      if (!answer?.ok) throw new Problem('order-not-found', 'We do not know this order.')
      const order = OrderSchema.parse(await answer.json())
      return send(c, deps, { title: `Order ${order.number}` }, orderPage(order))
    }),
  )
  return router
}
