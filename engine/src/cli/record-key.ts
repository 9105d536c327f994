import { CommandError } from './command.ts'

export interface RecordKey {
  readonly namespace: string
  readonly set?: string
  readonly key: string | number | bigint
}

/** `test.products 1` or `test 1`; a key of digits is an integer unless `asText`. */
export function parseKey(place: string | undefined, key: string | undefined, asText: boolean): RecordKey {
  if (place === undefined || key === undefined)
    throw new CommandError('name a place and a key, such as: test.products 1')
  const dot = place.indexOf('.')
  const namespace = dot < 0 ? place : place.slice(0, dot)
  const set = dot < 0 ? undefined : place.slice(dot + 1)
  const userKey = !asText && /^-?\d{1,18}$/.test(key) ? BigInt(key) : key
  return { namespace, ...(set ? { set } : {}), key: userKey }
}
