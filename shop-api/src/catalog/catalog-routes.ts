import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { DirectHandler } from '../http/access-log.ts'
import { Problem, problemResponse, problemResponses } from '../http/problem.ts'
import { createRouter, type RouteEnv } from '../http/router.ts'
import type { CatalogStore } from './catalog-store.ts'
import { CategorySchema, ROOT_CATEGORY } from './category.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { LocationSchema } from './location.ts'
import { CategoryIdSchema, ProductCardSchema, ProductIdSchema, ProductSchema } from './product.ts'

const PAGE_MAX = 100
const PAGE_DEFAULT = 24

const PageQuerySchema = z.object({
  cursor: z.string().max(400).optional().openapi({ description: '`nextCursor` of the page before' }),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
})
type PageQuery = z.infer<typeof PageQuerySchema>

const ProductPageSchema = z
  .object({ items: z.array(ProductCardSchema), nextCursor: z.string().nullable() })
  .openapi('ProductPage')

const content = <T extends z.ZodType>(schema: T) => ({ 'application/json': { schema } })

const listRoute = createRoute({
  method: 'get',
  path: '/products',
  tags: ['catalogue'],
  summary: 'All products, by id',
  request: { query: PageQuerySchema },
  responses: {
    200: { description: 'A page', content: content(ProductPageSchema) },
    ...problemResponses('validation-failed', 'invalid-cursor'),
  },
})

const productRoute = createRoute({
  method: 'get',
  path: '/products/{id}',
  tags: ['catalogue'],
  summary: 'One product with its variants',
  request: { params: z.object({ id: ProductIdSchema }) },
  responses: {
    200: { description: 'The product', content: content(ProductSchema) },
    ...problemResponses('product-not-found'),
  },
})

const categoriesRoute = createRoute({
  method: 'get',
  path: '/categories',
  tags: ['catalogue'],
  summary: 'The category tree from the top',
  responses: { 200: { description: 'The category `all`', content: content(CategorySchema) } },
})

const categoryRoute = createRoute({
  method: 'get',
  path: '/categories/{id}',
  tags: ['catalogue'],
  summary: 'One category with its path and children',
  request: { params: z.object({ id: CategoryIdSchema }) },
  responses: {
    200: { description: 'The category', content: content(CategorySchema) },
    ...problemResponses('validation-failed', 'category-not-found'),
  },
})

const categoryProductsRoute = createRoute({
  method: 'get',
  path: '/categories/{id}/products',
  tags: ['catalogue'],
  summary: 'Products in a category and below it, by id',
  request: { params: z.object({ id: CategoryIdSchema }), query: PageQuerySchema },
  responses: {
    200: { description: 'A page', content: content(ProductPageSchema) },
    ...problemResponses('validation-failed', 'invalid-cursor', 'category-not-found'),
  },
})

const locationsRoute = createRoute({
  method: 'get',
  path: '/locations',
  tags: ['catalogue'],
  summary: 'Places that hold stock',
  responses: {
    200: { description: 'All of them', content: content(z.object({ items: z.array(LocationSchema) })) },
  },
})

/**
 * The store's hottest route, for `direct` of the application: described like the others, but the id is only looked
 * up, so a malformed one is simply not found, and the body goes out as it is stored.
 */
export function productHandler(catalog: CatalogStore): DirectHandler {
  return (c, requestId) => {
    const id = c.req.param('id') ?? ''
    const json = id.length <= 120 ? catalog.findProductJson(id) : undefined
    return json instanceof Promise
      ? json.then((read) => productResponse(c, requestId, id, read))
      : productResponse(c, requestId, id, json)
  }
}

function productResponse(
  c: Context<RouteEnv>,
  requestId: string,
  id: string,
  json: Buffer | undefined,
): Response {
  // Not by `c.body`, which makes a Headers object as soon as there are two.
  if (json) {
    const headers = { 'content-type': 'application/json', 'x-request-id': requestId }
    return new Response(json as Uint8Array<ArrayBuffer>, { headers })
  }
  return problemResponse(c, 'product-not-found', `There is no product ${id.slice(0, 120)}`, {
    headers: { 'x-request-id': requestId },
  })
}

export function catalogRoutes(catalog: CatalogStore) {
  const router = createRouter()

  async function page(category: string, query: PageQuery) {
    const after = query.cursor === undefined ? undefined : decodeCursor(category, query.cursor)
    const found = await catalog.listProducts(category, after, query.limit)
    if (!found) throw new Problem('category-not-found', `There is no category ${category}`)
    const nextCursor = found.lastId === undefined ? null : encodeCursor(category, found.lastId)
    return { items: [...found.items], nextCursor }
  }

  router.openAPIRegistry.registerPath(productRoute)
  router.openapi(listRoute, async (c) => c.json(await page(ROOT_CATEGORY, c.req.valid('query')), 200))
  router.openapi(categoriesRoute, async (c) => {
    const empty = { id: ROOT_CATEGORY, name: 'All products', path: [], children: [], productCount: 0 }
    return c.json((await catalog.findCategory(ROOT_CATEGORY)) ?? empty, 200)
  })
  router.openapi(categoryRoute, async (c) => {
    const { id } = c.req.valid('param')
    const category = await catalog.findCategory(id)
    if (!category) throw new Problem('category-not-found', `There is no category ${id}`)
    return c.json(category, 200)
  })
  router.openapi(categoryProductsRoute, async (c) =>
    c.json(await page(c.req.valid('param').id, c.req.valid('query')), 200),
  )
  router.openapi(locationsRoute, async (c) => c.json({ items: await catalog.locations() }, 200))
  return router
}
