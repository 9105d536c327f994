import type { HeldStock } from '../../../shop-api/src/carts/stock-port.ts'
import type { CheckoutPoint } from '../../../shop-api/src/checkout/checkout-ports.ts'

export interface Job {
  readonly work: 'checkout' | 'recover'
  readonly database: { readonly url?: string | undefined; readonly folder?: string | undefined }
  /** `host:port` of the engine node. */
  readonly engine: string
  readonly holds: readonly HeldStock[]
  readonly orderId: string
  readonly paymentMethod: string
  readonly stopAt?: CheckoutPoint
}

export type ToParent = { readonly kind: 'stopped' } | { readonly kind: 'done'; readonly outcome: string }

export interface ToStore {
  readonly kind: 'wake'
}
