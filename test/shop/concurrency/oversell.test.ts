import { describe, expect, test } from 'vitest'
import { runFlashSale } from './flash-sale.ts'

describe('1,000 buyers for 100 units, through the HTTP server', () => {
  test('exactly 100 are sold, and the law holds at every change', async () => {
    const result = await runFlashSale({ buyers: 1000, units: 100, holdMs: 1500, patienceMs: 90_000 })
    expect(result.breaches).toEqual([])
    expect(result).toMatchObject({ sold: 100, placed: 100, unitsOrdered: 100, charges: 100 })
    expect(result.lateDuplicates).toBeGreaterThan(5)
    expect(result.samples).toBeGreaterThan(300)
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
