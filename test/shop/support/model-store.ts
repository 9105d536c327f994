import { pino } from 'pino'
import { openDatabase } from '../../../shop-api/src/database/database.ts'
import { listen } from '../../../shop-api/src/http/http-server.ts'
import { outlineOf } from '../../../shop-api/src/import/catalog-outline.ts'
import { importCatalog } from '../../../shop-api/src/import/importer.ts'
import type { CatalogSource } from '../../../shop-api/src/import/source.ts'
import { TestPaymentProvider } from '../../../shop-api/src/payment/test-provider.ts'
import { stockPort } from '../../../shop-api/src/stock/stock-service.ts'
import { createStore } from '../../../shop-api/src/store.ts'
import { MemoryRecords } from './memory-records.ts'
import { StockModel } from './stock-model.ts'

/** The whole store behind a real socket, with PGlite in memory and models where the engine is. */
export async function startModelStore(source: CatalogSource) {
  const now = Date.now
  const log = pino({ level: 'silent' })
  const database = await openDatabase()
  const records = new MemoryRecords()
  const model = new StockModel()
  const stock = { records: model, intents: model, layouts: model, now, log }
  const payment = new TestPaymentProvider({ sql: database.sql, now })
  const outline = await outlineOf(source, () => {})
  const importing = { records, stock: stockPort(stock), now, defaultStock: 25 }
  await importCatalog(source, outline, importing, () => {})
  const store = createStore({ records, stock, database, payment, log, now, pingEngine: async () => {} })
  const server = await listen(store.app, '127.0.0.1', 0)
  return {
    url: server.url,
    close: async () => {
      await server.close()
      await store.close()
      await database.close()
    },
  }
}
