/** Prices, shipping and tax of an order, in minor units. Both rules are replaceable parts. */

export interface PricedLine {
  readonly quantity: number
  readonly unitPrice: number
}

export interface PricingRules {
  /** Tax on goods and shipping in hundredths of a percent: 825 is 8.25 %. */
  readonly taxBasisPoints: number
  shipping(subtotal: number): number
}

export interface Totals {
  readonly subtotal: number
  readonly shipping: number
  readonly tax: number
  readonly total: number
}

export const standardPricing: PricingRules = {
  taxBasisPoints: 825,
  shipping: (subtotal) => (subtotal >= 5000 ? 0 : 599),
}

/** Tax is computed once, on the sum, and rounded half up. */
export function totalsOf(lines: readonly PricedLine[], rules: PricingRules): Totals {
  const subtotal = lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0)
  const shipping = rules.shipping(subtotal)
  const tax = Math.floor(((subtotal + shipping) * rules.taxBasisPoints + 5000) / 10_000)
  return { subtotal, shipping, tax, total: subtotal + shipping + tax }
}
