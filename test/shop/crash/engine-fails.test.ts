import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { randomOf } from '../../engine/storage/crash-run.ts'
import type { HeldStock } from '../../../shop-api/src/carts/stock-port.ts'
import type { CheckoutDeps, CheckoutPoint } from '../../../shop-api/src/checkout/checkout-ports.ts'
import { recoverOrders } from '../../../shop-api/src/checkout/recovery.ts'
import { startCheckout } from '../../../shop-api/src/checkout/start-checkout.ts'
import { openDatabase, type Database } from '../../../shop-api/src/database/database.ts'
import { orders, testCharges } from '../../../shop-api/src/database/schema.ts'
import { standardPricing } from '../../../shop-api/src/orders/totals.ts'
import { TestPaymentProvider } from '../../../shop-api/src/payment/test-provider.ts'
import { pinPort, type StockDeps } from '../../../shop-api/src/stock/hold-service.ts'
import { takeHold } from '../../../shop-api/src/stock/take-hold.ts'
import { stockBreaches } from '../../../shop-api/src/stock/stock-law.ts'
import { createStock } from '../../../shop-api/src/stock/stock-service.ts'
import { sweep } from '../../../shop-api/src/stock/sweeper.ts'
import { FailingEngine } from '../support/real-engine.ts'

/** The power of the engine's machine fails: what its disk had not synced is forgotten, then the node starts again. */

const HOUR = 3_600_000
const points: CheckoutPoint[] = [
  'order-created',
  'pinning',
  'hold-pinned',
  'all-pinned',
  'paying',
  'charged',
  'placed',
  'hold-sold',
  'completed',
]
const declinedPoints: CheckoutPoint[] = ['undoing', 'hold-undone', 'cancelled']

const price = { amount: 2000, currency: 'USD' as const }
const lamp = {
  sku: 'LAMP',
  productId: 'lamp',
  title: 'Lamp',
  variantTitle: 'Brass',
  price,
  category: 'lamps',
}
const address = {
  name: 'Ada',
  line1: '1 Main Street',
  city: 'Springfield',
  postalCode: '12345',
  country: 'US',
}
const key = { sku: 'LAMP', location: 'main', split: 0 }

let engine: FailingEngine
let stock: StockDeps
let now: () => number
let database: Database

beforeEach(async () => {
  now = Date.now
  engine = await FailingEngine.start(randomOf(11))
  database = await openDatabase()
  stock = { ...engine.connection.stock, now: () => now(), log: { warn: () => undefined } }
  await sweep(stock)
  await createStock(stock, { sku: 'LAMP', location: 'main', quantity: 10 })
})

afterEach(async () => {
  await engine.close()
  await database.close()
})

async function record() {
  const found = (await stock.records.readWhole(key))!
  expect(stockBreaches(found)).toEqual([])
  return found.numbers
}

function checkout(holds: readonly HeldStock[], passing: CheckoutDeps['passing']): CheckoutDeps {
  return {
    sql: database.sql,
    stock: pinPort(stock),
    carts: {
      linesForCheckout: () =>
        Promise.resolve(holds.map((hold) => ({ sku: 'LAMP', quantity: hold.quantity, hold }))),
      removeBought: () => Promise.resolve(),
    },
    prices: { skuRecords: () => Promise.resolve(new Map([['LAMP', lamp]])) },
    payment: new TestPaymentProvider({ sql: database.sql, now: Date.now }),
    pricing: standardPricing,
    now: Date.now,
    newOrderId: () => 'ord_aaaaaaaaaaaaaaaaaaaaaa',
    log: { warn: () => undefined, error: () => undefined },
    stalledMs: -1000,
    passing,
  }
}

async function held(): Promise<HeldStock[]> {
  const holds: HeldStock[] = []
  for (const holdId of ['cart.LAMP.1', 'cart.OTHER.1']) {
    const outcome = await takeHold(stock, { holdId, sku: 'LAMP', quantity: 2 })
    if (outcome.kind === 'held') holds.push(outcome.hold)
  }
  return holds
}

async function orderOf(paymentMethod: string, point: CheckoutPoint): Promise<object> {
  let failures = 0
  const deps = checkout(await held(), async (passed) => {
    if (passed !== point || failures++ > 0) return
    await engine.losePower()
  })
  const request = { cartId: 'cart', email: 'ada@example.com', address, paymentMethod }
  const { kind } = await startCheckout(deps, 'key', request)
  await recoverOrders(deps)
  expect(failures).toBeGreaterThan(0)
  now = () => Date.now() + HOUR
  await sweep(stock)
  const state = (await database.sql.select().from(orders)).map((order) => order.state)
  const charges = await database.sql.select().from(testCharges)
  const captured = charges.filter((charge) => charge.outcome === 'captured').length
  const { sold, available, held: stillHeld } = await record()
  return { kind, state, captured, sold, available, held: stillHeld }
}

describe('the engine loses power', () => {
  test.each(points)('at %s: the order is complete, charged once, and the stock adds up', async (point) => {
    expect(await orderOf('test-ok', point)).toEqual({
      kind: 'placed',
      state: ['completed'],
      captured: 1,
      sold: 4,
      available: 6,
      held: 0,
    })
  })

  test.each(declinedPoints)('at %s after a decline: nothing is charged, the stock is back', async (point) => {
    expect(await orderOf('test-declined', point)).toMatchObject({
      state: ['cancelled'],
      captured: 0,
      sold: 0,
      available: 10,
      held: 0,
    })
  })

  test('again and again while holds are taken: no hold that was confirmed is lost, none is taken twice', async () => {
    const confirmed = new Map<string, HeldStock>()
    const random = randomOf(5)
    let taken = 0
    let isOver = false
    const customer = async (name: number): Promise<void> => {
      for (let line = 1; !isOver; line++) {
        const holdId = `c${name}.LAMP.${line}`
        const outcome = await takeHold(stock, { holdId, sku: 'LAMP', quantity: 1 })
        if (outcome.kind === 'held') {
          confirmed.set(holdId, outcome.hold)
          taken++
        }
        await sleep(random() * 20)
        const mine = [...confirmed].find(([id]) => id.startsWith(`c${name}.`))
        if (mine && random() < 0.7) {
          confirmed.delete(mine[0])
          if ((await pinPort(stock).undo({ sku: 'LAMP', ...mine[1] }, 1, false)) === 'unsettled')
            confirmed.delete(mine[0])
        }
      }
    }
    const customers = Promise.all(Array.from({ length: 8 }, (_, name) => customer(name)))
    for (let failure = 0; failure < 6; failure++) {
      await sleep(120 + random() * 100)
      await engine.losePower()
      const whole = (await stock.records.readWhole(key))!
      expect(stockBreaches(whole)).toEqual([])
    }
    isOver = true
    await customers
    const whole = (await stock.records.readWhole(key))!
    expect(stockBreaches(whole)).toEqual([])
    for (const id of confirmed.keys()) expect(whole.holds.get(id)?.state, id).toBe(0)
    expect(taken).toBeGreaterThan(20)
  })
})
