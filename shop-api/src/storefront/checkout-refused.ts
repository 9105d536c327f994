import type { ProblemCode } from '../http/problem-table.ts'
import { fields } from './buying-pages.ts'

/** What a visitor is told when the checkout did not place an order. */
export interface CheckoutRefused {
  readonly status: number
  readonly words: string
  /** By the name of the field. */
  readonly wrong: Readonly<Record<string, string>>
  /** It is not known what became of it: the next try must be the same one. */
  readonly isOpen: boolean
}

/** The part of the API's answer that matters here: an order, or a problem. */
export interface CheckoutAnswer {
  readonly id?: string
  readonly code?: string
  readonly title?: string
  readonly detail?: string
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
}

const OPEN =
  'We do not know yet what became of your order. Wait a moment and press Pay again: you pay only once.'

const words: Partial<Record<ProblemCode, string>> = {
  'validation-failed': 'Please look at the fields that are marked.',
  'payment-declined': 'Your card was declined and nothing was charged. Try another one.',
  'hold-ended': 'Something in your cart is no longer reserved for you. Take it again in the cart.',
  'price-changed': 'A price has changed. Look at the new total, then pay.',
  'idempotency-in-flight': OPEN,
  'payment-unsettled': OPEN,
  'stock-unsettled': OPEN,
  unavailable: OPEN,
}

function hintFor(name: string, value: string, detail: string): string {
  if (value.trim() === '') return 'Please fill this in.'
  return name === 'email' ? 'Write an address such as ada@example.com.' : detail
}

export function refusedBy(
  status: number,
  { code, title, detail, errors = [] }: CheckoutAnswer,
  values: Readonly<Record<string, string>>,
): CheckoutRefused {
  const wrong: Record<string, string> = {}
  for (const { name } of fields) {
    const error = errors.find(({ pointer }) => pointer === `/${name}` || pointer === `/address/${name}`)
    if (error) wrong[name] = hintFor(name, values[name] ?? '', error.detail)
  }
  return {
    status,
    words: words[code as ProblemCode] ?? `${title ?? 'That did not work'}. ${detail ?? ''}`,
    wrong,
    isOpen: status >= 500 || code === 'idempotency-in-flight',
  }
}
