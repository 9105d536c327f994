/** What checkout asks of whoever moves the money. */

export interface ChargeRequest {
  /** Order id and step. The provider answers every repetition with its first answer and charges once. */
  readonly idempotencyKey: string
  readonly orderId: string
  readonly amount: number
  readonly currency: string
  /** The provider's own token for card or account; the store never sees either. */
  readonly method: string
}

/** A final answer: it never changes. */
export type ChargeAnswer =
  | { readonly kind: 'captured'; readonly chargeId: string }
  | { readonly kind: 'declined'; readonly reason: string }

export interface PaymentProvider {
  /** Rejects, or never answers, when it is not known whether money moves: then ask again with the same key. */
  charge(request: ChargeRequest, signal: AbortSignal): Promise<ChargeAnswer>
}

export function chargeKey(orderId: string): string {
  return `${orderId}:charge`
}
