import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { pinPort, releaseHold, type StockDeps } from '../../../shop-api/src/stock/hold-service.ts'
import { keysOf, MAX_SPLITS, splitsOf } from '../../../shop-api/src/stock/stock-layout.ts'
import { stockBreaches } from '../../../shop-api/src/stock/stock-law.ts'
import { moveStock, transferStock } from '../../../shop-api/src/stock/stock-movement.ts'
import {
  HoldState,
  MAX_ENTRIES,
  MAX_LIVE_HOLDS,
  type HoldEntry,
  type StockNumber,
  type StockNumbers,
} from '../../../shop-api/src/stock/stock-record.ts'
import { availableUnits, createStock } from '../../../shop-api/src/stock/stock-service.ts'
import { growSplits } from '../../../shop-api/src/stock/stock-split.ts'
import type { StockRecords, StockStatement } from '../../../shop-api/src/stock/stock-statement.ts'
import { sweep } from '../../../shop-api/src/stock/sweeper.ts'
import { takeHold } from '../../../shop-api/src/stock/take-hold.ts'
import type { EngineConnection } from '../../../shop-api/src/start/run-start.ts'
import { mortalStock } from '../support/mortal-stock.ts'
import { startEmbeddedEngine } from '../support/real-engine.ts'
import { WatchedStock } from '../support/watched-stock.ts'

const MINUTE = 60_000
const MAIN = { sku: 'LAMP', location: 'main', split: 0 }

let engine: EngineConnection
let records: WatchedStock
let now: number
let deps: StockDeps

beforeEach(async () => {
  engine = await startEmbeddedEngine()
  records = new WatchedStock(engine.stock.records)
  now = Date.now()
  deps = { ...engine.stock, records, now: () => now, log: { warn: () => undefined } }
  await sweep(deps)
  return async () => {
    await engine.close()
    expect(records.breaches).toEqual([])
  }
})

const request = (holdId: string, quantity: number) => ({ holdId, sku: 'LAMP', quantity })
const take = (holdId: string, quantity: number) => takeHold(deps, request(holdId, quantity))
const units = async () => (await availableUnits(deps, ['LAMP'])).get('LAMP')
const splitKeys = async () => keysOf('LAMP', (await deps.layouts.find('LAMP'))!)
const stockOf = (quantity: number) => createStock(deps, { sku: 'LAMP', location: 'main', quantity })

async function whole() {
  const found = await Promise.all(
    splitsOf('LAMP', 'main', MAX_SPLITS).map((key) => engine.stock.records.readWhole(key)),
  )
  return found.filter((record) => record !== undefined)
}

const sumOf = (all: readonly (StockNumbers | undefined)[], name: StockNumber) =>
  all.reduce((total, each) => total + (each?.[name] ?? 0), 0)

/** Fills the first record with holds of one unit each, as that many customers would. */
async function fill(count: number): Promise<void> {
  const entry: HoldEntry = {
    state: HoldState.held,
    quantity: 1,
    deadline: now + MINUTE,
    order: 0,
    endedAt: 0,
  }
  await records.apply(MAIN, {
    conditions: [],
    changes: {
      add: { available: -count, held: count, live: count },
      put: Array.from({ length: count }, (_, i) => [`f${i}.LAMP.1`, entry] as const),
    },
  })
}

describe('a location with more holds than a record takes', () => {
  test('gets more records, keeps every hold, and sells the last unit wherever it lies', async () => {
    await stockOf(600)
    const ids = Array.from({ length: 700 }, (_, i) => `c${i}.LAMP.1`)
    const outcomes = await Promise.all(ids.map((id) => takeHold(deps, request(id, 1))))
    const held = outcomes.flatMap((outcome) => (outcome.kind === 'held' ? [outcome.hold] : []))
    expect(outcomes.filter(({ kind }) => kind === 'unsettled')).toEqual([])
    expect(held).toHaveLength(600)
    expect((await splitKeys()).length).toBeGreaterThanOrEqual(4)
    for (const { numbers } of await whole()) expect(numbers.live).toBeLessThanOrEqual(MAX_LIVE_HOLDS)
    expect(await units()).toBe(0)

    expect(await Promise.all(held.map(({ holdId }) => takeHold(deps, request(holdId, 1))))).toEqual(
      held.map((each) => ({ kind: 'held', hold: each })),
    )
    const pins = pinPort(deps)
    for (const each of held.slice(0, 40)) {
      expect(await pins.pin({ sku: 'LAMP', ...each }, 7)).toBe('pinned')
      expect(await pins.sell({ sku: 'LAMP', ...each }, 7)).toBe('sold')
    }
    for (const each of held.slice(40, 80)) await releaseHold(deps, 'LAMP', each)
    expect(await units()).toBe(40)
    // One customer wants them all, from wherever they lie.
    expect((await take('rich.LAMP.1', 40)).kind).toBe('held')
    expect(await take('late.LAMP.1', 1)).toEqual({ kind: 'sold-out', available: 0 })
    now += 16 * MINUTE
    await sweep(deps)
    expect(await units()).toBe(560)
  })

  test('adds up as a whole at every moment while it grows', async () => {
    await stockOf(900)
    let isSelling = true
    const samples: string[] = []
    let count = 0
    const sampling = (async () => {
      const keys = splitsOf('LAMP', 'main', 16)
      while (isSelling) {
        // One batch to one node: all records of one moment.
        const all = await engine.stock.records.lookMany(keys)
        const here = sumOf(all, 'available') + sumOf(all, 'held') + sumOf(all, 'sold')
        const underWay = sumOf(all, 'moving')
        if (here + underWay !== 900 || underWay < 0) samples.push(`${here} here, ${underWay} under way`)
        count++
        await turn()
      }
    })()
    const pins = pinPort(deps)
    const buy = async (id: number) => {
      const outcome = await take(`c${id}.LAMP.1`, 1 + (id % 3))
      if (outcome.kind !== 'held') return outcome.kind
      if (id % 4 === 0) await releaseHold(deps, 'LAMP', outcome.hold)
      else if (id % 4 === 1) {
        const hold = { sku: 'LAMP', ...outcome.hold }
        expect(await pins.pin(hold, id)).toBe('pinned')
        expect(await pins.sell(hold, id)).toBe('sold')
      }
      return outcome.kind
    }
    records.pauseMs = 3
    const kinds = await Promise.all(Array.from({ length: 700 }, (_, id) => buy(id)))
    isSelling = false
    await sampling
    expect(samples).toEqual([])
    expect(count).toBeGreaterThan(20)
    expect(kinds.filter((kind) => kind === 'held').length).toBeGreaterThan(400)
    expect((await splitKeys()).length).toBeGreaterThanOrEqual(2)
    expect(
      sumOf(
        (await whole()).map(({ numbers }) => numbers),
        'moving',
      ),
    ).toBe(0)
  })

  test('never says sold out while units are on their way from one record to another', async () => {
    await stockOf(5)
    await growSplits(deps, 'LAMP', 'main', 1)
    const to = { ...MAIN, split: 1 }
    records.beforeApply = ({ split }) =>
      split === 1 ? Promise.reject(new Error('killed')) : Promise.resolve()
    expect((await transferStock(deps, MAIN, to, { id: 't', quantity: 5 })).kind).toBe('unsettled')
    records.beforeApply = () => Promise.resolve()
    expect(await take('c.LAMP.1', 5)).toMatchObject({ kind: 'unsettled' })
    expect(await take('d.LAMP.1', 6)).toEqual({ kind: 'sold-out', available: 0 })
    now += MINUTE
    await sweep(deps)
    expect(await take('c.LAMP.1', 5)).toMatchObject({ kind: 'held' })
  })

  test('a line keeps its record while its location grows', async () => {
    await stockOf(5)
    const first = await take('c.LAMP.1', 3)
    await growSplits(deps, 'LAMP', 'main', 1)
    await growSplits(deps, 'LAMP', 'main', 2)
    const replaces = first.kind === 'held' ? first.hold : undefined
    const second = await takeHold(deps, { ...request('c.LAMP.2', 5), replaces })
    expect(second).toMatchObject({ kind: 'held' })
    expect(await units()).toBe(0)
    expect(await take('c.LAMP.1', 3)).toEqual({ kind: 'ended' })
  })

  test('a line whose hold ended has its next one at the new home, once', async () => {
    await stockOf(5)
    const first = await take('c.LAMP.1', 3)
    await growSplits(deps, 'LAMP', 'main', 1)
    const replaces = first.kind === 'held' ? first.hold : undefined
    if (replaces) await releaseHold(deps, 'LAMP', replaces)
    const copies = [1, 2, 3].map(() => takeHold(deps, { ...request('c.LAMP.2', 5), replaces }))
    expect((await Promise.all(copies)).map(({ kind }) => kind)).toEqual(['held', 'held', 'held'])
    expect(await units()).toBe(0)
    expect((await records.readWhole({ ...MAIN, split: 1 }))!.numbers.held).toBe(5)
  })

  test('a record full of ended holds forgets the old ones, or gets another beside it', async () => {
    await stockOf(5)
    const old = (endedAt: number): HoldEntry => ({
      state: HoldState.released,
      quantity: 1,
      deadline: 0,
      order: 0,
      endedAt,
    })
    const put = (endedAt: number) =>
      records.apply(MAIN, {
        conditions: [],
        changes: {
          put: Array.from({ length: MAX_ENTRIES }, (_, i) => [`old${i}.LAMP.1`, old(endedAt)] as const),
        },
      })
    await put(now - 10 * MINUTE)
    expect(await take('c.LAMP.1', 1)).toMatchObject({ kind: 'held' })
    expect((await splitKeys()).length).toBe(1)
    await put(now)
    expect(await take('d.LAMP.1', 1)).toMatchObject({ kind: 'held' })
    expect((await splitKeys()).length).toBe(2)
    expect(await units()).toBe(3)
  })
})

/** The same engine seen by another process, which does not wait for the turns of this one. */
function otherProcess(rewrite: (statement: StockStatement) => StockStatement = (same) => same): StockDeps {
  const own: StockRecords = engine.stock.records
  return {
    ...deps,
    records: {
      apply: (key, statement) => own.apply(key, rewrite(statement)),
      look: (key, ids) => own.look(key, ids),
      lookMany: (keys) => own.lookMany(keys),
      readWhole: (key) => own.readWhole(key),
      create: (key, numbers) => own.create(key, numbers),
    },
  }
}

describe('growth', () => {
  test('by several processes at once happens once; without its condition it does not', async () => {
    const splitsAfter = async (rewrite?: (statement: StockStatement) => StockStatement) => {
      await Promise.all([1, 2, 3].map(() => growSplits(otherProcess(rewrite), 'LAMP', 'main', 1)))
      return (await whole()).map(({ numbers }) => numbers.splits)
    }
    await stockOf(5)
    expect(await splitsAfter()).toEqual([2, 2])
    await engine.close()
    engine = await startEmbeddedEngine()
    deps = { ...engine.stock, now: () => now, log: deps.log }
    await stockOf(5)
    expect(await splitsAfter(({ changes }) => ({ conditions: [], changes }))).not.toEqual([2, 2])
  })

  const UNITS = 300
  test.each([true, false])('is killed at every operation (the last one done: %s)', async (isLastDone) => {
    let deaths = 0
    for (let after = 1, isAlive = false; !isAlive; after++) {
      await stockOf(UNITS)
      await fill(MAX_LIVE_HOLDS)
      const { stock, isDead } = mortalStock(engine.stock, { after, isLastDone })
      const outcome = await takeHold({ ...deps, ...stock }, request('victim.LAMP.1', 2))
      isAlive = !isDead()
      if (isAlive) expect(outcome.kind).toBe('held')
      else deaths++

      // Others go on at once: they sell, and no unit more than there is.
      expect(await take('other.LAMP.1', 2), `killed at ${after}`).toMatchObject({ kind: 'held' })
      now += 20_000
      await sweep(deps)
      const rest = (await units())!
      const victims = (await whole()).flatMap(({ holds }) => holds.get('victim.LAMP.1') ?? [])
      expect(victims.length).toBeLessThanOrEqual(1)
      expect(rest, `killed at ${after}`).toBe(UNITS - MAX_LIVE_HOLDS - 2 - 2 * victims.length)
      expect((await take('rich.LAMP.1', rest)).kind).toBe('held')
      const all = await whole()
      expect(all.flatMap(stockBreaches)).toEqual([])
      const numbers = all.map((record) => record.numbers)
      expect([sumOf(numbers, 'onHand'), sumOf(numbers, 'moving')]).toEqual([UNITS, 0])

      await engine.close()
      engine = await startEmbeddedEngine()
      records = new WatchedStock(engine.stock.records)
      deps = { ...engine.stock, records, now: () => now, log: deps.log }
      await sweep(deps)
    }
    expect(deaths).toBeGreaterThan(12)
  })

  test('a delivery reaches customers at every record', async () => {
    await stockOf(MAX_LIVE_HOLDS)
    await fill(MAX_LIVE_HOLDS)
    expect(await take('c.LAMP.1', 1)).toEqual({ kind: 'sold-out', available: 0 })
    await moveStock(deps, MAIN, 'delivery', { kind: 'receive', quantity: 3 })
    const ids = ['c.LAMP.1', 'd.LAMP.1', 'e.LAMP.1', 'f.LAMP.1']
    const kinds = (await Promise.all(ids.map((id) => take(id, 1)))).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'held')).toHaveLength(3)
    expect(kinds.filter((kind) => kind === 'sold-out')).toHaveLength(1)
  })
})
