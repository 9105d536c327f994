import { z } from '@hono/zod-openapi'
import { MoneySchema } from '../catalog/money.ts'
import { SkuSchema } from '../catalog/product.ts'
import type { OrderState } from './order-state.ts'
import type { OrderRow, OrderLineRow } from './order-store.ts'

const ORDER_ID_PATTERN = /^ord_[A-Za-z0-9_-]{22}$/
export const OrderIdSchema = z
  .string()
  .regex(ORDER_ID_PATTERN)
  .openapi({ example: 'ord_8mZcW1cYx0m3q2c9mE5b2A' })

const text = (max: number) => z.string().trim().min(1).max(max)

export const ShippingAddressSchema = z
  .strictObject({
    name: text(200),
    line1: text(200),
    line2: text(200).optional(),
    city: text(120),
    region: text(120).optional(),
    postalCode: text(20),
    country: z.string().regex(/^[A-Z]{2}$/, 'must be a country code of two capital letters'),
  })
  .openapi('ShippingAddress')
export type ShippingAddress = z.infer<typeof ShippingAddressSchema>

export const OrderSchema = z
  .object({
    id: OrderIdSchema,
    number: z.int().openapi({ description: 'For people: grows with every order' }),
    cartId: z.string(),
    status: z.enum(['processing', 'placed', 'cancelled']),
    lines: z.array(
      z.object({
        sku: SkuSchema,
        title: z.string(),
        variantTitle: z.string(),
        quantity: z.int().min(1).max(99),
        unitPrice: MoneySchema,
        lineTotal: MoneySchema,
      }),
    ),
    subtotal: MoneySchema,
    shipping: MoneySchema,
    tax: MoneySchema,
    total: MoneySchema,
    email: z.string(),
    address: ShippingAddressSchema,
    createdAt: z.iso.datetime(),
    placedAt: z.iso.datetime().optional(),
    failure: z.object({ code: z.string(), detail: z.string() }).optional(),
  })
  .openapi('Order')
export type Order = z.infer<typeof OrderSchema>

const statusOf: Record<OrderState, Order['status']> = {
  created: 'processing',
  pinning: 'processing',
  paying: 'processing',
  placed: 'placed',
  completed: 'placed',
  undoing: 'processing',
  cancelled: 'cancelled',
}

/** What a client sees of an order. It never changes any more once the order is placed or cancelled. */
export function orderView(row: OrderRow, lines: readonly OrderLineRow[]): Order {
  const money = (amount: number) => ({ amount, currency: row.currency })
  return {
    id: row.id,
    number: row.number,
    cartId: row.cartId,
    status: statusOf[row.state],
    lines: lines.map((line) => ({
      sku: line.sku,
      title: line.title,
      variantTitle: line.variantTitle,
      quantity: line.quantity,
      unitPrice: money(line.unitPrice),
      lineTotal: money(line.lineTotal),
    })),
    subtotal: money(row.subtotal),
    shipping: money(row.shipping),
    tax: money(row.tax),
    total: money(row.total),
    email: row.email,
    address: row.address,
    createdAt: row.createdAt.toISOString(),
    ...(row.placedAt ? { placedAt: row.placedAt.toISOString() } : {}),
    ...(row.failure ? { failure: row.failure } : {}),
  }
}
