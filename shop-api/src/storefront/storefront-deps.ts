import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { CartIdSchema, type Cart } from '../carts/cart.ts'
import type { CartService } from '../carts/cart-service.ts'
import { CART_TTL_SECONDS } from '../carts/cart-store.ts'
import type { StockPort } from '../carts/stock-port.ts'
import type { CatalogStore } from '../catalog/catalog-store.ts'
import { ROOT_CATEGORY } from '../catalog/category.ts'
import { Problem } from '../http/problem.ts'
import type { RouteEnv } from '../http/router.ts'
import type { PricingRules } from '../orders/totals.ts'
import { page, type Frame, type Html } from './layout.ts'

export interface StorefrontDeps {
  readonly catalog: CatalogStore
  readonly carts: CartService
  readonly stock: Pick<StockPort, 'available'>
  readonly pricing: PricingRules
  readonly now: () => number
  readonly newKey: () => string
  /** The store's own API: pages buy through the same routes as everybody else. */
  readonly api: (path: string, init?: RequestInit) => Promise<Response>
}

const COOKIE = 'cart'
const DEPARTMENTS_MAX = 8

/** The visitor's cart, if they have one that still exists. */
export async function visitorCart(c: Context<RouteEnv>, deps: StorefrontDeps): Promise<Cart | undefined> {
  const id = getCookie(c, COOKIE)
  if (id === undefined || !CartIdSchema.safeParse(id).success) return undefined
  try {
    return await deps.carts.read(id)
  } catch (error) {
    if (error instanceof Problem && error.code === 'cart-not-found') return undefined
    throw error
  }
}

export async function visitorCartOrNew(c: Context<RouteEnv>, deps: StorefrontDeps): Promise<Cart> {
  const cart = (await visitorCart(c, deps)) ?? (await deps.carts.create())
  setCookie(c, COOKIE, cart.id, { httpOnly: true, sameSite: 'Lax', path: '/', maxAge: CART_TTL_SECONDS })
  return cart
}

/** Sends a page in the shop's frame. */
export async function send(
  c: Context<RouteEnv>,
  deps: StorefrontDeps,
  frame: Omit<Frame, 'departments' | 'cartCount'>,
  content: Html,
  status: number = 200,
): Promise<Response> {
  const [root, cart] = await Promise.all([deps.catalog.findCategory(ROOT_CATEGORY), visitorCart(c, deps)])
  const departments = (root?.children ?? [])
    .filter((child) => child.productCount > 0)
    .slice(0, DEPARTMENTS_MAX)
  const cartCount = cart?.lines.reduce((sum, line) => sum + line.quantity, 0) ?? 0
  c.header('cache-control', 'no-store')
  return c.html(page({ ...frame, departments, cartCount }, content), status as ContentfulStatusCode)
}
