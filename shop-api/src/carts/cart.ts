import { z } from '@hono/zod-openapi'
import { MoneySchema } from '../catalog/money.ts'
import { ProductIdSchema, SkuSchema } from '../catalog/product.ts'

export const QUANTITY_MAX = 99
export const LINES_MAX = 50

export const QuantitySchema = z.int().min(1).max(QUANTITY_MAX)

/** 128 random bits: who knows the id has the cart. */
export const CartIdSchema = z.string().regex(/^[A-Za-z0-9_-]{22}$/, 'is not a cart id')

export const HeldStockSchema = z.object({
  holdId: z.string(),
  location: z.string(),
  quantity: QuantitySchema,
  deadline: z.int(),
})

/** A line as it is stored; its id is its SKU, of which a cart has one line. */
export const CartLineSchema = z.object({
  sku: SkuSchema,
  productId: ProductIdSchema,
  title: z.string(),
  variantTitle: z.string(),
  quantity: QuantitySchema,
  unitPrice: MoneySchema,
  hold: HeldStockSchema,
})
export type CartLine = z.infer<typeof CartLineSchema>

export const StoredCartSchema = z.object({
  id: CartIdSchema,
  /** Grows with every change of the lines; part of the hold ids. */
  revision: z.int(),
  updatedAt: z.int(),
  lines: z.array(CartLineSchema).max(LINES_MAX),
})
export type StoredCart = z.infer<typeof StoredCartSchema>

/** A cart with the version it was read at. */
export interface Cart extends StoredCart {
  readonly generation: number
}

export const CartViewSchema = z
  .object({
    id: CartIdSchema,
    lines: z.array(
      z.object({
        sku: SkuSchema,
        productId: ProductIdSchema,
        title: z.string(),
        variantTitle: z.string(),
        quantity: QuantitySchema,
        unitPrice: MoneySchema,
        lineTotal: MoneySchema,
        hold: z.object({
          state: z.enum(['held', 'lapsed']),
          deadline: z.iso.datetime().openapi({ description: 'Until then the units are kept for this cart' }),
        }),
      }),
    ),
    itemCount: z.int(),
    subtotal: MoneySchema.nullable(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('Cart')
export type CartView = z.infer<typeof CartViewSchema>

export function viewOf(cart: Cart, now: number): CartView {
  const lines = cart.lines.map(({ hold, ...line }) => ({
    ...line,
    lineTotal: { ...line.unitPrice, amount: line.unitPrice.amount * line.quantity },
    hold: {
      state: hold.deadline > now ? ('held' as const) : ('lapsed' as const),
      deadline: new Date(hold.deadline).toISOString(),
    },
  }))
  const amount = lines.reduce((sum, line) => sum + line.lineTotal.amount, 0)
  const currency = lines[0]?.unitPrice.currency
  return {
    id: cart.id,
    lines,
    itemCount: lines.reduce((sum, line) => sum + line.quantity, 0),
    subtotal: currency === undefined ? null : { amount, currency },
    updatedAt: new Date(cart.updatedAt).toISOString(),
  }
}

/**
 * Generation and last-update time: after a network split two versions of a cart may have the same generation, and
 * the time tells them apart.
 */
export function etagOf(cart: Pick<Cart, 'generation' | 'updatedAt'>): string {
  return `"${cart.generation}-${cart.updatedAt.toString(36)}"`
}

/** Does an If-Match header (a list of tags, or *) allow this version? Weak tags never match (RFC 9110, 13.1.1). */
export function ifMatchAllows(header: string, cart: Pick<Cart, 'generation' | 'updatedAt'>): boolean {
  const tags = header.split(',').map((tag) => tag.trim())
  return tags.includes('*') || tags.includes(etagOf(cart))
}
