import { getRouterName } from 'hono/dev'
import { pino } from 'pino'
import { beforeAll, describe, expect, it } from 'vitest'
import { BODY_MAX_BYTES } from '../../../shop-api/src/http/app.ts'
import { listen } from '../../../shop-api/src/http/http-server.ts'
import { Face } from '../support/face.ts'

let face: Face

beforeAll(async () => {
  face = new Face()
  await face.import()
})

interface ProblemBody {
  code: string
  type: string
  status: number
  requestId: string
  errors?: { pointer: string }[]
}

describe('errors', () => {
  const cart = '/carts/AAAAAAAAAAAAAAAAAAAAAA'
  it.each([
    ['GET', '/nothing', undefined, 404, 'route-not-found'],
    ['GET', '/products/no-such', undefined, 404, 'product-not-found'],
    ['GET', '/categories/no-such', undefined, 404, 'category-not-found'],
    ['GET', '/categories/no-such/products', undefined, 404, 'category-not-found'],
    ['GET', '/products?limit=0', undefined, 422, 'validation-failed'],
    ['GET', '/products?cursor=abc', undefined, 400, 'invalid-cursor'],
    ['GET', cart, undefined, 404, 'cart-not-found'],
    ['GET', '/carts/short', undefined, 422, 'validation-failed'],
    ['POST', `${cart}/lines`, '{', 400, 'malformed-json'],
    ['POST', `${cart}/lines`, '{"sku":"X","quantity":1}', 404, 'sku-not-found'],
    ['POST', `${cart}/lines`, `"${'x'.repeat(BODY_MAX_BYTES)}"`, 413, 'body-too-large'],
  ])('%s %s is a problem with a stable code', async (method, path, body, status, code) => {
    const init = {
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    }
    const answer = await face.json<ProblemBody>(path, init)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.body).toMatchObject({ status, code, type: `/problems/${code}` })
    expect(answer.status).toBe(status)
    expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'))
  })

  it('point at the field that is wrong', async () => {
    const { body } = await face.send<ProblemBody>('POST', `${cart}/lines`, { sku: 'A', quantity: 0 })
    expect(body.errors).toMatchObject([{ pointer: '/quantity' }])
  })

  it('say unavailable, not internal-error, when the engine does not answer', async () => {
    const broken = new Face()
    broken.records.get = () => Promise.reject(Object.assign(new Error('no answer'), { reason: 'TIMEOUT' }))
    const answer = await broken.json<ProblemBody>('/products/any')
    expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([
      503,
      'unavailable',
      '1',
    ])
    broken.records.get = () => Promise.reject(new Error('secret detail'))
    const wrong = await broken.json<ProblemBody>('/products/any')
    expect([wrong.status, wrong.body.code]).toEqual([500, 'internal-error'])
    expect(JSON.stringify(wrong.body)).not.toContain('secret')
  })
})

describe('request ids', () => {
  it('are the client’s own, or made, and never what could forge a log line', async () => {
    const idFor = async (given: string) =>
      (await face.json('/health', { headers: { 'x-request-id': given } })).headers.get('x-request-id')
    expect(await idFor('trace-12345')).toBe('trace-12345')
    expect(await idFor('a b')).toMatch(/^test-/)
    expect(await idFor('{"x":1}')).toMatch(/^test-/)
  })

  it.each(['/health', '/products/no-such', '/products?limit=1'])('name every answer to %s', async (path) => {
    const server = await listen(face.app, '127.0.0.1', 0)
    const idFor = async (given: string) => {
      const answer = await fetch(server.url + path, { headers: { 'x-request-id': given } })
      return answer.headers.get('x-request-id')
    }
    expect(await idFor('trace-12345')).toBe('trace-12345')
    expect(await idFor('{"x":1}')).toMatch(/^test-/)
    await server.close()
  })

  it('name a product’s page too, and its failure, and stand in the log of both', async () => {
    const lines: { requestId?: string; path?: string; status?: number }[] = []
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line) as object) })
    const loud = new Face(log)
    await loud.import()
    const [item] = (await loud.json<{ items: { id: string }[] }>('/products?limit=1')).body.items
    const path = `/products/${item!.id}`
    const headers = { 'x-request-id': 'trace-12345' }
    const found = await loud.json(path, { headers })
    expect([found.status, found.headers.get('x-request-id')]).toEqual([200, 'trace-12345'])
    loud.records.get = () => Promise.reject(new Error('no'))
    const failed = await loud.json(path, { headers })
    expect([failed.status, failed.headers.get('x-request-id')]).toEqual([500, 'trace-12345'])
    const ours = lines.filter(({ requestId }) => requestId === 'trace-12345')
    expect(ours).toMatchObject([{ path, status: 200 }, { path, msg: 'request' }, { msg: 'request failed' }])
  })
})

describe('a product’s page from an engine in the process', () => {
  const now = new Face()
  let path = ''

  beforeAll(async () => {
    await now.import()
    const [item] = (await now.json<{ items: { id: string }[] }>('/products?limit=1')).body.items
    path = `/products/${item!.id}`
    now.records.answersNow = true
  })

  it('is made without a promise, and is the one that others get', async () => {
    const answer = now.app.fetch(new Request(`http://store${path}`))
    expect(answer).toBeInstanceOf(Response)
    const [same, later] = await Promise.all([answer, face.app.request(path)])
    expect([same.status, await same.json()]).toEqual([200, await later.json()])
    const missing = await now.json<ProblemBody>('/products/no-such')
    expect([missing.status, missing.body.code]).toEqual([404, 'product-not-found'])
    expect(missing.body.requestId).toBe(missing.headers.get('x-request-id'))
  })

  it('answers HEAD, and leaves other methods and paths to the other routes', async () => {
    const head = await now.app.request(path, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const other = await now.app.request('/health', { method: 'HEAD' })
    expect([other.status, await other.text()]).toEqual([200, ''])
    const post = await now.send<ProblemBody>('POST', path, {})
    expect([post.status, post.body.code]).toEqual([404, 'route-not-found'])
  })

  it('fails like one from elsewhere', async () => {
    const { getNow } = now.records
    now.records.getNow = () => {
      throw Object.assign(new Error('secret detail'), { reason: 'TIMEOUT' })
    }
    const { status, body } = await now.json<ProblemBody>(path)
    expect([status, body.code]).toEqual([503, 'unavailable'])
    expect(JSON.stringify(body)).not.toContain('secret')
    now.records.getNow = getNow
  })
})

describe('health', () => {
  it('is ready when every part answers, and names the one that does not', async () => {
    expect((await face.json('/ready')).body).toEqual({ status: 'ready', checks: {} })
    face.checks.engine = () => Promise.reject(new Error('no route'))
    const { status, body } = await face.json('/ready')
    expect([status, body]).toEqual([503, { status: 'not-ready', checks: { engine: 'no route' } }])
    expect((await face.json('/health')).status).toBe(200)
  })
})

describe('documentation', () => {
  it('describes every route with its problems', async () => {
    const { body } = await face.json<{
      openapi: string
      paths: Record<string, Record<string, { responses: object }>>
    }>('/openapi.json')
    expect(body.openapi).toBe('3.1.0')
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        '/products',
        '/products/{id}',
        '/categories',
        '/carts/{id}/lines',
        '/health',
        '/ready',
      ]),
    )
    expect(Object.keys(body.paths['/carts/{id}/lines']!.post!.responses)).toEqual(
      expect.arrayContaining(['200', '404', '409', '412', '422', '503']),
    )
  })

  it('is a page that loads everything from this server', async () => {
    const html = await (await face.app.request('/docs')).text()
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!)
    expect(files.length).toBeGreaterThan(2)
    for (const file of files) expect((await face.app.request(file)).status, file).toBe(200)
    expect((await face.app.request('/docs/package.json')).status).toBe(404)
  })
})

it('has no route that the fast router cannot take', async () => {
  await face.app.request('/health')
  expect(getRouterName(face.app)).toContain('RegExpRouter')
})
