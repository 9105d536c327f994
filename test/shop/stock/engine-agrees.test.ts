import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  freshNumbers,
  stockNumbers,
  type HoldEntry,
  type HoldState,
} from '../../../shop-api/src/stock/stock-record.ts'
import type { StockStatement } from '../../../shop-api/src/stock/stock-statement.ts'
import { startRealEngine } from '../support/real-engine.ts'
import { StockModel } from '../support/stock-model.ts'

const id = fc.constantFrom('a.LAMP.1', 'b.LAMP.1', 'c.LAMP.1', 'd.LAMP.2')
const number = fc.constantFrom(...stockNumbers)
const value = fc.integer({ min: -3, max: 12 })
const entry: fc.Arbitrary<HoldEntry> = fc
  .tuple(fc.nat(4), fc.integer({ min: 1, max: 2 }), fc.constantFrom(0, 1_900_000_000_000), fc.nat(1))
  .map(([state, quantity, deadline, order]) => ({
    state: state as HoldState,
    quantity,
    deadline,
    order,
    endedAt: 0,
  }))
const name = fc.constant('any')
const condition = fc.oneof(
  fc.record({ name, kind: fc.constantFrom('at-least', 'below'), number, value }),
  fc.record({ name, kind: fc.constant('entry-absent'), id }),
  fc.record({ name, kind: fc.constant('entry-is'), id, entry }),
  fc.record({ name, kind: fc.constant('entries-below'), value: fc.nat(5) }),
  fc.record({
    name,
    kind: fc.constant('not-after'),
    time: fc.constantFrom(1_000_000_000_000, 4_000_000_000_000),
  }),
)
const statement: fc.Arbitrary<StockStatement> = fc.record({
  conditions: fc.array(condition, { maxLength: 3 }),
  changes: fc.record({
    add: fc.dictionary(number, value, { maxKeys: 3 }),
    put: fc.array(fc.tuple(id, entry), { minLength: 1, maxLength: 2 }),
    remove: fc.constantFrom([], ['e.LAMP.9']),
  }),
})

/** The tests of holds and checkout run on the model; this is why they say something about the engine. */
test('the engine carries statements out as the model does', async () => {
  const engine = await startRealEngine()
  const { records } = engine.stock
  let run = 0
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 8 }), async (statements) => {
        const model = new StockModel()
        const key = { sku: `LAMP${run++}`, location: 'main', split: 0 }
        expect(await records.apply(key, statements[0]!)).toBe('missing')
        for (const each of [records, model]) expect(await each.create(key, freshNumbers(5))).toBe(true)
        for (const each of [records, model]) expect(await each.create(key, freshNumbers(9))).toBe(false)
        for (const each of statements) {
          expect(await records.apply(key, each)).toBe(await model.apply(key, each))
          expect(await records.readWhole(key)).toEqual(await model.readWhole(key))
        }
        const ids = ['a.LAMP.1', 'd.LAMP.2']
        expect(await records.look(key, ids)).toEqual(await model.look(key, ids))
        expect(await records.lookMany([key])).toEqual(await model.lookMany([key]))
      }),
      { numRuns: process.env.LARDER_LONG === '1' ? 2000 : 150 },
    )
  } finally {
    await engine.close()
  }
})
