import { readFileSync } from 'node:fs'
import type { Context } from 'hono'
import { csrf } from 'hono/csrf'
import { secureHeaders } from 'hono/secure-headers'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { ROOT_CATEGORY } from '../catalog/category.ts'
import { decodeCursor, encodeCursor } from '../catalog/cursor.ts'
import { problemTable, type ProblemCode } from '../http/problem-table.ts'
import { Problem } from '../http/problem.ts'
import { createRouter, type RouteEnv } from '../http/router.ts'
import { artOf } from './art.ts'
import { categoryPage, homePage, productPage } from './browse-pages.ts'
import { problemPage } from './buying-pages.ts'
import { buyingRoutes } from './buying-routes.ts'
import { page } from './layout.ts'
import { liveStockScript } from './live-stock.ts'
import { stockWords } from './stock-words.ts'
import { send, type StorefrontDeps } from './storefront-deps.ts'

const PAGE_PRODUCTS = 24
const SHELF_PRODUCTS = 4
const SHELVES_MAX = 6
const YEAR_SECONDS = 31_536_000

const style = readFileSync(new URL('style.css', import.meta.url), 'utf8')

/** The storefront: pages of plain HTML and forms, one small script that freshens the stock shown. */
export function storefrontRoutes(deps: StorefrontDeps) {
  const router = createRouter()
  const pages = ['/', '/shop/*'] as const
  for (const path of pages)
    router.use(
      path,
      secureHeaders({
        contentSecurityPolicy: {
          defaultSrc: ["'self'"],
          imgSrc: ["'self'", 'https:', 'data:'],
          formAction: ["'self'"],
        },
        strictTransportSecurity: false,
      }),
    )
  router.use('/shop/*', csrf())

  fileRoutes(router)
  router.get('/', (c) => answered(c, deps, () => home(c, deps)))
  router.get('/shop/c/:id', (c) => answered(c, deps, () => category(c, deps, c.req.param('id'))))
  router.get('/shop/p/:id', (c) => answered(c, deps, () => product(c, deps, c.req.param('id'))))
  router.get('/shop/stock/:id', async (c) => {
    const found = await deps.catalog.findProduct(c.req.param('id'))
    if (!found) throw new Problem('product-not-found', 'There is no such product')
    const available = await deps.stock.available(found.variants.map(({ sku }) => sku))
    const stock = Object.fromEntries(
      found.variants.map(({ sku }) => [sku, stockWords(available.get(sku) ?? 0)]),
    )
    c.header('cache-control', 'no-store')
    return c.json({ stock })
  })
  router.route('/', buyingRoutes(deps, answered))
  return router
}

function fileRoutes(router: ReturnType<typeof createRouter>): void {
  const cached = { 'cache-control': 'public, max-age=300' }
  router.get('/shop/style.css', (c) =>
    c.body(style, 200, { 'content-type': 'text/css; charset=utf-8', ...cached }),
  )
  router.get('/shop/live-stock.js', (c) =>
    c.body(liveStockScript, 200, { 'content-type': 'text/javascript; charset=utf-8', ...cached }),
  )
  router.get('/shop/art/:shape/:file{.+\\.svg}', (c) => {
    const svg = artOf(c.req.param('shape'), c.req.param('file').slice(0, -4))
    if (!svg) throw new Problem('route-not-found', `There is no drawing of ${c.req.param('shape')}`)
    return c.body(svg, 200, {
      'content-type': 'image/svg+xml',
      'cache-control': `public, max-age=${YEAR_SECONDS}, immutable`,
    })
  })
}

/**
 * A problem as a page, for somebody who looks with a browser: at an address that nothing answers, or at a page of the
 * shop that failed. Undefined where a program asked.
 */
export async function problemAsPage(
  c: Context<RouteEnv>,
  deps: StorefrontDeps,
  code: ProblemCode,
): Promise<Response | undefined> {
  const isPage = c.req.path === '/' || c.req.path.startsWith('/shop/')
  const wantsPage = c.req.header('accept')?.includes('text/html') ?? false
  if (!wantsPage || (code !== 'route-not-found' && !isPage)) return undefined
  const { status, title } = problemTable[code]
  const content =
    code === 'route-not-found'
      ? problemPage(
          'There is no such page',
          'Perhaps it has moved; everything can be found from the start page.',
        )
      : problemPage(title, 'This is our fault, and your cart is safe. Try again in a moment.')
  try {
    return await send(c, deps, { title }, content, status)
  } catch {
    // The frame shows departments and cart; without the engine there are none.
    const bare = { title, departments: [], cartCount: 0 }
    return c.html(page(bare, content), status as ContentfulStatusCode)
  }
}

/** Runs a page; what goes wrong is told to the visitor as a page, too. */
async function answered(
  c: Context<RouteEnv>,
  deps: StorefrontDeps,
  run: () => Promise<Response>,
): Promise<Response> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const { status, title } = problemTable[error.code]
    return send(c, deps, { title }, problemPage(title, error.message), status)
  }
}

async function home(c: Context<RouteEnv>, deps: StorefrontDeps): Promise<Response> {
  const root = await deps.catalog.findCategory(ROOT_CATEGORY)
  const filled = (root?.children ?? []).filter((child) => child.productCount > 0).slice(0, SHELVES_MAX)
  const shelves = await Promise.all(
    filled.map(async ({ id, name }) => {
      const listed = await deps.catalog.listProducts(id, undefined, SHELF_PRODUCTS)
      return { category: { id, name }, cards: listed?.items ?? [] }
    }),
  )
  return send(c, deps, { title: 'Welcome' }, homePage(shelves))
}

async function category(c: Context<RouteEnv>, deps: StorefrontDeps, id: string): Promise<Response> {
  const cursor = c.req.query('cursor')
  const after = cursor === undefined ? undefined : decodeCursor(id, cursor)
  const [found, listed] = await Promise.all([
    deps.catalog.findCategory(id),
    deps.catalog.listProducts(id, after, PAGE_PRODUCTS),
  ])
  if (!found || !listed)
    throw new Problem('category-not-found', 'This category is not (or no longer) in our catalogue.')
  const content = categoryPage({
    category: found,
    cards: listed.items,
    nextCursor: listed.lastId === undefined ? undefined : encodeCursor(id, listed.lastId),
    isFirst: after === undefined,
  })
  return send(c, deps, { title: found.name, current: found.path[0]?.id }, content)
}

async function product(c: Context<RouteEnv>, deps: StorefrontDeps, id: string): Promise<Response> {
  const found = await deps.catalog.findProduct(id)
  if (!found) throw new Problem('product-not-found', 'This product is not (or no longer) in our catalogue.')
  const [available, its] = await Promise.all([
    deps.stock.available(found.variants.map(({ sku }) => sku)),
    deps.catalog.findCategory(found.categories[0]!),
  ])
  const content = productPage({
    product: found,
    category: its,
    available,
    problem: c.req.query('problem')?.slice(0, 300),
  })
  const frame = { title: found.title, current: its?.path[0]?.id, script: '/shop/live-stock.js' }
  return send(c, deps, frame, content)
}
