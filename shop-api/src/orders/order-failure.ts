import type { ProblemCode } from '../http/problem-table.ts'

/** Why an order was cancelled: it is also the stored answer to its idempotency key. */
export interface CheckoutFailure {
  readonly code: Extract<ProblemCode, 'hold-ended' | 'payment-declined' | 'unavailable'>
  readonly detail: string
}
