import { ByteWriter } from '../../values/byte-writer.ts'
import { ItemKind, itemKind } from '../../values/msgpack-item.ts'
import type { Particle, Slice } from '../../values/particle.ts'
import { ResultError } from '../../values/result-code.ts'
import { modifyBits, readBits } from '../bit/bit-operations.ts'
import { modifyCollection, readCollection } from '../collection.ts'
import { modifyHll, readHll } from '../hll/hll-operations.ts'
import type { Compiler, Names } from './compiler.ts'
import { compilePathCall, isPathCall, type PathCall } from './path-expression.ts'
import { type Expression, malformed, type Scope } from './expression-node.ts'
import {
  type ExpressionValue,
  isOutside,
  isType,
  particleOf,
  Type,
  valueOfParticle,
  writeItem,
} from './expression-value.ts'

const MODIFY = 0x40
const PATH = 0xff

type Apply = (bin: Particle | undefined, call: Slice) => Particle | undefined

/** What calls of a module work on, and the functions that do. */
interface Module {
  readonly types: readonly number[]
  readonly read: Apply
  readonly modify: Apply
}

const COLLECTIONS: Module = {
  types: [Type.LIST, Type.MAP],
  read: readCollection,
  modify: (bin, call) => modifyCollection(bin, call).bin,
}
const modules = new Map<number, Module>([
  [0, COLLECTIONS],
  [1, { types: [Type.BLOB], read: readBits, modify: modifyBits }],
  [2, { types: [Type.HLL], read: readHll, modify: (bin, call) => modifyHll(bin, call).bin }],
])

/** A call's bytes: parts that stand as they are, and arguments to be worked out first. */
type Part = Slice | Expression

/** `type, module, call, operand` of a CALL, whose code has been read. */
export function compileCall(compiler: Compiler, names: Names): Expression {
  const type = compiler.integer()
  const module = compiler.integer()
  if (!isType(type)) malformed('a type of result')
  if (isPathCall({ buffer: compiler.buffer, start: compiler.at, end: compiler.end }))
    return compilePathOperand(compiler, names, type, module)
  const parts = callParts(compiler, names)
  const operand = compiler.next(names)
  const { types, read, modify } = modules.get(module & ~MODIFY) ?? malformed(`no module ${module}`)
  if (operand.type !== Type.NIL && !types.includes(operand.type)) malformed('an operand of another type')
  const apply = module & MODIFY ? modify : read
  return {
    type,
    run(scope) {
      const value = operand.run(scope)
      const call = callBytes(parts, scope)
      if (value === undefined || isOutside(value) || !call) return undefined
      if (value === null && types !== COLLECTIONS.types) return undefined
      return outcome(type, () => apply(particleOf(value), call))
    },
  }
}

function compilePathOperand(compiler: Compiler, names: Names, type: number, module: number): Expression {
  const call = pathCall(compiler.inner(compiler.skip()), names, (module & MODIFY) !== 0)
  const operand = compiler.next(names)
  if ((module & ~MODIFY) !== 0 || !COLLECTIONS.types.includes(operand.type))
    malformed('an operand of another type')
  return {
    type,
    run(scope) {
      const value = operand.run(scope)
      if (!call || typeof value !== 'object' || value === null || isOutside(value)) return undefined
      return outcome(type, () => call.run(value, scope))
    },
  }
}

/** A path that is none makes the call unknown, no malformed expression (hand-exp 19866 to 19992). */
function pathCall(compiler: Compiler, names: Names, modifies: boolean): PathCall | undefined {
  try {
    const count = compiler.header(ItemKind.LIST)
    compiler.integer()
    return compilePathCall(compiler, names, count - 1, modifies)
  } catch (error) {
    if (error instanceof ResultError) return undefined
    throw error
  }
}

/** A call that fails gives unknown, as does an answer of another type. */
function outcome(type: number, apply: () => Particle | undefined): ExpressionValue {
  try {
    return valueOfParticle(apply(), type)
  } catch (error) {
    if (error instanceof ResultError) return undefined
    throw error
  }
}

function callParts(compiler: Compiler, names: Names): Part[] {
  const start = compiler.at
  const count = compiler.header(ItemKind.LIST)
  const code = compiler.integer()
  if (code !== PATH) return [slice(compiler, start, compiler.at), ...args(compiler, names, count - 1)]
  if (count !== 3) malformed('a path and a call')
  compiler.skip()
  const inner = compiler.header(ItemKind.LIST)
  compiler.integer()
  return [slice(compiler, start, compiler.at), ...args(compiler, names, inner - 1)]
}

const slice = ({ buffer }: Compiler, start: number, end: number): Slice => ({ buffer, start, end })

/** A list among the arguments is an operator, a quoted list among them. */
function args(compiler: Compiler, names: Names, count: number): Part[] {
  if (count < 0) malformed('a call without a code')
  return Array.from({ length: count }, () =>
    itemKind(compiler.buffer, compiler.at) === ItemKind.LIST ? compiler.next(names) : compiler.skip(),
  )
}

function callBytes(parts: readonly Part[], scope: Scope): Slice | undefined {
  const to = new ByteWriter(64)
  for (const part of parts) {
    if (!('run' in part)) {
      to.bytes(part.buffer, part.start, part.end)
      continue
    }
    const value = part.run(scope)
    if (value === undefined) return undefined
    writeItem(to, value)
  }
  return { buffer: to.buffer, start: 0, end: to.length }
}
