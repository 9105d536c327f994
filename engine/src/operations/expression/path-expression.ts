/**
 * Calls that choose elements by a path of expressions and keys: SELECT answers them, MODIFY puts the value of an
 * expression in the place of each. The path is walked from the outside in, once for every element that is chosen; an
 * element that is no collection ends its way. Source: protocol notes, expressions 9; the order of checks from the
 * recorded exchanges of hand-exp 14931 to 20000.
 */
import type { Particle, Slice } from '../../values/particle.ts'
import { ParticleType } from '../../values/particle.ts'
import { ResultCode, ResultError } from '../../values/result-code.ts'
import { collectionAt, type Collection } from '../../values/collection.ts'
import { ItemKind, itemKind } from '../../values/msgpack-item.ts'
import { withTables } from '../collection-table.ts'
import { Compiler, Names } from './compiler.ts'
import { type Expression, type ExpressionRecord, malformed, newScope, type Scope } from './expression-node.ts'
import { isBool } from './expression-value.ts'
import { PathItemType, type PathStep } from './path-step.ts'
import { modifiedAt } from './path-modify.ts'
import { selectedAt } from './path-select.ts'

const CODE = 0xfe
const MODIFY = 4
const KNOWN_BITS = 3
const REFUSED = 8
const NO_FAIL = 0x10
const MAX_STEPS = 128

/** What a path call wants, apart from its path. */
export interface PathMode {
  /** 0 = tree, 1 = values, 2 = keys, 3 = keys and values. */
  readonly answer: number
  /** Elements that do not fit are passed over. */
  readonly noFail: boolean
}

/** A path call ready to run; it answers undefined for a bin that is not there. */
export interface PathCall {
  readonly modifies: boolean
  run(bin: Particle, scope: Scope): Particle
}

export function isPathCall({ buffer, start, end }: Slice): boolean {
  return end - start > 3 && itemKind(buffer, start) === ItemKind.LIST && isPathCode(buffer, start + 1)
}

const isPathCode = (buffer: Buffer, at: number): boolean => buffer[at] === 0xcc && buffer[at + 1] === CODE

/** SELECT on a bin; undefined is nil. Throws ResultError. */
export function selectByPath(
  bin: Particle | undefined,
  payload: Slice,
  record: ExpressionRecord,
): Particle | undefined {
  if (bin === undefined) return undefined
  collectionOf(bin)
  return compileWhole(payload, false).run(bin, newScope(record))
}

/** The bin after MODIFY. Throws ResultError. */
export function modifyByPath(bin: Particle | undefined, payload: Slice, record: ExpressionRecord): Particle {
  if (bin === undefined) throw new ResultError(ResultCode.BIN_TYPE, 'no bin')
  collectionOf(bin)
  return compileWhole(payload, true).run(bin, newScope(record))
}

function compileWhole(payload: Slice, modifies: boolean): PathCall {
  const compiler = new Compiler(payload)
  const count = compiler.header(ItemKind.LIST)
  compiler.integer()
  return compilePathCall(compiler, new Names(), count - 1, modifies)
}

function collectionOf({ type, buffer, start, end }: Particle): Collection {
  const isCollection = type === ParticleType.LIST || type === ParticleType.MAP
  const collection = isCollection ? collectionAt(buffer, start, end) : undefined
  return collection ?? fail(ResultCode.BIN_TYPE, 'neither a list nor a map')
}

function fail(code: ResultCode, why: string): never {
  throw new ResultError(code, why)
}

/** `path, flags` and, to modify, an expression; the code has been read. */
export function compilePathCall(
  compiler: Compiler,
  names: Names,
  count: number,
  modifies: boolean,
): PathCall {
  if (count !== (modifies ? 3 : 2)) malformed('a path, flags and, to modify, an expression')
  const path = compilePath(compiler, names)
  const flags = compiler.integer()
  if (((flags & MODIFY) !== 0) !== modifies || flags & REFUSED) malformed(`flags ${flags}`)
  const expression = modifies ? compiler.next(names) : undefined
  const mode: PathMode = { answer: flags & KNOWN_BITS, noFail: (flags & NO_FAIL) !== 0 }
  return {
    modifies,
    run: (bin, scope) =>
      withTables(() => {
        const collection = collectionOf(bin)
        return expression
          ? modifiedAt(collection, { path, mode, scope, expression })
          : selectedAt(collection, { path, mode, scope })
      }),
  }
}

function compilePath(compiler: Compiler, names: Names): PathStep[] {
  const count = compiler.header(ItemKind.LIST)
  if (count === 0 || count % 2 !== 0 || count > 2 * MAX_STEPS) malformed('a path of pairs of type and value')
  const path: PathStep[] = []
  for (let i = 0; i < count; i += 2) {
    const type = compiler.integer()
    if (type === PathItemType.FILTER) {
      const last = path.at(-1) ?? malformed('a filter with nothing in front')
      if (last.type === PathItemType.CHILDREN) malformed('a filter behind an expression')
      path[path.length - 1] = { ...last, filters: [...last.filters, ...condition(compiler, names)] }
    } else if (type === PathItemType.CHILDREN) path.push({ type, filters: condition(compiler, names) })
    else path.push(plainStep(type, compiler))
  }
  return path
}

function plainStep(type: number, compiler: Compiler): PathStep {
  if (!PathItemType.plain.has(type)) malformed(`path type ${type}`)
  const { buffer, start, end } = compiler.skip()
  if (type === PathItemType.KEYS && itemKind(buffer, start) !== ItemKind.LIST) malformed('a list of keys')
  return { type, filters: [], buffer, item: { type, value: start, valueEnd: end } }
}

/** An expression that elements have to fulfil; none for the literal true. */
function condition(compiler: Compiler, names: Names): Expression[] {
  const byte = compiler.buffer[compiler.at]
  if (byte === 0xc2) malformed('a path that nothing fulfils')
  const expression = compiler.next(names)
  if (!isBool(expression.type)) malformed('a condition is a bool')
  return byte === 0xc3 ? [] : [expression]
}
