import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { eq } from 'drizzle-orm'
import type { SqlSession } from '../database/database.ts'
import { testCharges } from '../database/schema.ts'
import type { ChargeAnswer, ChargeRequest, PaymentProvider } from './payment-provider.ts'

/**
 * A provider for demonstration and tests that moves no money. What it does is chosen by the payment method:
 *
 * - `test-ok` captures.
 * - `test-declined` declines.
 * - `test-unreachable` fails the first call before anything is booked.
 * - `test-timeout` books the charge and does not answer the first call.
 * - `test-late` books the charge and answers late.
 * - `test-twice` captures, and sends its answer once more later, as webhooks do.
 */
export const testPaymentMethods = [
  'test-ok',
  'test-declined',
  'test-unreachable',
  'test-timeout',
  'test-late',
  'test-twice',
] as const
export type TestPaymentMethod = (typeof testPaymentMethods)[number]

export interface TestProviderOptions {
  readonly sql: SqlSession
  readonly now: () => number
  readonly lateMs?: number
  /** Called with answers that come outside of a call. */
  readonly notify?: (orderId: string, answer: ChargeAnswer) => Promise<void>
}

const LATE_MS = 3000

export class TestPaymentProvider implements PaymentProvider {
  readonly #options: TestProviderOptions
  /** How often each key was asked for, so that only a first call misbehaves. */
  readonly #calls = new Map<string, number>()

  constructor(options: TestProviderOptions) {
    this.#options = options
  }

  async charge(request: ChargeRequest, signal: AbortSignal): Promise<ChargeAnswer> {
    const call = (this.#calls.get(request.idempotencyKey) ?? 0) + 1
    this.#calls.set(request.idempotencyKey, call)
    const lateMs = this.#options.lateMs ?? LATE_MS
    if (request.method === 'test-unreachable' && call === 1) throw new Error('The provider cannot be reached')
    const answer = await this.#book(request)
    if (request.method === 'test-timeout' && call === 1) await sleep(2 ** 31 - 1, undefined, { signal })
    if (request.method === 'test-late') await sleep(lateMs, undefined, { signal })
    if (request.method === 'test-twice' && this.#options.notify) {
      const notify = this.#options.notify
      setTimeout(() => void notify(request.orderId, answer).catch(() => undefined), lateMs).unref()
    }
    return answer
  }

  async #book(request: ChargeRequest): Promise<ChargeAnswer> {
    const { sql, now } = this.#options
    await sql
      .insert(testCharges)
      .values({
        idempotencyKey: request.idempotencyKey,
        chargeId: `ch_${randomUUID()}`,
        amount: request.amount,
        currency: request.currency,
        outcome: request.method === 'test-declined' ? 'declined' : 'captured',
        createdAt: new Date(now()),
      })
      .onConflictDoNothing()
    const where = eq(testCharges.idempotencyKey, request.idempotencyKey)
    const [booked] = await sql.select().from(testCharges).where(where)
    if (!booked) throw new Error(`The charge ${request.idempotencyKey} was booked and is gone`)
    return booked.outcome === 'captured'
      ? { kind: 'captured', chargeId: booked.chargeId }
      : { kind: 'declined', reason: 'The card was declined' }
  }
}
