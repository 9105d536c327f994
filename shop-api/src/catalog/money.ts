import { z } from '@hono/zod-openapi'

/** The currencies the store can sell in, with the number of decimals of their minor unit (ISO 4217). */
const minorUnitDigits = {
  USD: 2,
  EUR: 2,
  GBP: 2,
  CAD: 2,
  AUD: 2,
  CHF: 2,
  SEK: 2,
  JPY: 0,
  KRW: 0,
} as const
export type Currency = keyof typeof minorUnitDigits
const currencies = Object.keys(minorUnitDigits) as [Currency, ...Currency[]]

export const CurrencySchema = z.enum(currencies)

export const MoneySchema = z
  .object({
    amount: z.int().min(0).max(100_000_000_000).openapi({ description: 'In minor units: 1999 is 19.99 USD' }),
    currency: CurrencySchema,
  })
  .openapi('Money')
export type Money = z.infer<typeof MoneySchema>

/**
 * Reads a decimal price such as `1299`, `19.9` or `$1,299.00` exactly, without going through a float.
 *
 * @returns undefined when it is not a price, has more decimals than the currency, or is out of range
 */
export function parsePrice(text: string, currency: Currency): Money | undefined {
  const plain = text.trim().replace(/^[$€£]/, '')
  const match = /^(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?$/.exec(plain)
  if (!match) return undefined
  const digits = minorUnitDigits[currency]
  const decimals = (match[2] ?? '').replace(/0+$/, '')
  if (decimals.length > digits) return undefined
  const amount = Number(match[1]!.replaceAll(',', '') + decimals.padEnd(digits, '0'))
  return MoneySchema.safeParse({ amount, currency }).data
}

const formats = new Map<Currency, Intl.NumberFormat>()

/** For people: `$19.99`. */
export function formatMoney(money: Money): string {
  let format = formats.get(money.currency)
  if (!format) {
    format = new Intl.NumberFormat('en-US', { style: 'currency', currency: money.currency })
    formats.set(money.currency, format)
  }
  return format.format(money.amount / 10 ** minorUnitDigits[money.currency])
}
