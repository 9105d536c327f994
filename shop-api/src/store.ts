import { randomBytes, randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { cartRoutes } from './carts/cart-routes.ts'
import { CartService } from './carts/cart-service.ts'
import { CartStore } from './carts/cart-store.ts'
import { catalogRoutes, productHandler } from './catalog/catalog-routes.ts'
import { CatalogStore } from './catalog/catalog-store.ts'
import { checkoutRoutes } from './checkout/checkout-routes.ts'
import type { CheckoutDeps } from './checkout/checkout-ports.ts'
import { startRecovery } from './checkout/recovery.ts'
import { sql } from 'drizzle-orm'
import type { Database } from './database/database.ts'
import { requestIds } from './http/access-log.ts'
import { createApp } from './http/app.ts'
import { orderRoutes } from './orders/order-routes.ts'
import { standardPricing, type PricingRules } from './orders/totals.ts'
import type { PaymentProvider } from './payment/payment-provider.ts'
import type { Records } from './records.ts'
import { pinPort, type StockDeps } from './stock/hold-service.ts'
import { stockRoutes } from './stock/stock-routes.ts'
import { stockPort } from './stock/stock-service.ts'
import { startSweeper } from './stock/sweeper.ts'
import type { StorefrontDeps } from './storefront/storefront-deps.ts'
import { problemAsPage, storefrontRoutes } from './storefront/storefront-routes.ts'

const SWEEP_MS = 1000
const RECOVERY_MS = 5000

/** What a store is made of; every part can be another one. */
export interface StoreParts {
  readonly records: Records
  readonly stock: StockDeps
  readonly database: Database
  readonly payment: PaymentProvider
  readonly log: Logger
  readonly now: () => number
  readonly pricing?: PricingRules
  /** Who sends it may move stock. */
  readonly operatorToken: string
  /** Throws when the engine does not answer. */
  readonly pingEngine: () => Promise<void>
}

export interface Store {
  readonly app: ReturnType<typeof createApp>
  readonly catalog: CatalogStore
  readonly checkout: CheckoutDeps
  /** Ends the background work, after the round that runs. */
  close(): Promise<void>
}

/** Puts the parts together and starts the sweeper of holds and the recovery of orders. */
export function createStore(parts: StoreParts): Store {
  const { records, database, log, now } = parts
  const pricing = parts.pricing ?? standardPricing
  const catalog = new CatalogStore(records, now)
  const stock = stockPort(parts.stock)
  const carts = new CartService({ carts: new CartStore(records), catalog, stock, now })
  const checkout: CheckoutDeps = {
    sql: database.sql,
    carts,
    prices: { skuRecords: (skus) => catalog.findSkus(skus) },
    stock: pinPort(parts.stock),
    payment: parts.payment,
    pricing,
    now,
    newOrderId: () => `ord_${randomBytes(16).toString('base64url')}`,
    log,
  }
  const storefront: StorefrontDeps = {
    catalog,
    carts,
    stock,
    pricing,
    now,
    newKey: randomUUID,
    api: async (path, init) => app.request(path, init),
  }
  const app = createApp({
    log,
    nextRequestId: requestIds(randomBytes(6).toString('base64url')),
    checks: {
      engine: parts.pingEngine,
      database: async () => void (await database.sql.execute(sql`select 1`)),
    },
    direct: { '/products/:id': productHandler(catalog) },
    problemPage: (c, code) => problemAsPage(c, storefront, code),
    routes: [
      catalogRoutes(catalog),
      cartRoutes(carts, now),
      stockRoutes(parts.stock, parts.operatorToken),
      checkoutRoutes(checkout),
      orderRoutes({ sql: database.sql }),
      storefrontRoutes(storefront),
    ],
  })
  const stopSweeper = startSweeper(parts.stock, SWEEP_MS)
  const stopRecovery = startRecovery(checkout, RECOVERY_MS)
  return {
    app,
    catalog,
    checkout,
    close: async () => {
      await Promise.all([stopSweeper(), stopRecovery()])
    },
  }
}
