import type { HeldStock } from '../../../shop-api/src/carts/stock-port.ts'
import type { CheckoutPoint, PinPort } from '../../../shop-api/src/checkout/checkout-ports.ts'

export interface Job {
  readonly work: 'checkout' | 'recover'
  readonly database: { readonly url?: string | undefined; readonly folder?: string | undefined }
  readonly holds: readonly HeldStock[]
  readonly orderId: string
  readonly paymentMethod: string
  readonly stopAt?: CheckoutPoint
}

export type ToParent =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'done'; readonly outcome: string }
  | {
      readonly kind: 'stock'
      readonly call: number
      readonly method: keyof PinPort
      readonly args: unknown[]
    }

export type ToStore =
  { readonly kind: 'wake' } | { readonly kind: 'answer'; readonly call: number; readonly answer: string }
