import { describe, expect, test } from 'vitest'
import { runFlashSale } from './flash-sale.ts'

const [buyers, units] = [1000, 100]

describe('more buyers than units, through the HTTP server', () => {
  test(`of ${units} units exactly as many are sold to ${buyers} buyers, and the law holds at every change`, async () => {
    const result = await runFlashSale({ buyers, units, holdMs: 1500, patienceMs: 90_000 })
    expect(result.breaches).toEqual([])
    expect(result).toMatchObject({ sold: units, placed: units, unitsOrdered: units, charges: units })
    expect(result.lateDuplicates).toBeGreaterThan(0)
    expect(result.unanswered).toBe(0)
    expect(result.samples).toBeGreaterThan(units)
  })

  // Late copies of a take only reach the stock while there is some left, so that case sells more units.
  test.each([
    ['enough', 20, 0],
    ['never-seen', 150, 400],
  ])('without the condition %s it does not add up', async (without, units, rushMs) => {
    const options = { buyers: 200, units, holdMs: 800, patienceMs: 30_000, rushMs, without }
    const result = await runFlashSale(options)
    expect(result.breaches).not.toEqual([])
  })
})
