import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { HeldStock } from '../../../shop-api/src/carts/stock-port.ts'
import type { CheckoutPoint } from '../../../shop-api/src/checkout/checkout-ports.ts'
import { openDatabase } from '../../../shop-api/src/database/database.ts'
import { orders, testCharges } from '../../../shop-api/src/database/schema.ts'
import { releaseHold, type StockDeps } from '../../../shop-api/src/stock/hold-service.ts'
import { takeHold } from '../../../shop-api/src/stock/take-hold.ts'
import { stockBreaches } from '../../../shop-api/src/stock/stock-law.ts'
import { createStock } from '../../../shop-api/src/stock/stock-service.ts'
import { sweep } from '../../../shop-api/src/stock/sweeper.ts'
import { databaseKinds, type TestCluster } from '../support/databases.ts'
import { startRealEngine } from '../support/real-engine.ts'
import type { Job, ToParent, ToStore } from './messages.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const happy: CheckoutPoint[] = [
  'order-created',
  'pinning',
  'hold-pinned',
  'all-pinned',
  'paying',
  'charged',
  'placed',
  'hold-sold',
  'completed',
]
const declined: CheckoutPoint[] = ['undoing', 'hold-undone', 'cancelled']
/** Starting PGlite takes seconds, so the short run stops it in three places only. */
const isLong = process.env.LARDER_LONG === '1'
const short: CheckoutPoint[] = ['hold-pinned', 'charged', 'hold-undone']
const isPaidAt = (point: CheckoutPoint) => happy.indexOf(point) >= happy.indexOf('paying')

for (const kind of databaseKinds) {
  describe.runIf(kind.runs)(`the store process on ${kind.name}`, () => {
    let cluster: TestCluster | undefined
    let folder: string
    let engine: Awaited<ReturnType<typeof startRealEngine>>
    let stock: StockDeps
    let holds: HeldStock[]
    let now: () => number
    const children: ChildProcess[] = []

    beforeAll(() => {
      cluster = kind.start()
    })
    afterAll(() => {
      cluster?.stop()
    })
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'larder-store-'))
      if (cluster) {
        const database = await openDatabase(where())
        await database.sql.execute('truncate orders, order_lines, idempotency_keys, test_charges')
        await database.close()
      }
      now = Date.now
      // A node of its own: the test moves the clock, and the sweeper never goes back.
      engine = await startRealEngine()
      stock = { ...engine.stock, now: () => now(), log: { warn: () => undefined } }
      await sweep(stock)
      await createStock(stock, { sku: 'LAMP', location: 'main', quantity: 10 })
      holds = []
      for (const id of ['cart.LAMP.1', 'cart.OTHER.1']) {
        const outcome = await takeHold(stock, { holdId: id, sku: 'LAMP', quantity: 2 })
        if (outcome.kind === 'held') holds.push(outcome.hold)
      }
      return async () => {
        for (const child of children.splice(0)) child.kill('SIGKILL')
        await engine.close()
        rmSync(folder, { recursive: true, force: true })
      }
    })

    const where = () => (cluster ? { url: cluster.url } : { folder: join(folder, 'orders') })

    function startStore(job: Pick<Job, 'work' | 'stopAt' | 'paymentMethod'>) {
      const orderId = randomBytes(16).toString('base64url')
      const whole: Job = { ...job, database: where(), engine: engine.address, holds, orderId }
      const env = { ...process.env, LARDER_TEST_JOB: JSON.stringify(whole) }
      const child = fork(join(import.meta.dirname, 'store-process.ts'), { env, execArgv: [] })
      children.push(child)
      const outcome = new Promise<string>((resolve, reject) => {
        child.once('exit', (code, signal) => reject(new Error(`store ended: ${code} ${signal}`)))
        child.on('message', (message: ToParent) => {
          if (message.kind === 'done') resolve(message.outcome)
        })
      })
      outcome.catch(() => undefined)
      const stopped = new Promise<void>((resolve) => {
        child.on('message', (message: ToParent) => {
          if (message.kind === 'stopped') resolve()
        })
      })
      return { child, outcome, stopped: Promise.race([stopped, outcome]) }
    }

    async function books() {
      now = () => Date.now() + HOUR
      await sweep(stock)
      const database = await openDatabase(where())
      const state = (await database.sql.select().from(orders)).map((order) => order.state)
      const charges = await database.sql.select().from(testCharges)
      await database.close()
      const record = (await stock.records.readWhole({ sku: 'LAMP', location: 'main', split: 0 }))!
      expect(stockBreaches(record)).toEqual([])
      const { numbers } = record
      const captured = charges.filter((charge) => charge.outcome === 'captured').length
      return { state, captured, sold: numbers.sold, available: numbers.available, held: numbers.held }
    }

    const complete = { state: ['completed'], captured: 1, sold: 4, available: 6, held: 0 }
    const undone = { state: ['cancelled'], captured: 0, sold: 0, available: 10, held: 0 }

    const inThisRun = (point: CheckoutPoint) => isLong || kind.name === 'PostgreSQL' || short.includes(point)

    test.each(happy.filter(inThisRun))(
      'killed at %s: the order is complete or undone, and the stock adds up',
      async (point) => {
        const first = startStore({ work: 'checkout', stopAt: point, paymentMethod: 'test-ok' })
        await first.stopped
        first.child.kill('SIGKILL')
        await once(first.child, 'exit')
        const second = startStore({ work: 'recover', paymentMethod: 'test-ok' })
        expect(await second.outcome).toBe(isPaidAt(point) ? 'placed' : 'cancelled')
        await once(second.child, 'exit')
        expect(await books()).toEqual(isPaidAt(point) ? complete : undone)
      },
    )

    test.each(declined.filter(inThisRun))(
      'killed at %s after a decline: nothing is charged, the stock is back',
      async (point) => {
        const first = startStore({ work: 'checkout', stopAt: point, paymentMethod: 'test-declined' })
        await first.stopped
        first.child.kill('SIGKILL')
        await once(first.child, 'exit')
        const second = startStore({ work: 'recover', paymentMethod: 'test-declined' })
        expect(await second.outcome).toBe('cancelled')
        await once(second.child, 'exit')
        expect(await books()).toEqual(undone)
      },
    )

    // The databases differ in how they start again, not in how a process sleeps: once is enough.
    test.each(kind.name === 'PostgreSQL' ? happy.slice(0, 8) : [])(
      'paused at %s for longer than its holds live, it wakes up and does no harm',
      async (point) => {
        const sleeper = startStore({ work: 'checkout', stopAt: point, paymentMethod: 'test-ok' })
        await sleeper.stopped
        sleeper.child.kill('SIGSTOP')
        now = () => Date.now() + HOUR
        await sweep(stock)
        const other = startStore({ work: 'recover', paymentMethod: 'test-ok' })
        expect(await other.outcome).toBe(isPaidAt(point) ? 'placed' : 'cancelled')
        const before = await books()
        expect(before).toEqual(isPaidAt(point) ? complete : undone)
        sleeper.child.kill('SIGCONT')
        const wake: ToStore = { kind: 'wake' }
        sleeper.child.send(wake)
        expect(await sleeper.outcome).toMatch(/placed|cancelled/)
        expect(await books()).toEqual(before)
      },
    )

    // In real time and in the middle of whatever it does then; its holds end after half of the minute.
    const asleepAt: CheckoutPoint[] = isLong ? ['pinning', 'hold-pinned', 'paying', 'placed'] : []
    test.each(asleepAt)('asleep for a minute from %s on, it does no harm', async (point) => {
      const brief = { ...stock, holdMs: MINUTE / 2 }
      for (const hold of holds.splice(0)) await releaseHold(stock, 'LAMP', hold)
      for (const holdId of ['cart.LAMP.2', 'cart.OTHER.2']) {
        const outcome = await takeHold(brief, { holdId, sku: 'LAMP', quantity: 2 })
        if (outcome.kind === 'held') holds.push(outcome.hold)
      }
      const sleeper = startStore({ work: 'checkout', stopAt: point, paymentMethod: 'test-ok' })
      await sleeper.stopped
      const wake: ToStore = { kind: 'wake' }
      sleeper.child.send(wake)
      await sleep(Math.random() * 5)
      sleeper.child.kill('SIGSTOP')
      const sweepFor = async (milliseconds: number) => {
        for (const until = Date.now() + milliseconds; Date.now() < until; await sleep(1000))
          await sweep(stock)
      }
      await sweepFor(MINUTE * 0.75)
      // Others share a PostgreSQL; the embedded database waits with its process.
      const other =
        kind.name === 'PostgreSQL' ? startStore({ work: 'recover', paymentMethod: 'test-ok' }) : sleeper
      await sweepFor(MINUTE * 0.25)
      sleeper.child.kill('SIGCONT')
      const outcomes = [await sleeper.outcome, await other.outcome]
      expect(new Set(outcomes).size).toBe(1)
      expect(outcomes[0]).toMatch(/^(placed|cancelled)$/)
      expect(await books()).toEqual(outcomes[0] === 'placed' ? complete : undone)
    })
  })
}
