import { ResultCode } from '../values/result-code.ts'
import type { Key } from './key.ts'

/** Failures that no server reported; negative so that they never meet a result code. */
export const ClientCode = {
  /** An argument that no server would take; nothing was sent. */
  INVALID: -2,
  /** The bins of a record have not the form that was asked for. */
  FORM: -3,
  /** A bound of the client: too many requests at once. */
  QUEUE_FULL: -7,
  /** No connection, or one that broke before the answer. */
  CONNECTION: -10,
  /** The client was closed. */
  CLOSED: -11,
} as const

const reasons = new Map<number, string>(
  [...Object.entries(ResultCode), ...Object.entries(ClientCode)].map(([name, code]) => [code, name]),
)

export interface ClientErrorParts {
  readonly message?: string | undefined
  readonly key?: Key | undefined
  readonly inDoubt?: boolean
  readonly cause?: unknown
}

/**
 * A request that failed: by the server's word, for want of an answer, or before it was sent.
 *
 * @example
 * try {
 *   await client.put(key, bins, { exists: 'create' })
 * } catch (error) {
 *   if (!(error instanceof ClientError)) throw error
 *   if (error.reason === 'RECORD_EXISTS') return
 *   if (error.inDoubt) await settle(key) // the write may have been done
 * }
 */
export class ClientError extends Error {
  /** A result code of the protocol, or a `ClientCode`. */
  readonly code: number
  /** The code's name, such as GENERATION. */
  readonly reason: string
  readonly key: Key | undefined
  /** True for a write that may have been done although no answer said so. */
  readonly inDoubt: boolean

  constructor(code: number, { message, key, inDoubt = false, cause }: ClientErrorParts = {}) {
    const reason = reasons.get(code) ?? `CODE_${code}`
    const place = key ? ` for ${key.namespace}.${key.set ?? ''} ${String(key.key)}` : ''
    super(
      `${reason} (${code})${place}${message ? `: ${message}` : ''}${inDoubt ? ', in doubt' : ''}`,
      cause === undefined ? undefined : { cause },
    )
    this.name = 'ClientError'
    this.code = code
    this.reason = reason
    this.key = key
    this.inDoubt = inDoubt
  }
}

/** What was wrong with an argument, with which value, and what would be right. */
export function invalid(message: string): never {
  throw new ClientError(ClientCode.INVALID, { message })
}

/** A value as a message shows it, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'object' && value !== null) return `a ${value.constructor?.name ?? 'object'}`
  return typeof value === 'function' ? 'a function' : String(value)
}
