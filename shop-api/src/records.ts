/**
 * The part of the engine's client that catalogue and carts use. The client of @larder/engine has this form; tests
 * may hand in another.
 */
export interface RecordKey {
  readonly namespace: string
  readonly set: string
  readonly key: string
}

export type RecordBins = Record<string, string | number | Buffer | null>

export interface StoredRecord {
  readonly bins: Readonly<Record<string, unknown>>
  readonly generation: number
}

export interface WritePolicy {
  /** Seconds until the record expires. */
  readonly ttl?: number | 'never'
  readonly exists?: 'create' | 'update' | 'replace' | 'create-or-replace'
  /** The write is done only when the record still has this generation. */
  readonly generation?: number
}

export interface Records {
  get(key: RecordKey, options?: { readonly bins?: string[] }): Promise<StoredRecord | undefined>
  /** The same; not a promise where the answer is there at once. Throws then what the promise would reject with. */
  getNow(
    key: RecordKey,
    options?: { readonly bins?: string[] },
  ): StoredRecord | undefined | Promise<StoredRecord | undefined>
  getMany(
    keys: RecordKey[],
    options?: { readonly bins?: string[] },
  ): Promise<readonly (StoredRecord | undefined)[]>
  put(key: RecordKey, bins: RecordBins, policy?: WritePolicy): Promise<{ readonly generation: number }>
  remove(key: RecordKey): Promise<boolean>
}

/** True for the client's errors with this reason: the name of the result code, such as GENERATION. */
export function hasReason(error: unknown, ...reasons: string[]): boolean {
  return error instanceof Error && 'reason' in error && reasons.includes(String(error.reason))
}
