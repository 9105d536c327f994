/** One node of the tree that an expression becomes. */
import type { Collection } from '../../values/collection.ts'
import type { Particle, Slice } from '../../values/particle.ts'
import { ResultCode, ResultError } from '../../values/result-code.ts'
import type { ExpressionValue } from './expression-value.ts'

/** What expressions ask of the record they are worked out on. Times in ns since 1970, −1 = never. */
export interface ExpressionRecord {
  bin(buffer: Buffer, start: number, end: number): Particle | undefined
  /** Type byte and key, undefined where none is stored. */
  key(): Slice | undefined
  setName(): Slice
  digest(): Slice
  lastUpdate(): bigint
  sinceUpdateMs(): bigint
  voidTime(): bigint
  ttlSeconds(): bigint
  recordBytes(): bigint
}

export interface Expression {
  readonly type: number
  run(scope: Scope): ExpressionValue
}

/** The record and the values that LET has named, innermost last. */
export interface Scope {
  readonly record: ExpressionRecord
  readonly values: ExpressionValue[]
  /** What all paths together may still do. */
  readonly pathWork: { left: number }
  /** Set while a path looks at an element; bins are unknown then. */
  readonly element?: Element
}

/**
 * Elements that the paths of one expression may look at, one path inside another included, and every 16 bytes they
 * copy: about a second. Records of the usual size never have so many.
 */
const MAX_PATH_WORK = 1_000_000

export const newScope = (record: ExpressionRecord): Scope => ({
  record,
  values: [],
  pathWork: { left: MAX_PATH_WORK },
})

/** One element of a list, or one pair of a map; offsets are in the buffer of the collection. */
export interface Element {
  readonly collection: Collection
  readonly index: number
  /** That of the value where there is no key. */
  readonly key: number
  readonly value: number
  readonly end: number
}

export function malformed(why: string): never {
  throw new ResultError(ResultCode.PARAMETER, why)
}

export const known = (type: number, run: Expression['run']): Expression => ({ type, run })
