import { beforeEach, describe, expect, it } from 'vitest'
import type { CartView } from '../../../shop-api/src/carts/cart.ts'
import { HOLD_MS } from '../support/memory-stock.ts'
import { Face } from '../support/face.ts'

const SKU = 'COF0000-250-G'
let face: Face
let id: string

beforeEach(async () => {
  face = new Face()
  await face.import()
  face.stock.left.set(SKU, 10)
  const created = await face.send<CartView>('POST', '/carts', {})
  expect(created.status).toBe(201)
  id = created.body.id
})

const add = (quantity: unknown, headers = {}) =>
  face.send<CartView & { code: string; available: number }>(
    'POST',
    `/carts/${id}/lines`,
    { sku: SKU, quantity },
    headers,
  )
const set = (quantity: unknown, headers = {}) =>
  face.send<CartView & { code: string }>('PUT', `/carts/${id}/lines/${SKU}`, { quantity }, headers)
const read = () => face.json<CartView>(`/carts/${id}`)
const left = () => face.stock.left.get(SKU)

describe('carts', () => {
  it('take stock when a line is added, and price it from the catalogue', async () => {
    const { status, body } = await add(3)
    expect(status).toBe(200)
    expect(left()).toBe(7)
    const line = body.lines[0]!
    expect(line).toMatchObject({ sku: SKU, quantity: 3, hold: { state: 'held' } })
    expect(body.subtotal).toEqual({ amount: 3 * line.unitPrice.amount, currency: 'USD' })
    expect(body.itemCount).toBe(3)
  })

  it('add to a line that is there by swapping its hold for a larger one', async () => {
    await add(3)
    expect((await add(7)).body.lines).toMatchObject([{ quantity: 10 }])
    expect(left()).toBe(0)
    expect(face.stock.heldUnits).toBe(10)
  })

  it('say sold-out with what is left, and keep the line as it was', async () => {
    await add(4)
    const refused = await add(7)
    expect(refused.status).toBe(409)
    expect(refused.body).toMatchObject({ code: 'sold-out', available: 6 })
    expect((await read()).body.lines).toMatchObject([{ quantity: 4 }])
    expect(left()).toBe(6)
  })

  it('give units back when a line shrinks, is removed, or the cart ends', async () => {
    await add(5)
    await set(2)
    expect(left()).toBe(8)
    await face.json(`/carts/${id}/lines/${SKU}`, { method: 'DELETE' })
    expect(left()).toBe(10)
    await add(5)
    expect((await face.json(`/carts/${id}`, { method: 'DELETE' })).status).toBe(204)
    expect(left()).toBe(10)
    expect((await read()).status).toBe(404)
  })

  it.each([0, -1, 1.5, 100, '2', null])('refuse the quantity %j with validation-failed', async (quantity) => {
    const { status, body } = await add(quantity)
    expect(status).toBe(422)
    expect(body.code).toBe('validation-failed')
    expect(left()).toBe(10)
  })

  it('refuse a price from the client', async () => {
    const { status, body } = await face.send('POST', `/carts/${id}/lines`, {
      sku: SKU,
      quantity: 1,
      unitPrice: 1,
    })
    expect([status, body.code]).toEqual([422, 'validation-failed'])
  })

  it('refuse more than 99 units on a line', async () => {
    face.stock.left.set(SKU, 500)
    await add(99)
    expect((await add(1)).body.code).toBe('quantity-limit')
    expect(left()).toBe(401)
  })

  it('live for 30 days after each change', async () => {
    await add(1)
    expect(face.records.stored.get(`shop/carts/${id}`)?.ttl).toBe(30 * 24 * 3600)
  })

  it('renew a hold that has lapsed, on the same quantity', async () => {
    await add(2)
    face.time += HOLD_MS
    expect((await read()).body.lines).toMatchObject([{ hold: { state: 'lapsed' } }])
    expect((await set(2)).body.lines).toMatchObject([{ hold: { state: 'held' } }])
  })
})

describe('versions of a cart', () => {
  it('let a change through with the tag of the last answer, and refuse an older one', async () => {
    const first = (await read()).headers.get('etag')!
    const second = await add(1, { 'if-match': first })
    expect(second.status).toBe(200)
    expect((await add(1, { 'if-match': first })).body.code).toBe('cart-changed')
    expect(left()).toBe(9)
    expect((await read()).headers.get('etag')).toBe(second.headers.get('etag'))
    expect((await set(4, { 'if-match': `"nope", ${second.headers.get('etag')!}` })).status).toBe(200)
  })

  it('tell two versions of the same generation apart by their time', async () => {
    const before = (await read()).headers.get('etag')!
    const stored = face.records.stored.get(`shop/carts/${id}`)!
    const cart = JSON.parse(stored.bins.json as string) as { updatedAt: number }
    stored.bins.json = JSON.stringify({ ...cart, updatedAt: cart.updatedAt + 1 })
    expect((await add(1, { 'if-match': before })).status).toBe(412)
  })
})

describe('requests that meet', () => {
  it('take the units once for copies of one request', async () => {
    const answers = await Promise.all([set(2), set(2), set(2), set(2)])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(left()).toBe(8)
    expect(face.stock.heldUnits).toBe(2)
  })

  it('never take more than one copy needs, even for a moment', async () => {
    face.stock.left.set(SKU, 2)
    const answers = await Promise.all([set(2), set(2), set(2)])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  })

  it('leave the cart holding exactly what it shows, whatever the order', async () => {
    const quantities = [1, 2, 3, 4, 5]
    const answers = await Promise.all(quantities.map((quantity) => set(quantity)))
    const cart = (await read()).body
    expect(answers.some(({ status }) => status === 200)).toBe(true)
    expect(face.stock.heldUnits).toBe(cart.itemCount)
    expect(left()).toBe(10 - cart.itemCount)
  })

  it('never show more than the hold of another request at the same revision holds', async () => {
    const { promise: other, resolve: otherDone } = Promise.withResolvers<void>()
    face.records.beforeWrite = () => {
      face.records.beforeWrite = () => Promise.resolve()
      return other
    }
    const first = set(1)
    await new Promise((resolve) => setImmediate(resolve))
    const second = await set(3)
    expect(second.body.lines).toMatchObject([{ quantity: 3 }])
    expect(left()).toBe(6)
    otherDone()
    expect((await first).body.lines).toMatchObject([{ quantity: 1 }])
    expect(left()).toBe(9)
    expect(face.stock.heldUnits).toBe(1)
  })

  it('give the units back when the cart ends in between', async () => {
    face.stock.beforeHold = async () => {
      face.stock.beforeHold = () => Promise.resolve()
      await face.json(`/carts/${id}`, { method: 'DELETE' })
    }
    expect((await add(3)).body.code).toBe('cart-not-found')
    expect(left()).toBe(10)
  })

  it('finish when the write was done and its answer lost', async () => {
    const put = face.records.put.bind(face.records)
    face.records.put = async (...args) => {
      await put(...args)
      face.records.put = put
      throw Object.assign(new Error('generation'), { reason: 'GENERATION' })
    }
    expect((await add(3)).body.lines).toMatchObject([{ quantity: 3 }])
    expect(left()).toBe(7)
    expect(face.stock.heldUnits).toBe(3)
  })
})

describe('checkout’s side of a cart', () => {
  it('takes out the lines of the holds that were bought and leaves the rest', async () => {
    await add(2)
    await face.carts.addLine(id, 'TEA0001-75-G', 1)
    const lines = (await face.carts.linesForCheckout(id))!
    await face.carts.removeBought(id, [lines[0]!.hold.holdId])
    expect((await read()).body.lines.map(({ sku }) => sku)).toEqual(['TEA0001-75-G'])
    expect(await face.carts.linesForCheckout('no-such-cart')).toBeUndefined()
  })
})
