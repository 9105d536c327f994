/** What carts, storefront and import need of the stock service. Carts know nothing of how stock is kept. */

/** A hold id is cart, line and revision, so the same attempt always names the same hold. */
export interface HoldRequest {
  readonly holdId: string
  readonly sku: string
  readonly quantity: number
  /** A hold of the same SKU that this one takes the place of: its units count as available for this hold. */
  readonly replaces?: HeldStock | undefined
}

/** A hold as a cart line remembers it. */
export interface HeldStock {
  readonly holdId: string
  readonly location: string
  readonly quantity: number
  /** Milliseconds since 1970; from then on the stock may be given back. */
  readonly deadline: number
}

export type HoldOutcome =
  /** The hold is there, by this call or by an earlier one with the same id. */
  | { readonly kind: 'held'; readonly hold: HeldStock }
  /** The hold was never made, and too little is left. */
  | { readonly kind: 'sold-out'; readonly available: number }
  /** The hold was made once and has ended as sold or released: this id will never hold again. */
  | { readonly kind: 'ended' }
  /** In doubt: the answer is settled when the same call is made again. */
  | { readonly kind: 'unsettled'; readonly retryAfterSeconds: number }

export interface InitialStock {
  readonly sku: string
  readonly location: string
  readonly quantity: number
}

export interface StockPort {
  hold(request: HoldRequest): Promise<HoldOutcome>
  /** Gives the units back; an ended or unknown hold is no error. */
  release(sku: string, hold: HeldStock): Promise<void>
  /** Available units per SKU over all locations; a SKU without stock records has 0. */
  available(skus: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** Creates the stock record where there is none; an existing one is left as it is. */
  createStock(initial: InitialStock): Promise<void>
}
