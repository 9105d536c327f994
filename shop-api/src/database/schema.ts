import {
  bigint,
  bigserial,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
} from 'drizzle-orm/pg-core'
import type { CheckoutFailure } from '../orders/order-failure.ts'
import type { OrderState } from '../orders/order-state.ts'
import type { Currency } from '../catalog/money.ts'
import type { ShippingAddress } from '../orders/order.ts'

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 })
const minorUnits = (name: string) => bigint(name, { mode: 'number' })

/**
 * One row per order, and the only coordinator of its checkout: a step is taken by whoever moves (state, version)
 * on. `number` only grows, so stock can tell an order's late request from a newer order's.
 */
export const orders = pgTable(
  'orders',
  {
    number: bigserial('number', { mode: 'number' }).primaryKey(),
    id: text('id').notNull().unique(),
    cartId: text('cart_id').notNull(),
    state: text('state').$type<OrderState>().notNull(),
    version: integer('version').notNull(),
    currency: text('currency').$type<Currency>().notNull(),
    subtotal: minorUnits('subtotal').notNull(),
    shipping: minorUnits('shipping').notNull(),
    tax: minorUnits('tax').notNull(),
    total: minorUnits('total').notNull(),
    email: text('email').notNull(),
    address: jsonb('address').$type<ShippingAddress>().notNull(),
    paymentMethod: text('payment_method').notNull(),
    /** The provider's id of the charge, once its answer is final. */
    chargeId: text('charge_id'),
    failure: jsonb('failure').$type<CheckoutFailure>(),
    createdAt: moment('created_at').notNull(),
    /** When (state, version) last moved: a row that stands still in a passing state is left to recovery. */
    movedAt: moment('moved_at').notNull(),
    placedAt: moment('placed_at'),
  },
  (table) => [
    index('orders_unfinished').on(table.state, table.movedAt),
    index('orders_of_cart').on(table.cartId, table.number),
  ],
)

export const orderLines = pgTable(
  'order_lines',
  {
    orderNumber: bigint('order_number', { mode: 'number' })
      .notNull()
      .references(() => orders.number),
    position: integer('position').notNull(),
    sku: text('sku').notNull(),
    title: text('title').notNull(),
    variantTitle: text('variant_title').notNull(),
    quantity: integer('quantity').notNull(),
    unitPrice: minorUnits('unit_price').notNull(),
    lineTotal: minorUnits('line_total').notNull(),
    holdId: text('hold_id').notNull(),
    location: text('location').notNull(),
  },
  (table) => [primaryKey({ columns: [table.orderNumber, table.position] })],
)

/** A client's idempotency keys, unique per cart, with the first answer once there is one. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    scope: text('scope').notNull(),
    key: text('key').notNull(),
    fingerprint: text('fingerprint').notNull(),
    orderNumber: bigint('order_number', { mode: 'number' })
      .notNull()
      .references(() => orders.number),
    createdAt: moment('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.scope, table.key] })],
)

/** The test provider's own books, kept apart from orders: a real provider keeps them in its own house. */
export const testCharges = pgTable('test_charges', {
  idempotencyKey: text('idempotency_key').primaryKey(),
  chargeId: text('charge_id').notNull(),
  amount: minorUnits('amount').notNull(),
  currency: text('currency').notNull(),
  outcome: text('outcome').$type<'captured' | 'declined'>().notNull(),
  createdAt: moment('created_at').notNull(),
})
