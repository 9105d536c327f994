import { setTimeout as sleep } from 'node:timers/promises'
import { stockBreaches } from '../../../shop-api/src/stock/stock-law.ts'
import type { StockKey, StockNumbers } from '../../../shop-api/src/stock/stock-record.ts'
import type { StockRecords, StockStatement } from '../../../shop-api/src/stock/stock-statement.ts'

/** Stock records of a real engine, with the law held against a record after every change that is made to it. */
export class WatchedStock implements StockRecords {
  readonly #records: StockRecords
  readonly breaches: string[] = []
  /** The next statements are carried out and then reported as in doubt. */
  doubtful = 0
  /** Changes wait for up to so long before they are sent. */
  pauseMs = 0
  /** Called before a change is sent; may wait, or reject. */
  beforeApply: (key: StockKey) => Promise<void> = () => Promise.resolve()

  constructor(records: StockRecords) {
    this.#records = records
  }

  async apply(key: StockKey, statement: StockStatement) {
    if (this.pauseMs > 0) await sleep(Math.random() * this.pauseMs)
    await this.beforeApply(key)
    const outcome = await this.#records.apply(key, statement)
    if (outcome === 'applied') {
      const record = await this.#records.readWhole(key)
      this.breaches.push(...stockBreaches(record!))
      if (this.doubtful > 0) {
        this.doubtful--
        throw new Error('The connection was lost')
      }
    }
    return outcome
  }

  look(key: StockKey, ids: readonly string[]) {
    return this.#records.look(key, ids)
  }

  lookMany(keys: readonly StockKey[]) {
    return this.#records.lookMany(keys)
  }

  readWhole(key: StockKey) {
    return this.#records.readWhole(key)
  }

  create(key: StockKey, numbers: StockNumbers) {
    return this.#records.create(key, numbers)
  }
}
