import { pino, type Logger } from 'pino'
import { cartRoutes } from '../../../shop-api/src/carts/cart-routes.ts'
import { CartService } from '../../../shop-api/src/carts/cart-service.ts'
import { CartStore } from '../../../shop-api/src/carts/cart-store.ts'
import { catalogRoutes, productHandler } from '../../../shop-api/src/catalog/catalog-routes.ts'
import { CatalogStore } from '../../../shop-api/src/catalog/catalog-store.ts'
import { requestIds } from '../../../shop-api/src/http/access-log.ts'
import { createApp } from '../../../shop-api/src/http/app.ts'
import { outlineOf } from '../../../shop-api/src/import/catalog-outline.ts'
import { generatedCatalog } from '../../../shop-api/src/import/generator.ts'
import { importCatalog } from '../../../shop-api/src/import/importer.ts'
import type { CatalogSource } from '../../../shop-api/src/import/source.ts'
import { standardPricing } from '../../../shop-api/src/orders/totals.ts'
import type { StorefrontDeps } from '../../../shop-api/src/storefront/storefront-deps.ts'
import { problemAsPage, storefrontRoutes } from '../../../shop-api/src/storefront/storefront-routes.ts'
import { MemoryRecords } from './memory-records.ts'
import { MemoryStock } from './memory-stock.ts'

/** Catalogue, carts, storefront and HTTP over records in memory, with a clock that the test sets. */
export class Face {
  readonly records = new MemoryRecords()
  time = Date.UTC(2026, 0, 1)
  readonly now = () => this.time
  readonly stock = new MemoryStock(this.now)
  readonly catalog = new CatalogStore(this.records, this.now)
  readonly carts = new CartService({
    carts: new CartStore(this.records),
    catalog: this.catalog,
    stock: this.stock,
    now: this.now,
  })
  checks: Record<string, () => Promise<void>> = {}
  readonly app: ReturnType<typeof createApp>
  /** What the pages reach the store's own API through. */
  api = async (path: string, init?: RequestInit): Promise<Response> => this.app.request(path, init)

  constructor(log: Logger = pino({ level: 'silent' })) {
    const storefront: StorefrontDeps = {
      catalog: this.catalog,
      carts: this.carts,
      stock: this.stock,
      pricing: standardPricing,
      now: this.now,
      newKey: () => 'key-of-the-test',
      api: (path, init) => this.api(path, init),
    }
    this.app = createApp({
      log,
      nextRequestId: requestIds('test'),
      checks: this.checks,
      direct: { '/products/:id': productHandler(this.catalog) },
      problemPage: (c, code) => problemAsPage(c, storefront, code),
      routes: [catalogRoutes(this.catalog), cartRoutes(this.carts, this.now), storefrontRoutes(storefront)],
    })
  }

  async import(source: CatalogSource = generatedCatalog(120)): Promise<void> {
    const outline = await outlineOf(source, () => {})
    const { records, stock, now } = this
    await importCatalog(source, outline, { records, stock, now, defaultStock: 25 }, () => {})
    this.time += 60_000
  }

  async json<T = Record<string, unknown>>(path: string, init?: RequestInit) {
    const answer = await this.app.request(path, init)
    const text = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      body: (text ? JSON.parse(text) : undefined) as T,
    }
  }

  send<T = Record<string, unknown>>(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ) {
    const init = {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }
    return this.json<T>(path, init)
  }
}
