import { openDatabase } from '../../../shop-api/src/database/database.ts'
import type { CheckoutDeps, CheckoutPoint, PinPort } from '../../../shop-api/src/checkout/checkout-ports.ts'
import { recoverOrders } from '../../../shop-api/src/checkout/recovery.ts'
import { startCheckout } from '../../../shop-api/src/checkout/start-checkout.ts'
import { standardPricing } from '../../../shop-api/src/orders/totals.ts'
import { TestPaymentProvider } from '../../../shop-api/src/payment/test-provider.ts'
import type { Job, ToParent, ToStore } from './messages.ts'

/**
 * A store process for tests that kill it: its orders lie in a real database, its stock lies with the parent, and
 * it stops for good at the point of the checkout that it is told, waiting to be killed or woken.
 */

const job = JSON.parse(process.env.LARDER_TEST_JOB ?? '') as Job
const tell = (message: ToParent) => process.send!(message)
const waiting = new Map<number, (answer: string) => void>()
let calls = 0
let hasStopped = false
let wake = () => {}

process.on('message', (message: ToStore) => {
  if (message.kind === 'wake') wake()
  else waiting.get(message.call)?.(message.answer)
})

function ask<Answer extends string>(method: keyof PinPort, args: unknown[]): Promise<Answer> {
  const call = ++calls
  return new Promise((resolve) => {
    waiting.set(call, (answer) => {
      resolve(answer as Answer)
    })
    tell({ kind: 'stock', call, method, args })
  })
}

const stock: PinPort = {
  pin: (...args) => ask('pin', args),
  sell: (...args) => ask('sell', args),
  undo: (...args) => ask('undo', args),
}

const database = await openDatabase(job.database)
const price = { amount: 2000, currency: 'USD' as const }
const record = {
  sku: 'LAMP',
  productId: 'lamp',
  title: 'Lamp',
  variantTitle: 'Brass',
  price,
  category: 'lamps',
}
const deps: CheckoutDeps = {
  sql: database.sql,
  stock,
  carts: {
    linesForCheckout: async () => job.holds.map((hold) => ({ sku: 'LAMP', quantity: hold.quantity, hold })),
    removeBought: async () => undefined,
  },
  prices: { skuRecords: async () => new Map([['LAMP', record]]) },
  payment: new TestPaymentProvider({ sql: database.sql, now: Date.now }),
  pricing: standardPricing,
  now: Date.now,
  newOrderId: () => `ord_${job.orderId}`,
  log: { warn: () => undefined, error: () => undefined },
  stalledMs: -1000,
  passing: (point: CheckoutPoint) => {
    if (point !== job.stopAt || hasStopped) return
    hasStopped = true
    tell({ kind: 'stopped' })
    return new Promise<void>((resolve) => (wake = resolve))
  },
}

const address = {
  name: 'Ada',
  line1: '1 Main Street',
  city: 'Springfield',
  postalCode: '12345',
  country: 'US',
}
const request = { cartId: 'cart', email: 'ada@example.com', address, paymentMethod: job.paymentMethod }

if (job.work === 'checkout') {
  const outcome = await startCheckout(deps, 'key', request)
  tell({ kind: 'done', outcome: outcome.kind })
} else {
  await recoverOrders(deps)
  const outcome = await startCheckout(deps, 'key', request)
  tell({ kind: 'done', outcome: outcome.kind })
}
await database.close()
process.disconnect()
