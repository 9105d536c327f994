import { invalid, shown } from '../protocol/client-error.ts'
import { Expression } from '../protocol/expression.ts'
import { Info3 } from '../protocol/message.ts'
import { MAX_TTL_S, TTL_DEFAULT, TTL_KEEP, TTL_NEVER } from '../protocol/time-to-live.ts'

/** For every request; times in ms. */
export interface Policy {
  /** From the call to the end of the last try; 2,000 unless told, here or to `connect`. */
  readonly timeout?: number
  /** Of one try: after so long without its answer it is given up, and tried again where it may be; else `timeout`. */
  readonly socketTimeout?: number
  /** Further tries after the first, 2 unless told: of reads after any failure, of writes only where none was begun. */
  readonly retries?: number
  /** Only records for which this is true; others fail with FILTERED_OUT. */
  readonly filter?: Expression
  /** Travels apart from other requests, for what waits: a namespace with `durability: 'commit'`, slow replicas. */
  readonly waits?: boolean
}

export interface ReadPolicy extends Policy {
  /** Only these bins; all unless told. */
  readonly bins?: readonly string[]
  /**
   * Of a strong namespace: `session` (unless told) never goes back behind what this client has seen; `linearize` behind
   * nothing that any client has been told; `allow-replica` and `allow-unavailable` may be behind, and answer more often.
   */
  readonly readMode?: 'session' | 'linearize' | 'allow-replica' | 'allow-unavailable'
  /** Of an available namespace: `all` asks every replica and answers the newest. */
  readonly replicas?: 'one' | 'all'
  /**
   * The record gets its whole life again when less than this percentage of it is left; `never`, or what the namespace
   * says unless told.
   */
  readonly touchPercent?: number | 'never'
  /** Goes out with the other reads of this tick that ask for it, as one batch to each node. */
  readonly batched?: boolean
}

export interface WritePolicy extends Policy {
  /** Seconds until the record expires, `never`, `keep` what it has, or the namespace's `default`. */
  readonly ttl?: number | 'never' | 'keep' | 'default'
  readonly exists?: 'create' | 'update' | 'replace' | 'create-or-replace'
  /** The write is done only when the record still has this generation; 0 = only when there is no record. */
  readonly generation?: number
  /** Stores the key with the record. */
  readonly sendKey?: boolean
  /** A delete leaves a mark, so that the record cannot come back with a node that was away; not in every edition. */
  readonly durableDelete?: boolean
}

/** Of any command. */
export interface CommandPolicy extends ReadPolicy, WritePolicy {}

export const DEFAULT_TIMEOUT_MS = 2000
export const DEFAULT_CONNECT_TIMEOUT_MS = 1000
export const DEFAULT_TEND_INTERVAL_MS = 1000
export const DEFAULT_RETRIES = 2

const MAX_GENERATION = 65_535
const MAX_TIMEOUT_MS = 0x7fff_ffff

/** The TTL field of a write. */
export function ttlField(ttl: WritePolicy['ttl']): number {
  if (ttl === undefined || ttl === 'default') return TTL_DEFAULT
  if (ttl === 'never') return TTL_NEVER
  if (ttl === 'keep') return TTL_KEEP
  if (!Number.isInteger(ttl) || ttl < 1 || ttl > MAX_TTL_S)
    invalid(
      `ttl is a whole number of 1 to ${MAX_TTL_S} seconds, 'never', 'keep' or 'default', not ${shown(ttl)}`,
    )
  return ttl
}

/** The same field of a read. */
export function touchField(percent: ReadPolicy['touchPercent']): number {
  if (percent === undefined) return 0
  if (percent === 'never') return TTL_NEVER
  if (!Number.isInteger(percent) || percent < 1 || percent > 100)
    invalid(`touchPercent is a whole number of 1 to 100, or 'never', not ${shown(percent)}`)
  return percent
}

const whole = (value: number | undefined, most: number) =>
  value === undefined || (Number.isInteger(value) && value >= 0 && value <= most)

/** Throws a ClientError that says which part of a policy is wrong. */
export function checkPolicy(policy: CommandPolicy): void {
  const { timeout, socketTimeout, retries, generation, exists, readMode, replicas } = policy
  checkTime('timeout', timeout)
  checkTime('socketTimeout', socketTimeout)
  if (!whole(retries, 1000)) invalid(`retries is a whole number of 0 to 1000, not ${shown(retries)}`)
  if (!whole(generation, MAX_GENERATION))
    invalid(`generation is a whole number of 0 to ${MAX_GENERATION}, not ${shown(generation)}`)
  if (exists !== undefined && !Object.hasOwn(existsNames, exists))
    invalid(`exists is one of ${Object.keys(existsNames).join(', ')}, not ${shown(exists)}`)
  if (readMode !== undefined && !Object.hasOwn(readModes, readMode))
    invalid(`readMode is one of ${Object.keys(readModes).join(', ')}, not ${shown(readMode)}`)
  if (replicas !== undefined && replicas !== 'one' && replicas !== 'all')
    invalid(`replicas is one or all, not ${shown(replicas)}`)
  if (policy.filter !== undefined && !(policy.filter instanceof Expression))
    invalid(`filter is an expression made with exp, not ${shown(policy.filter)}`)
}

export function checkTime(name: string, time: number | undefined): void {
  if (time !== undefined && !(time > 0 && time <= MAX_TIMEOUT_MS))
    invalid(`${name} is a number of ms from above 0 to ${MAX_TIMEOUT_MS}, not ${shown(time)}`)
}

/** Bits of info3. Source: protocol notes, records 1. */
export const readModes: Record<NonNullable<ReadPolicy['readMode']>, number> = {
  session: 0,
  linearize: Info3.SC_READ_TYPE,
  'allow-replica': Info3.SC_READ_RELAX,
  'allow-unavailable': Info3.SC_READ_TYPE | Info3.SC_READ_RELAX,
}

const existsNames: Record<NonNullable<WritePolicy['exists']>, true> = {
  create: true,
  update: true,
  replace: true,
  'create-or-replace': true,
}
