import { pino } from 'pino'
import { openDatabase } from '../../../shop-api/src/database/database.ts'
import { listen } from '../../../shop-api/src/http/http-server.ts'
import { outlineOf } from '../../../shop-api/src/import/catalog-outline.ts'
import { importCatalog } from '../../../shop-api/src/import/importer.ts'
import type { CatalogSource } from '../../../shop-api/src/import/source.ts'
import { TestPaymentProvider } from '../../../shop-api/src/payment/test-provider.ts'
import { stockPort } from '../../../shop-api/src/stock/stock-service.ts'
import { createStore } from '../../../shop-api/src/store.ts'
import { startRealEngine } from './real-engine.ts'

/** The whole store behind a real socket, on an engine node of its own, with PGlite in memory. */
export async function startRealStore(source: CatalogSource) {
  const now = Date.now
  const log = pino({ level: 'silent' })
  const database = await openDatabase()
  const engine = await startRealEngine()
  const { records } = engine
  const stock = { ...engine.stock, now, log }
  const payment = new TestPaymentProvider({ sql: database.sql, now })
  const outline = await outlineOf(source, () => {})
  const importing = { records, stock: stockPort(stock), now, defaultStock: 25 }
  await importCatalog(source, outline, importing, () => {})
  const operatorToken = 'the-operator-of-the-test'
  const store = createStore({
    records,
    operatorToken,
    stock,
    database,
    payment,
    log,
    now,
    pingEngine: () => engine.ping(),
  })
  const server = await listen(store.app, '127.0.0.1', 0)
  return {
    url: server.url,
    operatorToken,
    close: async () => {
      await server.close()
      await store.close()
      await database.close()
      await engine.close()
    },
  }
}
