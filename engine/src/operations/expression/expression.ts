/**
 * Expressions. Bytes are compiled once into a tree of closures whose types are checked on the way; a value that
 * cannot be had makes what needs it unknown. Depth and length are bounded by the message that carries them.
 * Source: protocol notes, expressions 1 to 5.
 */
import type { Particle, Slice } from '../../values/particle.ts'
import { ParticleType } from '../../values/particle.ts'
import { ResultCode, ResultError } from '../../values/result-code.ts'
import { Compiler } from './compiler.ts'
import { type Expression, type ExpressionRecord, newScope } from './expression-node.ts'
import { isBool, particleOf } from './expression-value.ts'

/** Throws ResultError 4 for bytes that are no expression. */
function compileExpression(bytes: Slice): Expression {
  return new Compiler(bytes).whole()
}

const MAX_CACHED = 256
const MAX_CACHED_BYTES = 1024
const cache = new Map<string, Expression>()

/** The last filter that was too long for the table: a scan or a batch asks for it with every record. */
let lastLong: { readonly bytes: Buffer; readonly compiled: Expression } | undefined
const MAX_LONG_BYTES = 1024 * 1024

/** The same filter comes with many requests: the last ones stay compiled. */
function cached({ buffer, start, end }: Slice): Expression {
  if (end - start > MAX_LONG_BYTES) return compileExpression({ buffer, start, end })
  if (end - start > MAX_CACHED_BYTES) {
    if (lastLong?.bytes.compare(buffer, start, end) !== 0) lastLong = compiledCopy({ buffer, start, end })
    return lastLong.compiled
  }
  const name = buffer.toString('latin1', start, end)
  const known = cache.get(name)
  if (known) return known
  const { compiled } = compiledCopy({ buffer, start, end })
  if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value!)
  cache.set(name, compiled)
  return compiled
}

/** The bytes of a request are not there any more when the next one comes. */
function compiledCopy({ buffer, start, end }: Slice): { bytes: Buffer; compiled: Expression } {
  const bytes = Buffer.from(buffer.subarray(start, end))
  return { bytes, compiled: compileExpression({ buffer: bytes, start: 0, end: bytes.length }) }
}

/** Whether the bytes are an expression that a filter can be. */
export function isFilter(bytes: Slice): boolean {
  try {
    return isBool(cached(bytes).type)
  } catch (error) {
    if (error instanceof ResultError) return false
    throw error
  }
}

/** OK, FILTERED_OUT, or PARAMETER for what is no expression of type bool. */
export function filterResult(bytes: Slice, record: ExpressionRecord): ResultCode {
  try {
    const expression = cached(bytes)
    if (!isBool(expression.type)) return ResultCode.PARAMETER
    return expression.run(newScope(record)) === true ? ResultCode.OK : ResultCode.FILTERED_OUT
  } catch (error) {
    if (error instanceof ResultError) return error.code
    throw error
  }
}

const Flag = { CREATE_ONLY: 1, UPDATE_ONLY: 2, ALLOW_DELETE: 4, POLICY_NO_FAIL: 8, EVAL_NO_FAIL: 16 } as const
const ALL_FLAGS = 31

/** `[expression, flags]` of op 7: the value under its label; undefined is nil. */
export function readExpression(payload: Slice, record: ExpressionRecord): Particle | undefined {
  const { expression, flags } = new Compiler(payload).withFlags()
  if ((flags & ~Flag.EVAL_NO_FAIL) !== 0) throw new ResultError(ResultCode.PARAMETER)
  const value = expression.run(newScope(record))
  if (value !== undefined) return stored(particleOf(value))
  if (flags & Flag.EVAL_NO_FAIL) return undefined
  throw new ResultError(ResultCode.NOT_APPLICABLE, 'unknown')
}

/** What op 8 does to its bin. */
export type ExpressionChange =
  | { readonly kind: 'keep' }
  | { readonly kind: 'delete' }
  | { readonly kind: 'store'; readonly value: Particle }

const KEEP: ExpressionChange = { kind: 'keep' }

/** `[expression, flags]` of op 8. */
export function writeExpression(payload: Slice, record: ExpressionRecord, exists: boolean): ExpressionChange {
  const { expression, flags } = new Compiler(payload).withFlags()
  if ((flags & ~ALL_FLAGS) !== 0) throw new ResultError(ResultCode.PARAMETER)
  const noFail = (flags & Flag.POLICY_NO_FAIL) !== 0
  if (!exists && flags & Flag.UPDATE_ONLY) return failOrKeep(noFail, ResultCode.BIN_NOT_FOUND)
  if (exists && flags & Flag.CREATE_ONLY) return failOrKeep(noFail, ResultCode.BIN_EXISTS)
  const value = expression.run(newScope(record))
  if (value === undefined) return failOrKeep((flags & Flag.EVAL_NO_FAIL) !== 0, ResultCode.NOT_APPLICABLE)
  const particle = particleOf(value)
  if (particle) return { kind: 'store', value: stored(particle) }
  if (!exists) return KEEP
  if (flags & Flag.ALLOW_DELETE) return { kind: 'delete' }
  // An update that finds nothing to write is none (hand-exp 12172).
  if (flags & Flag.UPDATE_ONLY) return KEEP
  return failOrKeep(noFail || (flags & Flag.EVAL_NO_FAIL) !== 0, ResultCode.NOT_APPLICABLE)
}

function failOrKeep(keep: boolean, code: ResultCode): ExpressionChange {
  if (keep) return KEEP
  throw new ResultError(code)
}

/** Infinity and wildcard stand for no value that a bin could hold. */
function stored<Value extends Particle | undefined>(particle: Value): Value {
  if (particle && particle.type > ParticleType.GEOJSON) throw new ResultError(ResultCode.PARAMETER)
  return particle
}
