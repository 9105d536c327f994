import type { Client } from '@larder/engine'
import type { Records } from '../records.ts'
import {
  EngineIntents,
  EngineStockLayouts,
  EngineStockRecords,
  type StockClient,
} from '../stock/engine-stock.ts'
import type { EngineConnection } from './run-start.ts'

/** What the store needs of a client of the engine. */
export type StoreClient = StockClient & Records & Pick<Client, 'info' | 'close'>

/** The store's own ways to its records, over one client. */
export function connectionOver(client: StoreClient): EngineConnection {
  return {
    records: client,
    stock: {
      records: new EngineStockRecords(client),
      intents: new EngineIntents(client),
      layouts: new EngineStockLayouts(client),
    },
    ping: async () => void (await client.info('build')),
    close: () => client.close(),
  }
}
