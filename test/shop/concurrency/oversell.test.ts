import { describe, expect, test } from 'vitest'
import { runFlashSale } from './flash-sale.ts'

/** The whole sale takes minutes on a busy machine: it belongs to the long runs. */
const [buyers, units] = process.env.LARDER_LONG === '1' ? [1000, 100] : [200, 20]

describe('more buyers than units, through the HTTP server', () => {
  test(`of ${units} units exactly as many are sold to ${buyers} buyers, and the law holds at every change`, async () => {
    const result = await runFlashSale({ buyers, units, holdMs: 1500, patienceMs: 90_000 })
    expect(result.breaches).toEqual([])
    expect(result).toMatchObject({ sold: units, placed: units, unitsOrdered: units, charges: units })
    expect(result.lateDuplicates).toBeGreaterThan(0)
    expect(result.samples).toBeGreaterThan(units)
  })

  // Late copies of a take only reach the stock while there is some left, so that case sells more units.
  test.each([
    ['enough', 20],
    ['never-seen', 150],
  ])('without the condition %s it does not add up', async (without, units) => {
    const result = await runFlashSale({ buyers: 200, units, holdMs: 800, patienceMs: 30_000, without })
    expect(result.breaches).not.toEqual([])
  })
})
