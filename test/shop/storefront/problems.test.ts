import { beforeEach, describe, expect, it } from 'vitest'
import { Face } from '../support/face.ts'

let face: Face
beforeEach(async () => {
  face = new Face()
  await face.import()
})

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

async function typeOf(path: string, headers: Record<string, string>) {
  const answer = await face.app.request(path, { headers })
  return `${answer.status} ${answer.headers.get('content-type')?.split(';')[0]}`
}

describe('a problem', () => {
  it('is a page for a browser where no route of the API answers, and JSON for a program', async () => {
    for (const path of ['/nothing', '/shop/nothing', '/docs/nothing.js']) {
      const isRoute = path.startsWith('/docs')
      expect(await typeOf(path, browser)).toBe(isRoute ? '404 application/problem+json' : '404 text/html')
      expect(await typeOf(path, { accept: '*/*' })).toBe('404 application/problem+json')
    }
    expect(await typeOf('/products/nothing', browser)).toBe('404 application/problem+json')
  })

  it('is a page of the shop even when the engine does not answer', async () => {
    face.time += 10_000
    face.records.get = () => Promise.reject(Object.assign(new Error('no'), { reason: 'TIMEOUT' }))
    const answer = await face.app.request('/', { headers: browser })
    expect(answer.status).toBe(503)
    expect(await answer.text()).toContain('A part of the store cannot be reached')
    expect(await typeOf('/products/any', browser)).toBe('503 application/problem+json')
  })
})

describe('the checkout form', () => {
  async function keyAfter(status: number, code: string): Promise<string | undefined> {
    const { id, variants } = await firstProduct()
    const added = await face.app.request('/shop/cart/add', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'http://localhost' },
      body: new URLSearchParams({ sku: variants[0]!.sku, quantity: '1' }),
    })
    expect([id, added.status]).toEqual([id, 303])
    face.api = async () => Response.json({ code, title: 'x', detail: 'y' }, { status })
    const cookie = added.headers.get('set-cookie')!.split(';')[0]!
    const answer = await face.app.request('/shop/checkout', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'http://localhost',
        cookie,
      },
      body: new URLSearchParams({ key: 'the-first-key', email: 'ada@example.com' }),
    })
    expect(answer.status).toBe(status)
    return /name="key" value="([^"]*)"/.exec(await answer.text())?.[1]
  }

  async function firstProduct() {
    const { body } = await face.json<{ items: { id: string }[] }>('/products?limit=1')
    return (await face.json<{ id: string; variants: { sku: string }[] }>(`/products/${body.items[0]!.id}`))
      .body
  }

  it.each([
    [503, 'payment-unsettled', 'the-first-key'],
    [503, 'stock-unsettled', 'the-first-key'],
    [409, 'idempotency-in-flight', 'the-first-key'],
    [500, 'internal-error', 'the-first-key'],
    [402, 'payment-declined', 'key-of-the-test'],
    [409, 'price-changed', 'key-of-the-test'],
  ])('after %s %s is sent again with the key %s', async (status, code, key) => {
    expect(await keyAfter(status, code)).toBe(key)
  })
})
