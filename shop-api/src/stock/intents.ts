import type { StockKey } from './stock-record.ts'

/**
 * Deadlines of holds. Before a hold is taken its intent is written into the record of the second its deadline
 * falls into, so there is no hold without one. The sweeper walks the seconds that are due; an intent whose hold
 * was never made is a no-op, and it stays until the take could no longer have come.
 */
export interface Intent extends StockKey {
  readonly holdId: string
  readonly deadline: number
  /** A transfer that has left its source and must reach this record; then `holdId` names the movement. */
  readonly to?: StockKey
}

export const BUCKET_MS = 1000
/** One second's intents are spread over so many records, because writing one rewrites its record. */
export const BUCKET_SHARDS = 8

export interface Bucket {
  /** Seconds since 1970. */
  readonly second: number
  readonly shard: number
}

export interface Intents {
  add(bucket: Bucket, intent: Intent): Promise<void>
  /** The intents of all shards of one second. */
  read(second: number): Promise<readonly Intent[]>
  /** Forgets a second that has been dealt with. */
  remove(second: number): Promise<void>
  /** The first second that has not been dealt with; undefined in a store that is new. */
  cursor(): Promise<number | undefined>
  setCursor(second: number): Promise<void>
}

/** FNV-1a over UTF-16 code units: spreads ids evenly, and stays the same for ever. */
export function spread(text: string, over: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % over
}

export function bucketOf(holdId: string, deadline: number): Bucket {
  return { second: Math.ceil(deadline / BUCKET_MS), shard: spread(holdId, BUCKET_SHARDS) }
}
