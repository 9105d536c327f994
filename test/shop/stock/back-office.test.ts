import { pino } from 'pino'
import { beforeEach, describe, expect, it } from 'vitest'
import { requestIds } from '../../../shop-api/src/http/access-log.ts'
import { createApp } from '../../../shop-api/src/http/app.ts'
import { stockRoutes } from '../../../shop-api/src/stock/stock-routes.ts'
import { createStock } from '../../../shop-api/src/stock/stock-service.ts'
import type { StockDeps } from '../../../shop-api/src/stock/hold-service.ts'
import { growSplits } from '../../../shop-api/src/stock/stock-split.ts'
import { takeHold } from '../../../shop-api/src/stock/take-hold.ts'
import { StockModel } from '../support/stock-model.ts'

const TOKEN = 'the-token-of-the-operator'
const PATH = '/stock/LAMP/movements'
let deps: StockDeps
let app: ReturnType<typeof createApp>

beforeEach(async () => {
  const model = new StockModel()
  deps = { records: model, intents: model, layouts: model, now: Date.now, log: { warn: () => undefined } }
  app = createApp({
    log: pino({ level: 'silent' }),
    nextRequestId: requestIds('test'),
    checks: {},
    routes: [stockRoutes(deps, TOKEN)],
  })
  await createStock(deps, { sku: 'LAMP', location: 'main', quantity: 5 })
  await createStock(deps, { sku: 'LAMP', location: 'shop', quantity: 0 })
})

async function send(order: object, authorization: string | undefined = `Bearer ${TOKEN}`) {
  const headers = { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) }
  const response = await app.request(PATH, { method: 'POST', body: JSON.stringify(order), headers })
  const text = await response.text()
  const { code } = (text ? JSON.parse(text) : {}) as { code?: string }
  return { status: response.status, code, headers: response.headers }
}

const receive = { kind: 'receive', id: 'delivery-1', location: 'main', quantity: 10 }

async function available(location: string) {
  const response = await app.request('/stock/LAMP')
  const level = (await response.json()) as { locations: { location: string; available: number }[] }
  return level.locations
    .filter((each) => each.location === location)
    .reduce((sum, each) => sum + each.available, 0)
}

describe('who moves stock', () => {
  it.each([
    ['', 401, 'operator-token-required'],
    ['Basic b3BlcmF0b3I6eA==', 401, 'operator-token-required'],
    ['Bearer ', 401, 'operator-token-required'],
    ['Bearer another-token-of-some-length', 403, 'operator-token-wrong'],
    [`Bearer ${TOKEN}x`, 403, 'operator-token-wrong'],
  ])('with %j is refused', async (authorization, status, code) => {
    const answer = await send(receive, authorization)
    expect(answer).toMatchObject({ status, code })
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.headers.has('www-authenticate')).toBe(status === 401)
    expect(await available('main')).toBe(5)
  })

  it('with the token may, and anybody may look', async () => {
    expect(await send(receive)).toMatchObject({ status: 204 })
    expect(await send(receive, `bearer  ${TOKEN}`)).toMatchObject({ status: 204 })
    expect(await available('main')).toBe(15)
  })

  it('is told before the order is read', async () => {
    expect(await send({ kind: 'nonsense' }, '')).toMatchObject({ status: 401 })
    expect(await send({ kind: 'nonsense' })).toMatchObject({ status: 422, code: 'validation-failed' })
  })

  it('is documented, for every route that changes stock', async () => {
    const response = await app.request('/openapi.json')
    const document = (await response.json()) as {
      paths: Record<string, Record<string, { security?: unknown; responses: object }>>
      components: { securitySchemes: object }
    }
    expect(document.components.securitySchemes).toMatchObject({
      operator: { type: 'http', scheme: 'bearer' },
    })
    const changes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, route]) => (method === 'get' ? [] : [{ path, route }])),
    )
    expect(changes.map(({ path }) => path)).toEqual(['/stock/{sku}/movements'])
    for (const { route } of changes) {
      expect(route.security).toEqual([{ operator: [] }])
      expect(Object.keys(route.responses)).toEqual(expect.arrayContaining(['401', '403']))
    }
  })
})

describe('orders of the operator', () => {
  it('name the same movement by the same id, and no other by it', async () => {
    await send(receive)
    expect(await send({ ...receive, quantity: 11 })).toMatchObject({
      status: 422,
      code: 'movement-id-reused',
    })
    expect(await available('main')).toBe(15)
  })

  it.each([
    [{ ...receive, location: 'moon' }, 404, 'location-not-found'],
    [{ kind: 'transfer', id: 't', location: 'main', to: 'moon', quantity: 1 }, 404, 'location-not-found'],
    [{ kind: 'transfer', id: 't', location: 'main', to: 'main', quantity: 1 }, 422, 'validation-failed'],
    [{ kind: 'transfer', id: 't', location: 'main', to: 'shop', quantity: 6 }, 409, 'sold-out'],
    [{ kind: 'adjust', id: 'a', location: 'main', quantity: -6 }, 409, 'sold-out'],
  ])('%j is refused', async (order, status, code) => {
    expect(await send(order)).toMatchObject({ status, code })
    expect(await available('main')).toBe(5)
  })

  it('reach all units of a location that is split over several records', async () => {
    await growSplits(deps, 'LAMP', 'main', 1)
    await growSplits(deps, 'LAMP', 'main', 2)
    expect((await takeHold(deps, { holdId: 'c.LAMP.1', sku: 'LAMP', quantity: 1 })).kind).toBe('held')
    const transfer = { kind: 'transfer', id: 't', location: 'main', to: 'shop', quantity: 4 }
    expect(await send(transfer)).toMatchObject({ status: 204 })
    expect(await send(transfer)).toMatchObject({ status: 204 })
    expect([await available('main'), await available('shop')]).toEqual([0, 4])
  })
})
