import { createServer } from 'node:http'
import { expect, it } from 'vitest'
import { auditStock } from '../../loadtest/src/stock-audit.ts'

const whole = { available: 3, held: 1, onHand: 4, sold: 2, breaches: [] }

/** A store of two pages with one product and one SKU each. */
async function audit(second: object) {
  const answers: Record<string, unknown> = {
    '/products?limit=100': { items: [{ id: 'a' }], nextCursor: 'next' },
    '/products?limit=100&cursor=next': { items: [{ id: 'b' }], nextCursor: null },
    '/products/a': { variants: [{ sku: 'A' }] },
    '/products/b': { variants: [{ sku: 'B' }] },
    '/stock/A': { locations: [whole] },
    '/stock/B': { locations: [whole, second] },
  }
  const server = createServer((request, response) => response.end(JSON.stringify(answers[request.url!])))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  try {
    return await auditStock(`http://127.0.0.1:${port}`)
  } finally {
    server.close()
  }
}

it('adds up what was sold over all pages and records', async () => {
  expect(await audit(whole)).toEqual({ skus: 2, sold: 6, breaches: [] })
})

it.each([
  ['below zero', { ...whole, available: -1, onHand: 0 }],
  ['not the sum', { ...whole, onHand: 5 }],
  ['said by the store', { ...whole, breaches: ['held is not the sum of the holds'] }],
])('finds stock that is %s', async (_name, record) => {
  expect((await audit(record)).breaches).toHaveLength(1)
})
