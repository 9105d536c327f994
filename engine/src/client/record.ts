import type { Operation } from '../protocol/operation-builder.ts'
import { Op } from '../protocol/message.ts'
import { EPOCH_2010_MS } from '../values/void-time.ts'
import type { AnswerMessage, Bins } from './answer-message.ts'

const EPOCH_2010_S = EPOCH_2010_MS / 1000

export interface Metadata {
  readonly generation: number
  /** Seconds since 2010-01-01 UTC; 0 = never. */
  readonly voidTime: number
  /** Seconds left, or `never`. */
  readonly ttl: number | 'never'
}

export interface ClientRecord<B = Readonly<Bins>> extends Metadata {
  readonly bins: B
}

export interface OperateResult extends ClientRecord {
  /** One per step, in their order; undefined for what answers nothing. */
  readonly results: readonly unknown[]
}

function ttlOf(voidTime: number): number | 'never' {
  if (voidTime === 0) return 'never'
  return Math.max(1, Math.round(voidTime - (Date.now() / 1000 - EPOCH_2010_S)))
}

export function readMetadata({ generation, voidTime }: AnswerMessage): Metadata {
  return { generation, voidTime, ttl: ttlOf(voidTime) }
}

export function readRecord(message: AnswerMessage): ClientRecord {
  const { generation, voidTime } = message
  const bins: Bins = {}
  message.bins(bins)
  return { bins, generation, voidTime, ttl: ttlOf(voidTime) }
}

/** A touch is never answered, so the answers after it stand one step earlier. */
export function readOperateResult(message: AnswerMessage, operations: readonly Operation[]): OperateResult {
  const { generation, voidTime } = message
  const bins: Bins = {}
  const values: unknown[] = []
  message.results(bins, values)
  let next = 0
  const results = operations.map(({ op }) => (op === Op.TOUCH ? undefined : (values[next++] ?? undefined)))
  return { bins, generation, voidTime, ttl: ttlOf(voidTime), results }
}
