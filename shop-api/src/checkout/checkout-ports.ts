import type { HeldStock } from '../carts/stock-port.ts'
import type { SkuRecord } from '../catalog/product.ts'
import type { Sql } from '../database/database.ts'
import type { PricingRules } from '../orders/totals.ts'
import type { PaymentProvider } from '../payment/payment-provider.ts'

export interface CartLineForCheckout {
  readonly sku: string
  readonly quantity: number
  readonly hold: HeldStock | undefined
}

/** What checkout needs of carts. */
export interface CartPort {
  linesForCheckout(cartId: string): Promise<readonly CartLineForCheckout[] | undefined>
  /** Takes the lines of these holds out of the cart; what was added since stays. */
  removeBought(cartId: string, holdIds: readonly string[]): Promise<void>
}

/** What checkout needs of the catalogue: the server's own titles and prices. */
export interface PricePort {
  skuRecords(skus: readonly string[]): Promise<ReadonlyMap<string, SkuRecord>>
}

/** One hold as an order's line names it. */
export interface OrderHold {
  readonly sku: string
  readonly holdId: string
  readonly location: string
  readonly quantity: number
}

/** What checkout needs of stock. `unsettled` means: not known yet, ask again. */
export interface PinPort {
  /** held → committing, at most once for an order; also says `pinned` when this order has pinned it before. */
  pin(hold: OrderHold, order: number): Promise<'pinned' | 'ended' | 'unsettled'>
  /** committing → sold. `lost` cannot be, and is told so that somebody looks. */
  sell(hold: OrderHold, order: number): Promise<'sold' | 'lost' | 'unsettled'>
  /**
   * Afterwards this order can never pin the hold. `keep` gives it back to the cart as held with a short
   * deadline, otherwise its units are released.
   */
  undo(hold: OrderHold, order: number, keep: boolean): Promise<'undone' | 'unsettled'>
}

/** The places between the steps of a checkout, for tests that stop a process there. */
export type CheckoutPoint =
  | 'order-created'
  | 'pinning'
  | 'hold-pinned'
  | 'all-pinned'
  | 'paying'
  | 'charged'
  | 'placed'
  | 'hold-sold'
  | 'completed'
  | 'undoing'
  | 'hold-undone'
  | 'cancelled'

export interface CheckoutDeps {
  readonly sql: Sql
  readonly carts: CartPort
  readonly prices: PricePort
  readonly stock: PinPort
  readonly payment: PaymentProvider
  readonly pricing: PricingRules
  readonly now: () => number
  readonly newOrderId: () => string
  readonly log: {
    warn(details: object, message: string): void
    error(details: object, message: string): void
  }
  readonly passing?: (point: CheckoutPoint, order: number) => Promise<void> | void
  readonly paymentTimeoutMs?: number
  /** An order that nobody has moved for so long is taken over by recovery. */
  readonly stalledMs?: number
}

export const PAYMENT_TIMEOUT_MS = 10_000
export const PAYMENT_ATTEMPTS = 2
export const STALLED_MS = 60_000
