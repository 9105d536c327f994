import type { Context } from 'hono'
import { createRoute, z } from '@hono/zod-openapi'
import { SkuSchema } from '../catalog/product.ts'
import { problemResponses } from '../http/problem.ts'
import { createRouter } from '../http/router.ts'
import { CartIdSchema, CartViewSchema, QuantitySchema, etagOf, viewOf, type Cart } from './cart.ts'
import type { CartService } from './cart-service.ts'

const IfMatchSchema = z.object({
  'if-match': z
    .string()
    .max(1000)
    .optional()
    .openapi({ description: 'ETag of the cart the change is meant for' }),
})
const CartParamsSchema = z.object({ id: CartIdSchema })
const LineParamsSchema = z.object({ id: CartIdSchema, sku: SkuSchema })

const cartContent = { 'application/json': { schema: CartViewSchema } }
const etagHeader = { headers: z.object({ etag: z.string() }) }
const cartResponse = (description: string) => ({ description, content: cartContent, ...etagHeader })
const jsonBody = <T extends z.ZodType>(schema: T) => ({
  required: true,
  content: { 'application/json': { schema } },
})
const changeProblems = problemResponses(
  'malformed-json',
  'validation-failed',
  'cart-not-found',
  'sku-not-found',
  'sold-out',
  'quantity-limit',
  'cart-full',
  'currency-mismatch',
  'cart-busy',
  'cart-changed',
  'stock-unsettled',
  'unavailable',
)

const createCartRoute = createRoute({
  method: 'post',
  path: '/carts',
  tags: ['carts'],
  summary: 'A new, empty guest cart; it expires 30 days after its last change',
  responses: {
    201: cartResponse('The cart; its id is the only key to it'),
    ...problemResponses('unavailable'),
  },
})

const readCartRoute = createRoute({
  method: 'get',
  path: '/carts/{id}',
  tags: ['carts'],
  summary: 'A cart with its lines, and until when each holds its stock',
  request: { params: CartParamsSchema },
  responses: { 200: cartResponse('The cart'), ...problemResponses('validation-failed', 'cart-not-found') },
})

const addLineRoute = createRoute({
  method: 'post',
  path: '/carts/{id}/lines',
  tags: ['carts'],
  summary: 'Puts units of a SKU into the cart and takes them from stock for 15 minutes',
  request: {
    params: CartParamsSchema,
    headers: IfMatchSchema,
    body: jsonBody(z.strictObject({ sku: SkuSchema, quantity: QuantitySchema }).openapi('NewCartLine')),
  },
  responses: { 200: cartResponse('The cart with the line'), ...changeProblems },
})

const setLineRoute = createRoute({
  method: 'put',
  path: '/carts/{id}/lines/{sku}',
  tags: ['carts'],
  summary: 'Makes a line hold this quantity; safe to repeat; renews a lapsed hold',
  request: {
    params: LineParamsSchema,
    headers: IfMatchSchema,
    body: jsonBody(z.strictObject({ quantity: QuantitySchema }).openapi('CartLineQuantity')),
  },
  responses: { 200: cartResponse('The cart with the line'), ...changeProblems },
})

const removeLineRoute = createRoute({
  method: 'delete',
  path: '/carts/{id}/lines/{sku}',
  tags: ['carts'],
  summary: 'Takes a line out and gives its units back',
  request: { params: LineParamsSchema, headers: IfMatchSchema },
  responses: {
    200: cartResponse('The cart without the line'),
    ...problemResponses('validation-failed', 'cart-not-found', 'line-not-found', 'cart-changed', 'cart-busy'),
  },
})

const removeCartRoute = createRoute({
  method: 'delete',
  path: '/carts/{id}',
  tags: ['carts'],
  summary: 'Ends the cart and gives its units back',
  request: { params: CartParamsSchema, headers: IfMatchSchema },
  responses: {
    204: { description: 'It is gone' },
    ...problemResponses('validation-failed', 'cart-not-found', 'cart-changed', 'cart-busy'),
  },
})

export function cartRoutes(carts: CartService, now: () => number) {
  const router = createRouter()
  const view = (c: Context, cart: Cart) => {
    c.header('etag', etagOf(cart))
    c.header('cache-control', 'no-store')
    return viewOf(cart, now())
  }
  router.openapi(createCartRoute, async (c) => {
    const cart = await carts.create()
    c.header('location', `/carts/${cart.id}`)
    return c.json(view(c, cart), 201)
  })
  router.openapi(readCartRoute, async (c) => c.json(view(c, await carts.read(c.req.valid('param').id)), 200))
  router.openapi(addLineRoute, async (c) => {
    const { sku, quantity } = c.req.valid('json')
    const cart = await carts.addLine(
      c.req.valid('param').id,
      sku,
      quantity,
      c.req.valid('header')['if-match'],
    )
    return c.json(view(c, cart), 200)
  })
  router.openapi(setLineRoute, async (c) => {
    const { id, sku } = c.req.valid('param')
    const cart = await carts.setLine(id, sku, c.req.valid('json').quantity, c.req.valid('header')['if-match'])
    return c.json(view(c, cart), 200)
  })
  router.openapi(removeLineRoute, async (c) => {
    const { id, sku } = c.req.valid('param')
    return c.json(view(c, await carts.removeLine(id, sku, c.req.valid('header')['if-match'])), 200)
  })
  router.openapi(removeCartRoute, async (c) => {
    await carts.remove(c.req.valid('param').id, c.req.valid('header')['if-match'])
    return c.body(null, 204)
  })
  return router
}
