import { setTimeout as sleep } from 'node:timers/promises'
import { OpenAPIHono } from '@hono/zod-openapi'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { randomBytes } from 'node:crypto'
import { openDatabase, type Database } from '../../../shop-api/src/database/database.ts'
import { orders, testCharges } from '../../../shop-api/src/database/schema.ts'
import type { CheckoutDeps } from '../../../shop-api/src/checkout/checkout-ports.ts'
import { checkoutRoutes } from '../../../shop-api/src/checkout/checkout-routes.ts'
import { paymentAnswered, recoverOrders } from '../../../shop-api/src/checkout/recovery.ts'
import { Problem, problemResponse } from '../../../shop-api/src/http/problem.ts'
import { orderRoutes } from '../../../shop-api/src/orders/order-routes.ts'
import type { Order } from '../../../shop-api/src/orders/order.ts'
import { standardPricing } from '../../../shop-api/src/orders/totals.ts'
import { TestPaymentProvider, type TestPaymentMethod } from '../../../shop-api/src/payment/test-provider.ts'
import { databaseKinds, type TestCluster } from '../support/databases.ts'
import { HeldGoods } from '../support/held-goods.ts'

const PRICE = 2_000
const HOLD = 'cart-1:line-1:1'
const address = {
  name: 'Ada',
  line1: '1 Main Street',
  city: 'Springfield',
  postalCode: '12345',
  country: 'US',
}

class Killed extends Error {}

for (const kind of databaseKinds) {
  describe.runIf(kind.runs)(`checkout on ${kind.name}`, () => {
    let cluster: TestCluster | undefined
    let database: Database
    let goods: HeldGoods
    let skew: number
    let stopAt: string | undefined
    let deps: CheckoutDeps
    let app: OpenAPIHono

    beforeAll(async () => {
      cluster = kind.start()
      database = await openDatabase({ url: cluster?.url })
    })
    afterAll(async () => {
      await database.close()
      cluster?.stop()
    })
    beforeEach(async () => {
      goods = new HeldGoods()
      goods.hold(HOLD)
      skew = 0
      stopAt = undefined
      const now = () => Date.now() + skew
      deps = {
        sql: database.sql,
        stock: goods,
        carts: {
          linesForCheckout: async (cartId) =>
            cartId === 'nobody'
              ? undefined
              : [
                  {
                    sku: 'LAMP',
                    quantity: 3,
                    hold: { holdId: HOLD, location: 'main', quantity: 3, deadline: 0 },
                  },
                ],
          removeBought: async () => undefined,
        },
        prices: {
          skuRecords: async () => {
            const price = { amount: PRICE, currency: 'USD' as const }
            const record = {
              sku: 'LAMP',
              productId: 'lamp',
              title: 'Lamp',
              variantTitle: 'Brass',
              price,
              category: 'c',
            }
            return new Map([['LAMP', record]])
          },
        },
        payment: new TestPaymentProvider({
          sql: database.sql,
          now,
          lateMs: 60,
          notify: (orderId, answer) => paymentAnswered(deps, orderId, answer),
        }),
        pricing: standardPricing,
        now,
        newOrderId: () => `ord_${randomBytes(16).toString('base64url')}`,
        log: {
          warn: () => undefined,
          error: (details, message) => expect.fail(`${message} ${JSON.stringify(details)}`),
        },
        passing: (point) => {
          if (point === stopAt) throw new Killed(point)
        },
        paymentTimeoutMs: 150,
      }
      app = new OpenAPIHono()
      app.route('/', checkoutRoutes(deps))
      app.route('/', orderRoutes(deps))
      app.onError((error, c) => {
        if (error instanceof Problem) return problemResponse(c, error.code, error.message, error.extra)
        return problemResponse(c, 'internal-error', error.message)
      })
    })
    afterEach(async () => {
      await database.sql.execute('truncate orders, order_lines, idempotency_keys, test_charges')
    })

    const send = async (
      key: string | undefined,
      paymentMethod: TestPaymentMethod = 'test-ok',
      more: object = {},
    ) =>
      app.request('/checkout', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(key ? { 'idempotency-key': key } : {}) },
        body: JSON.stringify({ cartId: 'cart-1', email: 'ada@example.com', address, paymentMethod, ...more }),
      })
    const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code
    const captured = async () =>
      (await database.sql.select().from(testCharges)).filter((charge) => charge.outcome === 'captured')
    const states = async () => (await database.sql.select().from(orders)).map((order) => order.state)

    test('places an order with the totals of the server, and answers a repetition byte for byte', async () => {
      const first = await send('k1')
      expect(first.status).toBe(201)
      const body = await first.text()
      const order = JSON.parse(body) as Order
      expect(order).toMatchObject({ status: 'placed', subtotal: { amount: 6000 }, shipping: { amount: 0 } })
      expect(order.tax.amount).toBe(495)
      expect(order.total.amount).toBe(6495)
      expect(await (await send('k1')).text()).toBe(body)
      expect(await (await app.request(`/orders/${order.id}`)).text()).toBe(body)
      expect(goods.entries.get(HOLD)?.state).toBe('sold')
      expect(await captured()).toHaveLength(1)
    })

    test('answers with stable codes what a client does wrong', async () => {
      expect(await codeOf(await send(undefined))).toBe('idempotency-key-required')
      expect(await codeOf(await send('k1', 'test-ok', { cartId: 'nobody' }))).toBe('cart-not-found')
      expect(await codeOf(await send('k1', 'test-ok', { total: 1 }))).toBe('validation-failed')
      expect(await codeOf(await send('k1', 'test-ok', { expectedTotal: 1 }))).toBe('price-changed')
      expect((await send('k1')).status).toBe(201)
      const other = await send('k1', 'test-ok', { email: 'eve@example.com' })
      expect([other.status, await codeOf(other)]).toEqual([422, 'idempotency-key-reused'])
    })

    test('of many requests with one key one runs, the others see it in flight or get its answer', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => send('k1', 'test-late')))
      const statuses = answers.map((answer) => answer.status)
      expect(statuses).toContain(201)
      expect(statuses.every((status) => status === 201 || status === 409)).toBe(true)
      expect(await states()).toEqual(['completed'])
      expect(await captured()).toHaveLength(1)
    })

    test('of two orders for one hold one is paid', async () => {
      const answers = await Promise.all([send('k1', 'test-late'), send('k2', 'test-late')])
      expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409])
      expect(await captured()).toHaveLength(1)
    })

    test('a decline gives the hold back to the cart, and the key keeps its answer', async () => {
      const declined = await send('k1', 'test-declined')
      expect([declined.status, await codeOf(declined)]).toEqual([402, 'payment-declined'])
      expect(await codeOf(await send('k1', 'test-declined'))).toBe('payment-declined')
      expect(goods.entries.get(HOLD)?.state).toBe('held')
      expect((await send('k2')).status).toBe(201)
    })

    test.each(['test-unreachable', 'test-timeout', 'test-twice'] as const)(
      '%s is charged once',
      async (method) => {
        expect((await send('k1', method)).status).toBe(201)
        await sleep(150)
        expect(await states()).toEqual(['completed'])
        expect(await captured()).toHaveLength(1)
      },
    )

    test('an answer that comes after the request gave up still places the order', async () => {
      const slow = new TestPaymentProvider({ sql: database.sql, now: Date.now, lateMs: 400 })
      let answered: Promise<void> | undefined
      deps = {
        ...deps,
        payment: {
          charge: async (request, signal) => {
            const answer = slow.charge(request, new AbortController().signal)
            answered = answer.then((late) => paymentAnswered(deps, request.orderId, late))
            return Promise.race([answer, new Promise<never>((_, no) => signal.addEventListener('abort', no))])
          },
        },
      }
      app = new OpenAPIHono()
      app.route('/', checkoutRoutes(deps))
      app.onError((error, c) =>
        error instanceof Problem
          ? problemResponse(c, error.code, error.message, error.extra)
          : c.text('', 500),
      )
      const first = await send('k1', 'test-late')
      expect([first.status, await codeOf(first)]).toEqual([503, 'payment-unsettled'])
      expect(first.headers.get('retry-after')).toBe('2')
      await answered
      expect((await send('k1', 'test-late')).status).toBe(201)
      expect(await captured()).toHaveLength(1)
    })

    const points = [
      'order-created',
      'pinning',
      'hold-pinned',
      'all-pinned',
      'paying',
      'charged',
      'placed',
      'hold-sold',
    ]
    test.each(points)(
      'stopped at %s: recovery finishes or undoes, and a key keeps one order',
      async (point) => {
        stopAt = point
        expect((await send('k1')).status).toBe(500)
        stopAt = undefined
        expect((await send('k1')).status).toBe(['placed', 'hold-sold'].includes(point) ? 201 : 409)
        expect(await recoverOrders(deps)).toBe(0)
        skew = 120_000
        expect(await recoverOrders(deps)).toBe(1)
        const charges = await captured()
        const isPaid = ['paying', 'charged', 'placed', 'hold-sold'].includes(point)
        expect(await states()).toEqual([isPaid ? 'completed' : 'cancelled'])
        expect(charges).toHaveLength(isPaid ? 1 : 0)
        expect(goods.entries.get(HOLD)?.state).toBe(isPaid ? 'sold' : 'released')
        expect((await send('k1')).status).toBe(isPaid ? 201 : 503)
      },
    )

    test.each(points)(
      'paused at %s while another process recovers: does no harm when it wakes up',
      async (point) => {
        let wake = () => {}
        const asleep = new Promise<void>((resolve) => (wake = resolve))
        let reached = () => {}
        const stopped = new Promise<void>((resolve) => (reached = resolve))
        const paused: CheckoutDeps = {
          ...deps,
          passing: (at) => {
            if (at !== point) return
            reached()
            return asleep
          },
        }
        const sleeper = new OpenAPIHono()
        sleeper.route('/', checkoutRoutes(paused))
        sleeper.onError((error, c) =>
          error instanceof Problem
            ? problemResponse(c, error.code, error.message)
            : c.text(error.message, 500),
        )
        const mine = app
        app = sleeper
        const answer = send('k1')
        await stopped
        app = mine
        skew = 120_000
        expect(await recoverOrders(deps)).toBe(1)
        const before = {
          states: await states(),
          hold: { ...goods.entries.get(HOLD) },
          charges: await captured(),
        }
        wake()
        expect((await answer).status).not.toBe(500)
        expect({ states: await states(), hold: goods.entries.get(HOLD), charges: await captured() }).toEqual(
          before,
        )
        const isSold = before.hold.state === 'sold'
        expect(before.charges).toHaveLength(isSold ? 1 : 0)
      },
    )

    test('stock in doubt: 503, and recovery goes on from there', async () => {
      goods.doubts.push('sell')
      expect((await send('k1')).status).toBe(201)
      expect(await states()).toEqual(['placed'])
      goods.doubts.push('pin')
      goods.hold(HOLD)
      const doubtful = await send('k2')
      expect([doubtful.status, await codeOf(doubtful)]).toEqual([503, 'stock-unsettled'])
    })
  })
}
