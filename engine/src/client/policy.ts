import type { Expression } from '../protocol/expression-builder.ts'

/** For every request; times in ms. */
export interface Policy {
  /** From the call to the last try's end; 2,000 unless told. */
  readonly timeout?: number
  /** Further tries after the first: of reads after any failure of the way, of writes only where none was begun. */
  readonly retries?: number
  /** Only records for which this is true; others fail with FILTERED_OUT. */
  readonly filter?: Expression
}

export interface ReadPolicy extends Policy {
  /** Only these bins; all unless told. */
  readonly bins?: readonly string[]
}

export interface WritePolicy extends Policy {
  /** Seconds until the record expires, `never`, `keep` what it has, or the namespace's `default`. */
  readonly ttl?: number | 'never' | 'keep' | 'default'
  readonly exists?: 'create' | 'update' | 'replace' | 'create-or-replace'
  /** The write is done only when the record still has this generation. */
  readonly generation?: number
  /** Stores the key with the record. */
  readonly sendKey?: boolean
}

export const DEFAULT_TIMEOUT_MS = 2000
export const DEFAULT_READ_RETRIES = 2

const TTL_NEVER = 0xffff_ffff
const TTL_KEEP = 0xffff_fffe

/** The TTL field of a write. */
export function ttlField(ttl: WritePolicy['ttl']): number {
  if (ttl === undefined || ttl === 'default') return 0
  if (ttl === 'never') return TTL_NEVER
  if (ttl === 'keep') return TTL_KEEP
  if (!Number.isInteger(ttl) || ttl < 1 || ttl > 315_360_000)
    throw new RangeError(`ttl must be 1 to 315360000 seconds, 'never', 'keep' or 'default', not ${ttl}`)
  return ttl
}
