import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { CartService } from '../../../shop-api/src/carts/cart-service.ts'
import { CartStore } from '../../../shop-api/src/carts/cart-store.ts'
import { cartRoutes } from '../../../shop-api/src/carts/cart-routes.ts'
import type { CheckoutDeps } from '../../../shop-api/src/checkout/checkout-ports.ts'
import { checkoutRoutes } from '../../../shop-api/src/checkout/checkout-routes.ts'
import { startRecovery } from '../../../shop-api/src/checkout/recovery.ts'
import { openDatabase, type Database } from '../../../shop-api/src/database/database.ts'
import { orderLines, orders, testCharges } from '../../../shop-api/src/database/schema.ts'
import { createApp } from '../../../shop-api/src/http/app.ts'
import { listen } from '../../../shop-api/src/http/http-server.ts'
import { standardPricing } from '../../../shop-api/src/orders/totals.ts'
import { TestPaymentProvider } from '../../../shop-api/src/payment/test-provider.ts'
import { pinPort, type StockDeps } from '../../../shop-api/src/stock/hold-service.ts'
import { stockBreaches } from '../../../shop-api/src/stock/stock-law.ts'
import type { StockRecord } from '../../../shop-api/src/stock/stock-record.ts'
import type { StockRecords, StockStatement } from '../../../shop-api/src/stock/stock-statement.ts'
import { createStock, stockPort } from '../../../shop-api/src/stock/stock-service.ts'
import { startSweeper, sweep } from '../../../shop-api/src/stock/sweeper.ts'
import type { EngineConnection } from '../../../shop-api/src/start/run-start.ts'
import { startRealEngine } from '../support/real-engine.ts'

/**
 * A flash sale through the real HTTP server on a real engine node: buyers add to their carts and check out, send requests twice, try
 * again after failures, leave carts behind until their holds end; and one take in five arrives at the stock record
 * a second time, some at once and some after the hold it made has ended.
 */
export interface FlashSale {
  readonly buyers: number
  readonly units: number
  readonly holdMs: number
  readonly patienceMs: number
  /** How far apart buyers come and try again; 400 ms unless told. */
  readonly rushMs?: number
  /** Takes this condition out of the take. */
  readonly without?: string
  /** The shelves are full and the buyers come. */
  readonly onOpen?: () => void
  /** Another engine than one node that nothing happens to. */
  readonly engine?: () => Promise<EngineConnection>
}

export interface FlashSaleResult {
  readonly sold: number
  readonly breaches: readonly string[]
  readonly unitsOrdered: number
  readonly charges: number
  readonly placed: number
  readonly samples: number
  readonly lateDuplicates: number
  /** Looks at the stock record, and late copies of takes, that the engine did not answer. */
  readonly unanswered: number
}

const address = {
  name: 'Ada',
  line1: '1 Main Street',
  city: 'Springfield',
  postalCode: '12345',
  country: 'US',
}
const headers = { 'content-type': 'application/json' }
const chance = (odds: number) => Math.random() < odds

interface Sale {
  readonly url: string
  readonly rushMs: number
  over: () => boolean
}

async function call(url: string, method: string, body?: object, more: Record<string, string> = {}) {
  const payload = body === undefined ? {} : { body: JSON.stringify(body) }
  const once = () => fetch(url, { method, headers: { ...headers, ...more }, ...payload })
  const [first, second] = await Promise.all([once(), chance(0.15) && method !== 'POST' ? once() : undefined])
  await second?.text()
  return { status: first.status, body: (await first.json()) as { id?: string } }
}

async function pay(sale: Sale, cartId: string): Promise<boolean> {
  const key = { 'idempotency-key': randomUUID() }
  const request = {
    cartId,
    email: 'ada@example.com',
    address,
    paymentMethod: chance(0.05) ? 'test-unreachable' : 'test-ok',
  }
  for (let attempt = 0; attempt < 20; attempt++) {
    const sent = [call(`${sale.url}/checkout`, 'POST', request, key)]
    if (chance(0.3)) sent.push(call(`${sale.url}/checkout`, 'POST', request, key))
    const answers = await Promise.all(sent)
    if (answers.some((answer) => answer.status === 201)) return true
    if (!answers.some((answer) => answer.status === 503 || answer.status === 409)) return false
    await sleep(50 + Math.random() * 100)
  }
  return false
}

async function buy(sale: Sale): Promise<void> {
  const cart = (await call(`${sale.url}/carts`, 'POST')).body.id!
  let isUndecided = chance(0.3)
  while (!sale.over()) {
    await sleep(Math.random() * sale.rushMs)
    const line = await call(`${sale.url}/carts/${cart}/lines/LAMP`, 'PUT', { quantity: 1 })
    if (line.status !== 200) {
      // Nobody looks five times a second whether somebody else has left a cart behind.
      await sleep(500 + Math.random() * 2500)
      continue
    }
    if (isUndecided) {
      isUndecided = chance(0.3)
      await sleep(2500)
    } else if (await pay(sale, cart)) return
  }
}

/** The take, without one condition where asked for; late copies of it are sent again by the test. */
function rewrite({ without }: FlashSale, seen: (statement: StockStatement) => void) {
  return (statement: StockStatement): StockStatement => {
    const conditions = statement.conditions.filter((condition) => condition.name !== without)
    const rewritten = { ...statement, conditions }
    if (chance(0.2)) seen(rewritten)
    return rewritten
  }
}

async function books(database: Database) {
  const placed = (await database.sql.select().from(orders)).filter((order) => order.placedAt)
  const numbers = new Set(placed.map((order) => order.number))
  const lines = (await database.sql.select().from(orderLines)).filter((line) => numbers.has(line.orderNumber))
  const charges = (await database.sql.select().from(testCharges)).filter(
    (each) => each.outcome === 'captured',
  )
  return {
    placed: placed.length,
    unitsOrdered: lines.reduce((sum, line) => sum + line.quantity, 0),
    charges: charges.length,
  }
}

export async function runFlashSale(options: FlashSale): Promise<FlashSaleResult> {
  const now = Date.now
  const log = pino({ level: 'silent' })
  const database = await openDatabase()
  const engine = await (options.engine ?? startRealEngine)()
  const { records } = engine.stock
  const key = { sku: 'LAMP', location: 'main', split: 0 }
  const late: Promise<unknown>[] = []
  let unanswered = 0
  const count = (): undefined => {
    unanswered++
  }
  const rewriteTake = rewrite(options, (statement) => {
    const delay = chance(0.5) ? 20 : options.holdMs + 1800
    late.push(sleep(delay).then(() => records.apply(key, inTimeAgain(statement)).catch(count)))
  })
  const stock: StockDeps = {
    ...engine.stock,
    records: slowly(records),
    now,
    holdMs: options.holdMs,
    log,
    rewriteTake,
  }
  await sweep(stock)
  await createStock(stock, { sku: 'LAMP', location: 'main', quantity: options.units })
  const price = { amount: 2000, currency: 'USD' as const }
  const record = {
    sku: 'LAMP',
    productId: 'lamp',
    title: 'Lamp',
    variantTitle: 'Brass',
    price,
    category: 'lamps',
  }
  const catalog = { findSku: async (sku: string) => (sku === 'LAMP' ? record : undefined) }
  const carts = new CartService({
    carts: new CartStore(engine.records),
    catalog,
    stock: stockPort(stock),
    now,
  })
  const checkout: CheckoutDeps = {
    sql: database.sql,
    carts,
    prices: { skuRecords: async () => new Map([['LAMP', record]]) },
    stock: pinPort(stock),
    payment: new TestPaymentProvider({ sql: database.sql, now }),
    pricing: standardPricing,
    now,
    newOrderId: () => `ord_${randomBytes(16).toString('base64url')}`,
    log,
    stalledMs: 5000,
  }
  const app = createApp({
    log,
    nextRequestId: randomUUID,
    checks: {},
    routes: [cartRoutes(carts, now), checkoutRoutes(checkout)],
  })
  const server = await listen(app, '127.0.0.1', 0)
  const stops = [startSweeper(stock, 100), startRecovery(checkout, 500)]
  options.onOpen?.()
  const end = now() + options.patienceMs
  const watch = new Watch(() => records.readWhole(key).catch(count))
  const over = () => now() > end || watch.sold >= options.units || watch.breaches.length > 0
  const sale: Sale = { url: server.url, rushMs: options.rushMs ?? 400, over }
  try {
    await Promise.all(Array.from({ length: options.buyers }, () => buy(sale)))
    await Promise.all(late)
  } finally {
    await server.close()
    for (const stop of stops) await stop()
    await watch.stop()
  }
  const { sold, breaches, samples } = watch
  const result = {
    sold,
    breaches,
    samples,
    lateDuplicates: late.length,
    unanswered,
    ...(await books(database)),
  }
  await database.close()
  await engine.close()
  return result
}

/** Half of the changes are under way for a while, so that requests overtake each other. */
function slowly(records: StockRecords): StockRecords {
  return {
    apply: async (key, statement) => {
      if (chance(0.5)) await sleep(Math.random() * 40)
      return records.apply(key, statement)
    },
    look: (key, ids) => records.look(key, ids),
    lookMany: (keys) => records.lookMany(keys),
    readWhole: (key) => records.readWhole(key),
    create: (key, numbers) => records.create(key, numbers),
  }
}

/** Reads the stock record again and again while the sale goes on, and holds the law against it. */
class Watch {
  readonly breaches: string[] = []
  samples = 0
  sold = 0
  readonly #read: () => Promise<StockRecord | undefined>
  readonly #watching: Promise<void>
  #isOver = false

  constructor(read: () => Promise<StockRecord | undefined>) {
    this.#read = read
    this.#watching = this.#watch()
  }

  /** After one last look. */
  async stop(): Promise<void> {
    this.#isOver = true
    await this.#watching
    await this.#look()
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      await this.#look()
      await sleep(5)
    }
  }

  async #look(): Promise<void> {
    const record = await this.#read()
    if (!record) return
    this.samples++
    this.sold = record.numbers.sold
    if (this.breaches.length < 20) this.breaches.push(...stockBreaches(record))
  }
}

/** The late copy is not refused for its age alone, so that the other conditions have to stand by themselves. */
function inTimeAgain(statement: StockStatement): StockStatement {
  return { ...statement, conditions: statement.conditions.filter(({ kind }) => kind !== 'not-after') }
}
