import { invalid, shown } from './client-error.ts'

/**
 * Names a record. Integers (safe ones or bigint of 64 bits), text and bytes may be keys; 1 and '1' are two keys.
 *
 * @example const key: Key = { namespace: 'test', set: 'products', key: 'laptop-15' }
 */
export interface Key {
  readonly namespace: string
  readonly set?: string
  readonly key: string | number | bigint | Buffer
}

/** Source: protocol notes, records 2. */
export const MAX_NAMESPACE_BYTES = 31
export const MAX_SET_BYTES = 63
const INT64 = 2n ** 63n

/** Throws a ClientError when this cannot be the key of a record. */
export function checkKey(key: Key['key']): void {
  if (typeof key === 'number') {
    if (!Number.isSafeInteger(key))
      invalid(`a key that is a number is a whole one up to 2^53 (beyond it a bigint), not ${key}`)
  } else if (typeof key === 'string') {
    if (key.length === 0) invalid("a key is at least one byte long, not ''")
  } else if (typeof key === 'bigint') {
    if (key < -INT64 || key >= INT64)
      invalid(`a key that is a bigint has 64 bits, signed; ${key} does not fit`)
  } else if (!Buffer.isBuffer(key))
    invalid(`a key is text, a whole number, a bigint or a Buffer, not ${shown(key)}`)
  else if (key.length === 0) invalid('a key is at least one byte long, not an empty Buffer')
}
