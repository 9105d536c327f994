import { openDatabase } from '../../../shop-api/src/database/database.ts'
import { connect } from '@larder/engine'
import type { CheckoutDeps, CheckoutPoint } from '../../../shop-api/src/checkout/checkout-ports.ts'
import { recoverOrders } from '../../../shop-api/src/checkout/recovery.ts'
import { startCheckout } from '../../../shop-api/src/checkout/start-checkout.ts'
import { standardPricing } from '../../../shop-api/src/orders/totals.ts'
import { TestPaymentProvider } from '../../../shop-api/src/payment/test-provider.ts'
import { connectionOver } from '../../../shop-api/src/start/engine-connection.ts'
import { pinPort } from '../../../shop-api/src/stock/hold-service.ts'
import type { Job, ToParent, ToStore } from './messages.ts'

/**
 * A store process for tests that kill it: its orders lie in a real database, its stock in a real
 * engine node, and it stops for good at the point of the checkout that it is told, waiting to be killed or woken.
 */

const job = JSON.parse(process.env.LARDER_TEST_JOB ?? '') as Job
const tell = (message: ToParent) => process.send!(message)
let hasStopped = false
let wake = () => {}

process.on('message', (_message: ToStore) => wake())

const engine = connectionOver(await connect({ hosts: [job.engine] }))
const stock = pinPort({ ...engine.stock, now: Date.now, log: { warn: () => undefined } })
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
await engine.close()
process.disconnect()
