/** When a request is tried again. Source: protocol notes, records 11 (retry habits). */
import { ClientCode, ClientError } from '../protocol/client-error.ts'
import type { Key } from '../protocol/key.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import { DEFAULT_RETRIES, type Policy } from './policy.ts'
import type { WayError } from './way.ts'

const FIRST_PAUSE_MS = 10
const MAX_DOUBLINGS = 5

/** The time and the tries a request has left once its first try has not been enough. */
export class Budget {
  readonly #perTry: number
  readonly #retries: number
  readonly #deadline: number
  tried = 0

  constructor(policy: Policy, timeout: number) {
    this.#perTry = firstTry(policy, timeout)
    this.#retries = policy.retries ?? DEFAULT_RETRIES
    this.#deadline = performance.now() + (policy.timeout ?? timeout)
  }

  /** ms the next try may take. */
  get left(): number {
    return Math.max(1, Math.min(this.#perTry, this.#deadline - performance.now()))
  }

  /** ms to wait before the next try, or -1 when there is none. The first goes out at once, most often elsewhere. */
  pause(): number {
    if (this.tried >= this.#retries) return -1
    const pause = this.tried === 0 ? 0 : FIRST_PAUSE_MS << Math.min(this.tried - 1, MAX_DOUBLINGS)
    if (performance.now() + pause >= this.#deadline) return -1
    this.tried++
    return pause
  }
}

/** ms the first try of a request may take. */
export function firstTry({ socketTimeout, timeout }: Policy, fallback: number): number {
  const whole = timeout ?? fallback
  return socketTimeout !== undefined && socketTimeout < whole ? socketTimeout : whole
}

/** Codes that say the request was not begun and may go elsewhere or be sent again; a read after a time-out too. */
export function mayRetryCode(code: number, isWrite: boolean): boolean {
  if (code === ResultCode.PARTITION_UNAVAILABLE || code === ResultCode.DEVICE_OVERLOAD) return true
  return !isWrite && code === ResultCode.TIMEOUT
}

/** A write that may have been begun is not sent again: its failure is in doubt. */
export function mayRetryAfter({ kind, sent }: WayError, isWrite: boolean): boolean {
  return kind !== 'closed' && (!isWrite || !sent)
}

const codes = {
  timeout: ResultCode.TIMEOUT,
  connection: ClientCode.CONNECTION,
  full: ClientCode.QUEUE_FULL,
  closed: ClientCode.CLOSED,
} as const

export const codeOf = ({ kind }: WayError): number => codes[kind]

export function clientError(error: WayError, key: Key | undefined, inDoubt: boolean): ClientError {
  return new ClientError(codeOf(error), { message: error.message, key, inDoubt })
}

/** What was thrown, as the callers of a client get it. */
export function thrown(error: unknown): Error {
  if (error instanceof ResultError) return new ClientError(error.code, { message: error.message })
  return error instanceof Error ? error : new Error(String(error))
}
