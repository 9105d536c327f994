/**
 * A short retail day in an open model: sessions arrive at a given rate whatever the store answers, look at products
 * of Zipf popularity, put some into a cart and buy some of those. Figures: the public clickstream named in README.
 */
import { check } from 'k6'
import exec from 'k6/execution'
import http, { type RefinedResponse } from 'k6/http'
import { Counter } from 'k6/metrics'
import type { Options } from 'k6/options'

const base = __ENV.BASE_URL ?? 'http://127.0.0.1:4000'
const VIEWS_PER_SESSION = 1.9
const VIEW_ADDS = 0.026
const ADD_BUYS = 0.32
/** An answer a shop gives to every so many buyers, and no failure. */
const SOLD_OUT = 409

http.setResponseCallback(http.expectedStatuses(200, 201, SOLD_OUT))

export const unitsPlaced = new Counter('units_placed')

export const options: Options = {
  scenarios: {
    sessions: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE ?? 40),
      timeUnit: '1s',
      duration: __ENV.DURATION ?? '20s',
      preAllocatedVUs: 50,
      maxVUs: 200,
    },
  },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
    'http_req_duration{name:product}': ['p(95)<250'],
    'http_req_duration{name:checkout}': ['p(95)<2000'],
    dropped_iterations: ['count==0'],
  },
}

interface Product {
  readonly id: string
}

export function setup(): string[] {
  const ids: string[] = []
  let cursor = ''
  do {
    const page = http.get(`${base}/products?limit=100${cursor ? `&cursor=${cursor}` : ''}`)
    const body = page.json() as unknown as { items: Product[]; nextCursor?: string | null }
    ids.push(...body.items.map(({ id }) => id))
    cursor = body.nextCursor ?? ''
  } while (cursor && ids.length < 2000)
  return ids
}

/** Rank r is drawn with weight 1/r: the inverse of the harmonic sum, approximated by its logarithm. */
function zipf(count: number): number {
  return Math.min(count - 1, Math.floor(Math.exp(Math.random() * Math.log(count + 1))) - 1)
}

function ok(response: RefinedResponse<'text'>, status: number): boolean {
  return check(response, {
    [`${response.request.method} answers ${status}`]: () => response.status === status,
  })
}

export default function session(ids: string[]): void {
  do {
    const id = ids[zipf(ids.length)]
    const page = http.get(`${base}/products/${id}`, { tags: { name: 'product' }, responseType: 'text' })
    if (ok(page, 200) && Math.random() < VIEW_ADDS) add(page)
  } while (Math.random() < 1 - 1 / VIEWS_PER_SESSION)
}

function post(path: string, body: object, name: string, headers: Record<string, string> = {}) {
  return http.post(`${base}${path}`, JSON.stringify(body), {
    headers: { 'content-type': 'application/json', ...headers },
    tags: { name },
    responseType: 'text',
  })
}

function add(page: RefinedResponse<'text'>): void {
  const { variants } = page.json() as unknown as { variants: { sku: string }[] }
  const made = post('/carts', {}, 'cart')
  if (!ok(made, 201)) return
  const { id } = made.json() as unknown as { id: string }
  const sku = variants[Math.floor(Math.random() * variants.length)]?.sku
  const line = post(`/carts/${id}/lines`, { sku, quantity: 1 }, 'line')
  if (line.status === SOLD_OUT) return
  if (!ok(line, 200)) return
  if (Math.random() < ADD_BUYS) buy(id)
}

function buy(cartId: string): void {
  const key = `${exec.scenario.iterationInTest}-${Date.now()}`
  const address = {
    name: 'A Buyer',
    line1: '1 Main Street',
    city: 'Springfield',
    postalCode: '12345',
    country: 'US',
  }
  const order = { cartId, email: 'buyer@example.com', paymentMethod: 'test-ok', address }
  const placed = post('/checkout', order, 'checkout', { 'idempotency-key': key })
  if (ok(placed, 201)) unitsPlaced.add(1)
}
