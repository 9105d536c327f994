import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { pinPort, releaseHold, type StockDeps } from '../../../shop-api/src/stock/hold-service.ts'
import { takeHold } from '../../../shop-api/src/stock/take-hold.ts'
import {
  HoldState,
  MAX_ENTRIES,
  MAX_LIVE_HOLDS,
  type HoldEntry,
} from '../../../shop-api/src/stock/stock-record.ts'
import type { EngineConnection } from '../../../shop-api/src/start/run-start.ts'
import { moveStock, transferStock } from '../../../shop-api/src/stock/stock-movement.ts'
import { availableUnits, createStock } from '../../../shop-api/src/stock/stock-service.ts'
import { homeOf } from '../../../shop-api/src/stock/stock-layout.ts'
import { growSplits } from '../../../shop-api/src/stock/stock-split.ts'
import { takeStatement } from '../../../shop-api/src/stock/hold-change.ts'
import { sweep } from '../../../shop-api/src/stock/sweeper.ts'
import type { StockStatement } from '../../../shop-api/src/stock/stock-statement.ts'
import { startEmbeddedEngine } from '../support/real-engine.ts'
import { WatchedStock } from '../support/watched-stock.ts'

const MINUTE = 60_000
const MAIN = { sku: 'LAMP', location: 'main', split: 0 }
const SHOP = { sku: 'LAMP', location: 'shop', split: 0 }

let engine: EngineConnection
let records: WatchedStock
/** Minutes ahead of the engine's clock, as if the store's processes had waited. */
let now: number
let deps: StockDeps

async function fresh(): Promise<void> {
  engine = await startEmbeddedEngine()
  records = new WatchedStock(engine.stock.records)
  now = Date.now()
  deps = { ...engine.stock, records, now: () => now, log: { warn: () => undefined } }
  await sweep(deps)
  await createStock(deps, { sku: 'LAMP', location: 'main', quantity: 5 })
}

beforeEach(async () => {
  await fresh()
  return async () => {
    await engine.close()
    expect(records.breaches).toEqual([])
  }
})

const request = (holdId: string, quantity: number) => ({ holdId, sku: 'LAMP', quantity })
const take = (holdId: string, quantity: number) => takeHold(deps, request(holdId, quantity))
const hold = (holdId: string, quantity: number) => ({ sku: 'LAMP', holdId, location: 'main', quantity })
const numbers = async (key = MAIN) => (await records.readWhole(key))!.numbers
const units = async () => (await availableUnits(deps, ['LAMP'])).get('LAMP')

describe('taking', () => {
  test('a repeated call gets the first answer, and takes once', async () => {
    const first = await take('c.LAMP.1', 3)
    now += 1000
    expect(first.kind).toBe('held')
    expect(await take('c.LAMP.1', 3)).toEqual(first)
    expect(await units()).toBe(2)
    expect(await take('d.LAMP.1', 3)).toEqual({ kind: 'sold-out', available: 2 })
  })

  test('a take in doubt is settled on its own record', async () => {
    records.doubtful = 1
    expect((await take('c.LAMP.1', 3)).kind).toBe('held')
    expect(await units()).toBe(2)
  })

  test('a hold takes over the units of the one it replaces', async () => {
    const first = await take('c.LAMP.1', 3)
    const replaces = first.kind === 'held' ? first.hold : undefined
    const more = await takeHold(deps, { holdId: 'c.LAMP.2', sku: 'LAMP', quantity: 5, replaces })
    expect(more.kind).toBe('held')
    expect(await units()).toBe(0)
    expect(await take('c.LAMP.1', 3)).toEqual({ kind: 'ended' })
  })

  test('a record that is missing is never made by a take', async () => {
    await deps.layouts.add('GHOST', 'main', 1)
    expect(await takeHold(deps, { holdId: 'c.GHOST.1', sku: 'GHOST', quantity: 1 })).toMatchObject({
      kind: 'sold-out',
    })
    expect(await records.readWhole({ ...MAIN, sku: 'GHOST' })).toBeUndefined()
  })

  test('the next location is tried, and a repeated call stays with the first answer', async () => {
    await createStock(deps, { sku: 'LAMP', location: 'shop', quantity: 9 })
    const first = await take('c.LAMP.1', 8)
    expect(first).toMatchObject({ kind: 'held', hold: { location: 'shop' } })
    await moveStock(deps, MAIN, 'delivery', { kind: 'receive', quantity: 50 })
    expect(await take('c.LAMP.1', 8)).toEqual(first)
  })
})

/** Hold ids whose home among `splits` records is not the first one. */
function spreadIds(count: number, splits: number): string[] {
  const ids = Array.from({ length: 100 }, (_, i) => `s${i}.LAMP.1`)
  return ids.filter((id) => homeOf('LAMP', 'main', splits, id).split > 0).slice(0, count)
}

/** What goes wrong when takes lack one condition; nothing when they have all. */
const dangers: Record<string, (unguarded: StockDeps) => Promise<boolean>> = {
  enough: async (unguarded) => {
    const takes = Array.from({ length: 40 }, (_, i) => takeHold(unguarded, request(`c${i}.LAMP.1`, 1)))
    await Promise.all(takes)
    return (await numbers()).available < 0
  },
  'never-seen': async (unguarded) => {
    await Promise.all(Array.from({ length: 5 }, () => takeHold(unguarded, request('c.LAMP.1', 1))))
    return (await units()) !== 4
  },
  room: async (unguarded) => {
    await moveStock(deps, MAIN, 'delivery', { kind: 'receive', quantity: 1000 })
    await Promise.all(Array.from({ length: 400 }, (_, i) => takeHold(unguarded, request(`c${i}.LAMP.1`, 1))))
    return (await numbers()).live > MAX_LIVE_HOLDS
  },
  kept: async (unguarded) => {
    const old: HoldEntry = { state: HoldState.released, quantity: 1, deadline: 0, order: 0, endedAt: now }
    const put = Array.from({ length: MAX_ENTRIES - 1 }, (_, i) => [`old${i}.LAMP.1`, old] as const)
    await records.apply(MAIN, { conditions: [], changes: { put } })
    await Promise.all([0, 1, 2].map((i) => takeHold(unguarded, request(`c${i}.LAMP.1`, 1))))
    const entries = [...(await records.readWhole(MAIN))!.holds.values()]
    return entries.filter(({ state }) => state !== HoldState.moved).length > MAX_ENTRIES
  },
  // Two customers' requests learn at different times that the location has two records now.
  'chosen-well': async (unguarded) => {
    const id = spreadIds(1, 2)[0]!
    const slow = new WatchedStock(engine.stock.records)
    let copy: Promise<unknown> | undefined
    slow.beforeApply = async () => {
      if (copy) return
      copy = growSplits(deps, 'LAMP', 'main', 1).then(() => takeHold(deps, request(id, 1)))
      await copy
    }
    await takeHold({ ...unguarded, records: slow }, request(id, 1))
    return (await units()) !== 4
  },
  // The store slept between writing the intent and the take: the sweeper has passed, nothing would end the hold.
  'in-time': async (unguarded) => {
    records.beforeApply = async () => {
      records.beforeApply = () => Promise.resolve()
      await sleep(60)
      now = Date.now() + 30 * MINUTE
      await sweep(deps)
    }
    await takeHold({ ...unguarded, holdMs: 30 }, request('c.LAMP.1', 5))
    now += 60 * MINUTE
    await sweep(deps)
    return (await units()) !== 5
  },
  replaced: async (unguarded) => {
    const first = await take('c.LAMP.1', 3)
    if (first.kind !== 'held') throw new Error('not held')
    const replaces = first.hold
    const changes = [2, 3].map((revision) =>
      takeHold(unguarded, { ...request(`c.LAMP.${revision}`, 4), replaces }),
    )
    await Promise.all(changes)
    return records.breaches.splice(0).length > 0
  },
}

describe('every condition of a take is needed', () => {
  test('and each has its danger here', () => {
    const statement = takeStatement(
      {
        holdId: 'a',
        quantity: 1,
        deadline: 0,
        takeBy: 0,
        splits: 1,
        replaces: {
          holdId: 'b',
          entry: { state: HoldState.held, quantity: 1, deadline: 0, order: 0, endedAt: 0 },
        },
      },
      0,
    )
    expect(statement.conditions.map(({ name }) => name).sort()).toEqual(Object.keys(dangers).sort())
  })

  test.each(Object.keys(dangers))('%s', async (name) => {
    records.pauseMs = 10
    expect(await dangers[name]!(deps)).toBe(false)
    expect(records.breaches).toEqual([])
    await engine.close()
    await fresh()
    records.pauseMs = 10
    const rewriteTake = ({ conditions, changes }: StockStatement) => ({
      changes,
      conditions: conditions.filter((condition) => condition.name !== name),
    })
    expect(await dangers[name]!({ ...deps, rewriteTake })).toBe(true)
    records.breaches.length = 0
  })
})

describe('ending', () => {
  test('after its deadline a hold is swept, and a late duplicate finds it ended', async () => {
    await take('c.LAMP.1', 5)
    now += 14 * MINUTE
    expect(await sweep(deps)).toBe(0)
    now += 2 * MINUTE
    expect(await sweep(deps)).toBe(1)
    expect(await units()).toBe(5)
    expect(await take('c.LAMP.1', 5)).toEqual({ kind: 'ended' })
  })

  test('ended holds are pruned when no request can be that old', async () => {
    await take('c.LAMP.1', 1)
    const second = await take('d.LAMP.1', 1)
    if (second.kind === 'held') await releaseHold(deps, 'LAMP', second.hold)
    now += 17 * MINUTE
    await sweep(deps)
    expect([...(await records.readWhole(MAIN))!.holds.keys()]).toEqual(['c.LAMP.1'])
  })

  test('a pinned hold has no deadline, and only its order ends it', async () => {
    await take('c.LAMP.1', 2)
    const pins = pinPort(deps)
    expect(await pins.pin(hold('c.LAMP.1', 2), 7)).toBe('pinned')
    expect(await pins.pin(hold('c.LAMP.1', 2), 8)).toBe('ended')
    now += 60 * MINUTE
    expect(await sweep(deps)).toBe(0)
    await releaseHold(deps, 'LAMP', { ...hold('c.LAMP.1', 2), deadline: 0 })
    expect(await pins.sell(hold('c.LAMP.1', 2), 8)).toBe('lost')
    expect(await pins.sell(hold('c.LAMP.1', 2), 7)).toBe('sold')
    expect(await pins.sell(hold('c.LAMP.1', 2), 7)).toBe('sold')
    expect(await numbers()).toMatchObject({
      onHand: 3,
      sold: 2,
      held: 0,
      available: 3,
    })
  })

  test.each([true, false])(
    'an order that gave up (keep: %s) cannot pin any more, a newer one can',
    async (keep) => {
      await take('c.LAMP.1', 2)
      const pins = pinPort(deps)
      expect(await pins.undo(hold('c.LAMP.1', 2), 7, keep)).toBe('undone')
      expect(await pins.pin(hold('c.LAMP.1', 2), 7)).toBe('ended')
      expect(await pins.pin(hold('c.LAMP.1', 2), 8)).toBe(keep ? 'pinned' : 'ended')
    },
  )

  test('a hold kept after a decline has a new deadline, and is swept then', async () => {
    await take('c.LAMP.1', 2)
    const pins = pinPort(deps)
    await pins.pin(hold('c.LAMP.1', 2), 7)
    now += 20 * MINUTE
    await sweep(deps)
    await pins.undo(hold('c.LAMP.1', 2), 7, true)
    now += 4 * MINUTE
    expect(await sweep(deps)).toBe(0)
    now += 2 * MINUTE
    expect(await sweep(deps)).toBe(1)
    expect(await units()).toBe(5)
  })
})

describe('movements', () => {
  test('are done once, and take only what is available', async () => {
    for (let i = 0; i < 3; i++) await moveStock(deps, MAIN, 'delivery-1', { kind: 'receive', quantity: 10 })
    expect(await units()).toBe(15)
    await take('c.LAMP.1', 10)
    const lost = await moveStock(deps, MAIN, 'count-1', { kind: 'adjust', quantity: -6 })
    expect(lost).toEqual({ kind: 'too-few', available: 5 })
    expect((await moveStock(deps, MAIN, 'count-2', { kind: 'adjust', quantity: -5 })).kind).toBe('done')
  })

  test('a transfer that crashed half-way arrives with the sweeper, once', async () => {
    await createStock(deps, { sku: 'LAMP', location: 'shop', quantity: 0 })
    records.beforeApply = ({ location }) =>
      location === 'shop' ? Promise.reject(new Error('killed')) : Promise.resolve()
    expect((await transferStock(deps, MAIN, SHOP, { id: 't1', quantity: 4 })).kind).toBe('unsettled')
    records.beforeApply = () => Promise.resolve()
    expect(await units()).toBe(1)
    now += MINUTE
    await sweep(deps)
    expect(await units()).toBe(5)
    expect((await transferStock(deps, MAIN, SHOP, { id: 't1', quantity: 4 })).kind).toBe('done')
    const other = await transferStock(deps, MAIN, SHOP, { id: 't1', quantity: 1 })
    expect(other.kind).toBe('other-movement')
    expect(await numbers(SHOP)).toMatchObject({ transferredIn: 4, available: 4 })
  })
})
