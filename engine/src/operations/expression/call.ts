import { ByteWriter } from '../../values/byte-writer.ts'
import { ItemKind, itemKind } from '../../values/msgpack-item.ts'
import type { Particle, Slice } from '../../values/particle.ts'
import { ResultError } from '../../values/result-code.ts'
import { modifyCollection, readCollection } from '../collection.ts'
import { type Compiler, malformed, type Names } from './compiler.ts'
import type { Expression, Scope } from './expression.ts'
import {
  type ExpressionValue,
  isType,
  particleOf,
  Type,
  valueOfParticle,
  writeItem,
} from './expression-value.ts'

const MODIFY = 0x40
const COLLECTIONS = 0
const PATH = 0xff

/** A call's bytes: parts that stand as they are, and arguments to be worked out first. */
type Part = Slice | Expression

/** `type, module, call, operand` of a CALL, whose code has been read. */
export function compileCall(compiler: Compiler, names: Names): Expression {
  const type = compiler.integer()
  const module = compiler.integer()
  if (!isType(type)) malformed('a type of result')
  if ((module & ~MODIFY) !== COLLECTIONS) malformed(`no module ${module}`)
  const parts = callParts(compiler, names)
  const operand = compiler.next(names)
  const fitting = operand.type === Type.LIST || operand.type === Type.MAP || operand.type === Type.NIL
  if (!fitting) malformed('a call works on a list or a map')
  const apply = module & MODIFY ? modified : readCollection
  return {
    type,
    run(scope) {
      const value = operand.run(scope)
      const call = callBytes(parts, scope)
      if (value === undefined || !call) return undefined
      return outcome(type, () => apply(particleOf(value), call))
    },
  }
}

function modified(bin: Particle | undefined, call: Slice): Particle | undefined {
  return modifyCollection(bin, call).bin
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
