import { ResultCode } from '../values/result-code.ts'
import type { Key } from './key.ts'

/** Failures that no server reported; negative so that they never meet a result code. */
export const ClientCode = {
  CONNECTION: -10,
  QUEUE_FULL: -7,
  INVALID: -2,
  CLOSED: -11,
} as const

const reasons = new Map<number, string>(
  [...Object.entries(ResultCode), ...Object.entries(ClientCode)].map(([name, code]) => [code, name]),
)

/** A request that failed: by the server's word, for want of an answer, or before it was sent. */
export class ClientError extends Error {
  /** A result code of the protocol, or a `ClientCode`. */
  readonly code: number
  /** The code's name, such as GENERATION. */
  readonly reason: string
  readonly key: Key | undefined
  /** True for a write that may have been done although no answer said so. */
  readonly inDoubt: boolean

  constructor(code: number, what: { message?: string; key?: Key | undefined; inDoubt?: boolean } = {}) {
    const reason = reasons.get(code) ?? `CODE_${code}`
    const place = what.key ? ` for ${what.key.namespace}.${what.key.set ?? ''} ${String(what.key.key)}` : ''
    super(
      `${reason} (${code})${place}${what.message ? `: ${what.message}` : ''}${what.inDoubt ? ', in doubt' : ''}`,
    )
    this.name = 'ClientError'
    this.code = code
    this.reason = reason
    this.key = what.key
    this.inDoubt = what.inDoubt ?? false
  }
}
