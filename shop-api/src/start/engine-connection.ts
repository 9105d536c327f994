import type { Records } from '../records.ts'
import {
  EngineIntents,
  EngineStockLayouts,
  EngineStockRecords,
  type StockEngine,
} from '../stock/engine-stock.ts'
import type { EngineConnection } from './run-start.ts'

/** What of @larder/engine reaches a node: a connected client and the builders. */
export interface EngineLibrary<Operation, Expression> extends Omit<
  StockEngine<Operation, Expression>,
  'client'
> {
  connect(options: {
    readonly hosts: string[]
  }): Promise<
    StockEngine<Operation, Expression>['client'] &
      Records & { info(command: string): Promise<unknown>; close(): Promise<void> }
  >
}

/** Connects the store to the nodes at these addresses. */
export async function connectEngine<Operation, Expression>(
  library: EngineLibrary<Operation, Expression>,
  hosts: string[],
): Promise<EngineConnection> {
  const client = await library.connect({ hosts })
  const { op, map, exp } = library
  const engine: StockEngine<Operation, Expression> = { client, op, map, exp }
  return {
    records: client,
    stock: {
      records: new EngineStockRecords(engine),
      intents: new EngineIntents(engine),
      layouts: new EngineStockLayouts(engine),
    },
    ping: async () => void (await client.info('build')),
    close: () => client.close(),
  }
}
