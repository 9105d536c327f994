import { beforeEach, describe, expect, test } from 'vitest'
import { pinPort, releaseHold, takeHold, type StockDeps } from '../../../shop-api/src/stock/hold-service.ts'
import { stockBreaches } from '../../../shop-api/src/stock/stock-law.ts'
import { moveStock, transferStock } from '../../../shop-api/src/stock/stock-movement.ts'
import { availableUnits, createStock } from '../../../shop-api/src/stock/stock-service.ts'
import { sweep } from '../../../shop-api/src/stock/sweeper.ts'
import type { StockRecords, StockStatement } from '../../../shop-api/src/stock/stock-statement.ts'
import { StockModel } from '../support/stock-model.ts'

/** The model with another way to apply. */
function withApply(apply: StockRecords['apply']): StockRecords {
  return {
    apply,
    look: (key, ids) => model.look(key, ids),
    lookMany: (keys) => model.lookMany(keys),
    readWhole: (key) => model.readWhole(key),
    create: (key, numbers) => model.create(key, numbers),
  }
}

const MINUTE = 60_000
const MAIN = { sku: 'LAMP', location: 'main', split: 0 }
const SHOP = { sku: 'LAMP', location: 'shop', split: 0 }

let model: StockModel
let now: number
let deps: StockDeps
let breaches: string[]

beforeEach(async () => {
  model = new StockModel()
  now = Date.now()
  model.now = () => now
  deps = { records: model, intents: model, layouts: model, now: () => now, log: { warn: () => undefined } }
  breaches = []
  model.onChange = (record) => breaches.push(...stockBreaches(record))
  await sweep(deps)
  await createStock(deps, { sku: 'LAMP', location: 'main', quantity: 5 })
  return () => {
    expect(breaches).toEqual([])
  }
})

const request = (holdId: string, quantity: number) => ({ holdId, sku: 'LAMP', quantity })
const take = (holdId: string, quantity: number) => takeHold(deps, request(holdId, quantity))
const hold = (holdId: string, quantity: number) => ({ sku: 'LAMP', holdId, location: 'main', quantity })
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
    model.doubtful = 1
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
    await model.add('GHOST', 'main', 1)
    expect(await takeHold(deps, { holdId: 'c.GHOST.1', sku: 'GHOST', quantity: 1 })).toMatchObject({
      kind: 'sold-out',
    })
    expect(model.cells.size).toBe(1)
  })

  test('the next location is tried, and a repeated call stays with the first answer', async () => {
    await createStock(deps, { sku: 'LAMP', location: 'shop', quantity: 9 })
    const first = await take('c.LAMP.1', 8)
    expect(first).toMatchObject({ kind: 'held', hold: { location: 'shop' } })
    await moveStock(deps, MAIN, 'delivery', { kind: 'receive', quantity: 50 })
    expect(await take('c.LAMP.1', 8)).toEqual(first)
  })

  test('at most 256 live holds lie in a record', async () => {
    await moveStock(deps, MAIN, 'delivery', { kind: 'receive', quantity: 1000 })
    for (let i = 0; i < 256; i++) expect((await take(`c${i}.LAMP.1`, 1)).kind).toBe('held')
    expect((await take('late.LAMP.1', 1)).kind).toBe('unsettled')
  })
})

/** What goes wrong when takes lack one condition; nothing when they have all. */
const dangers: Record<string, (unguarded: StockDeps) => Promise<boolean>> = {
  enough: async (unguarded) => {
    const takes = Array.from({ length: 40 }, (_, i) => takeHold(unguarded, request(`c${i}.LAMP.1`, 1)))
    await Promise.all(takes)
    return model.cells.get('LAMP|main|0')!.numbers.available < 0
  },
  'never-seen': async (unguarded) => {
    await Promise.all(Array.from({ length: 5 }, () => takeHold(unguarded, request('c.LAMP.1', 1))))
    return (await units()) !== 4
  },
  room: async (unguarded) => {
    await moveStock(deps, MAIN, 'delivery', { kind: 'receive', quantity: 1000 })
    await Promise.all(Array.from({ length: 400 }, (_, i) => takeHold(unguarded, request(`c${i}.LAMP.1`, 1))))
    return model.cells.get('LAMP|main|0')!.numbers.live > 256
  },
  // The store slept between writing the intent and the take: the sweeper has passed, nothing would end the hold.
  'in-time': async (unguarded) => {
    const sleepy = withApply(async (key, statement) => {
      now += 30 * MINUTE
      await sweep(deps)
      return model.apply(key, statement)
    })
    await takeHold({ ...unguarded, records: sleepy }, request('c.LAMP.1', 5))
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
    return breaches.length > 0
  },
}

describe('every condition of a take is needed', () => {
  test.each(Object.keys(dangers))('%s', async (name) => {
    model.pauseMs = 10
    model.random = () => 0.5 + Math.random() / 2
    expect(await dangers[name]!(deps)).toBe(false)
    model = new StockModel()
    model.now = () => now
    model.pauseMs = 10
    model.random = () => 0.5 + Math.random() / 2
    model.onChange = (record) => breaches.push(...stockBreaches(record))
    const rewriteTake = ({ conditions, changes }: StockStatement) => ({
      changes,
      conditions: conditions.filter((condition) => condition.name !== name),
    })
    deps = { ...deps, records: model, intents: model, layouts: model }
    await sweep(deps)
    await createStock(deps, { sku: 'LAMP', location: 'main', quantity: 5 })
    expect(await dangers[name]!({ ...deps, rewriteTake })).toBe(true)
    breaches = []
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
    expect([...model.cells.get('LAMP|main|0')!.holds.keys()]).toEqual(['c.LAMP.1'])
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
    expect(model.cells.get('LAMP|main|0')!.numbers).toMatchObject({
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
    const crashing: StockDeps = {
      ...deps,
      records: withApply((key, statement) =>
        key.location === 'shop' ? Promise.reject(new Error('killed')) : model.apply(key, statement),
      ),
    }
    expect((await transferStock(crashing, MAIN, SHOP, 't1', 4)).kind).toBe('unsettled')
    expect(await units()).toBe(1)
    now += MINUTE
    await sweep(deps)
    expect(await units()).toBe(5)
    expect((await transferStock(deps, MAIN, SHOP, 't1', 4)).kind).toBe('done')
    expect(model.cells.get('LAMP|shop|0')!.numbers).toMatchObject({ transferredIn: 4, available: 4 })
  })
})
