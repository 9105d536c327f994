/** Reads the bytes of an expression, checks its types and makes the tree that works it out. */
import { collectionAt } from '../../values/collection.ts'
import { compareItems } from '../../values/item-order.ts'
import { headerLength, headerSize, ItemKind, itemKind, skipItem } from '../../values/msgpack-item.ts'
import { type Particle, ParticleType, type Slice } from '../../values/particle.ts'
import { ResultCode, ResultError } from '../../values/result-code.ts'
import { arithmetic } from './arithmetic.ts'
import { compileCall } from './call.ts'
import type { Expression, Scope } from './expression.ts'
import {
  compareValues,
  type ExpressionValue,
  isType,
  itemOf,
  Type,
  valueOfParticle,
} from './expression-value.ts'

const MAX_DEPTH = 128
const QUOTE = 126
const MAX_BIN_NAME_BYTES = 15

export function malformed(why: string): never {
  throw new ResultError(ResultCode.PARAMETER, why)
}

const known = (type: number, run: Expression['run']): Expression => ({ type, run })

/** Names that LET has given, with their place in Scope.values, and those whose definition is being read. */
export class Names {
  readonly places = new Map<string, { readonly index: number; readonly type: number }>()
  readonly inMaking = new Set<string>()
}

export class Compiler {
  readonly buffer: Buffer
  readonly #end: number
  at: number
  #depth = 0

  constructor(bytes: Slice) {
    this.buffer = bytes.buffer
    this.at = bytes.start
    this.#end = bytes.end
  }

  whole(): Expression {
    const expression = this.next(new Names())
    if (this.at !== this.#end) malformed('bytes after the expression')
    return expression
  }

  withFlags(): { expression: Expression; flags: number } {
    const count = this.header(ItemKind.LIST)
    if (count < 1 || count > 2) malformed('an expression and its flags')
    const expression = this.next(new Names())
    const flags = count === 2 ? this.integer() : 0
    if (this.at !== this.#end) malformed('bytes after the flags')
    return { expression, flags }
  }

  /** The expression that comes next: an operator is a list, everything else a literal. */
  next(names: Names): Expression {
    if (this.at >= this.#end) malformed('an expression that ends too early')
    if (++this.#depth > MAX_DEPTH) malformed('nested too deep')
    const expression =
      itemKind(this.buffer, this.at) === ItemKind.LIST ? this.#operator(names) : this.#literal()
    this.#depth--
    return expression
  }

  header(kind: number): number {
    if (this.at >= this.#end || itemKind(this.buffer, this.at) !== kind) malformed('another kind of item')
    const count = headerSize(this.buffer, this.at)
    this.at += headerLength(this.buffer[this.at]!)
    return count
  }

  /** A small integer of the encoding itself. */
  integer(): number {
    const value = this.#literal().run({} as Scope)
    return typeof value === 'bigint' ? Number(value) : malformed('an integer is wanted')
  }

  /** Bytes of the item that comes next, which is stepped over. */
  skip(): Slice {
    const start = this.at
    const end = skipItem(this.buffer, start, this.#end)
    if (end < 0 || end > this.#end) malformed('an item that ends too early')
    this.at = end
    return { buffer: this.buffer, start, end }
  }

  #rawName(): Slice {
    if (this.at >= this.#end) malformed('a name is wanted')
    const byte = this.buffer[this.at]!
    const isText = (byte >= 0xa0 && byte < 0xc0) || (byte >= 0xd9 && byte <= 0xdb)
    if (!isText) malformed('a name is wanted')
    const { buffer, start, end } = this.skip()
    return { buffer, start: start + headerLength(byte), end }
  }

  #literal(): Expression {
    const item = this.skip()
    const { buffer, start, end } = item
    const byte = buffer[start]!
    switch (itemKind(buffer, start)) {
      case ItemKind.MAP: {
        const value: Particle = { type: ParticleType.MAP, buffer, start, end }
        return known(Type.MAP, () => value)
      }
      case ItemKind.LIST:
        return malformed('a list must be quoted')
    }
    if (byte === 0xc0) return known(Type.NIL, () => null)
    if (byte === 0xc2 || byte === 0xc3) return known(Type.BOOL, () => byte === 0xc3)
    if (byte === 0xca || byte === 0xcb) {
      const value = byte === 0xca ? buffer.readFloatBE(start + 1) : buffer.readDoubleBE(start + 1)
      return known(Type.FLOAT, () => value)
    }
    const integer = integerAt(buffer, start)
    if (integer !== undefined) return known(Type.INT, () => integer)
    return bytesLiteral(item)
  }

  #operator(names: Names): Expression {
    const count = this.header(ItemKind.LIST) - 1
    if (count < 0) malformed('an operator without a code')
    const code = this.integer()
    if (code === QUOTE) return this.#quote(count)
    if (code === 81 || code === 82) return this.#bin(code, count)
    if (code === 124) return this.#variable(names, count)
    if (code === 125) return this.#let(names, count)
    if (code === 127) {
      if (count !== 4) malformed('a call has four parts')
      return compileCall(this, names)
    }
    if (code === 64) return this.#digestModulo(count)
    if (code === 80) return this.#key(count)
    const operands = Array.from({ length: count }, () => this.next(names))
    return combine(code, operands)
  }

  #quote(count: number): Expression {
    if (count !== 1 || itemKind(this.buffer, this.at) !== ItemKind.LIST) malformed('a quoted list')
    const value: Particle = { type: ParticleType.LIST, ...this.skip() }
    return known(Type.LIST, () => value)
  }

  #bin(code: number, count: number): Expression {
    const typed = code === 81
    if (count !== (typed ? 2 : 1)) malformed('a bin')
    const type = typed ? this.integer() : Type.INT
    if (!isType(type)) malformed('a type')
    const { buffer, start, end } = this.#rawName()
    if (end - start > MAX_BIN_NAME_BYTES) malformed('a name of at most 15 bytes')
    if (!typed) return known(Type.INT, ({ record }) => BigInt(record.bin(buffer, start, end)?.type ?? 0))
    return known(type, ({ record }) => {
      const bin = record.bin(buffer, start, end)
      return bin && valueOfParticle(bin, type)
    })
  }

  #variable(names: Names, count: number): Expression {
    const name = text(this.#rawName())
    const place = names.places.get(name)
    if (count !== 1 || !place) malformed(`no variable ${name}`)
    const { index, type } = place
    return known(type, ({ values }) => values[index])
  }

  #let(names: Names, count: number): Expression {
    if (count < 3 || count % 2 === 0) malformed('a let has names, values and a body')
    const definitions: Expression[] = []
    const defined: string[] = []
    const depth = names.places.size
    for (let i = 0; i < count - 1; i += 2) {
      const name = text(this.#rawName())
      if (names.places.has(name) || names.inMaking.has(name)) malformed(`${name} is defined already`)
      names.inMaking.add(name)
      const definition = this.next(names)
      names.inMaking.delete(name)
      definitions.push(definition)
      names.places.set(name, { index: depth + i / 2, type: definition.type })
      defined.push(name)
    }
    const body = this.next(names)
    for (const name of defined) names.places.delete(name)
    return known(body.type, (scope) => {
      for (const [i, definition] of definitions.entries()) scope.values[depth + i] = definition.run(scope)
      const value = body.run(scope)
      scope.values.length = depth
      return value
    })
  }

  #digestModulo(count: number): Expression {
    if (count !== 1) malformed('a modulus')
    const modulus = Math.abs(this.integer())
    if (modulus === 0 || modulus > 0x7fff_ffff) malformed('a modulus of 31 bits')
    return known(Type.INT, ({ record }) => {
      const { buffer, end } = record.digest()
      return BigInt(buffer.readUInt32LE(end - 4) % modulus)
    })
  }

  #key(count: number): Expression {
    const type = this.integer()
    if (count !== 1 || (type !== Type.INT && type !== Type.STRING && type !== Type.BLOB))
      malformed('a type of key')
    return known(type, ({ record }) => {
      const key = record.key()
      if (!key) return undefined
      const { buffer, start, end } = key
      return valueOfParticle({ type: buffer[start]!, buffer, start: start + 1, end }, type)
    })
  }
}

const text = ({ buffer, start, end }: Slice) => buffer.toString('latin1', start, end)

function integerAt(buffer: Buffer, at: number): bigint | undefined {
  const byte = buffer[at]!
  if (byte < 0x80) return BigInt(byte)
  if (byte >= 0xe0) return BigInt(byte - 0x100)
  switch (byte) {
    case 0xcc:
      return BigInt(buffer[at + 1]!)
    case 0xcd:
      return BigInt(buffer.readUInt16BE(at + 1))
    case 0xce:
      return BigInt(buffer.readUInt32BE(at + 1))
    case 0xd0:
      return BigInt(buffer.readInt8(at + 1))
    case 0xd1:
      return BigInt(buffer.readInt16BE(at + 1))
    case 0xd2:
      return BigInt(buffer.readInt32BE(at + 1))
    case 0xcf:
    case 0xd3:
      return buffer.readBigInt64BE(at + 1)
    default:
      return undefined
  }
}

function bytesLiteral({ buffer, start, end }: Slice): Expression {
  const byte = buffer[start]!
  const isBytes =
    (byte >= 0xa0 && byte < 0xc0) || (byte >= 0xd9 && byte <= 0xdb) || (byte >= 0xc4 && byte <= 0xc6)
  const from = start + headerLength(byte)
  if (!isBytes || from >= end) malformed('no value of an expression')
  const type = buffer[from]!
  const value: Particle = { type, buffer, start: from + 1, end }
  if (type === ParticleType.STRING) return known(Type.STRING, () => value)
  if (type === ParticleType.BLOB) return known(Type.BLOB, () => value)
  return malformed(`particle type ${type} in an expression`)
}

const comparisons = new Map<number, (order: number) => boolean>([
  [1, (order) => order === 0],
  [2, (order) => order !== 0],
  [3, (order) => order > 0],
  [4, (order) => order >= 0],
  [5, (order) => order < 0],
  [6, (order) => order <= 0],
])

const fits = (type: number, wanted: number) => type === wanted || type === Type.ANY
const isLogic = (type: number) => type === Type.BOOL || type === Type.ANY

function combine(code: number, operands: readonly Expression[]): Expression {
  const compare = comparisons.get(code)
  if (compare) return comparison(compare, operands)
  const number = arithmetic.get(code)
  if (number) return calculation(code, number, operands)
  switch (code) {
    case 0:
      if (operands.length > 0) malformed('unknown takes nothing')
      return known(Type.ANY, () => undefined)
    case 9:
      return inList(operands)
    case 16:
    case 17:
    case 19:
      return logic(code, operands)
    case 18:
      return negation(operands)
    case 101:
    case 102:
      return mapPart(code === 101, operands)
    case 123:
      return condition(operands)
    default:
      return metadata(code, operands)
  }
}

function comparison(holds: (order: number) => boolean, operands: readonly Expression[]): Expression {
  const [a, b] = operands
  if (!a || !b || operands.length !== 2) malformed('a comparison has two sides')
  const incomparable = (type: number) => type === Type.GEO || type === Type.HLL
  const unlike = a.type !== b.type && !(isLogic(a.type) && isLogic(b.type))
  if (unlike || incomparable(a.type)) malformed('types that do not compare')
  return known(Type.BOOL, (scope) => {
    const order = compareValues(a.run(scope), b.run(scope))
    return order === undefined ? undefined : holds(order)
  })
}

/** Operand types by opcode: number kinds alike, floats, integers, or an integer and a bool. */
function calculation(
  code: number,
  apply: (values: readonly ExpressionValue[]) => ExpressionValue,
  operands: readonly Expression[],
): Expression {
  const first = operands[0]
  if (!first) malformed('an operator without operands')
  const wanted = operandTypes(code, first.type, operands.length)
  if (!wanted || operands.some(({ type }, i) => type !== wanted[i])) malformed('operands of another type')
  const type = code === 30 ? Type.INT : code === 31 ? Type.FLOAT : wanted[0]!
  return known(type, (scope) => {
    const values = operands.map((operand) => operand.run(scope))
    return values.includes(undefined) ? undefined : apply(values)
  })
}

function operandTypes(code: number, first: number, count: number): number[] | undefined {
  const all = (type: number) => new Array<number>(count).fill(type)
  const isNumber = first === Type.INT || first === Type.FLOAT
  if (code <= 23 || code >= 50) return isNumber ? all(first) : undefined
  if (code === 27) return isNumber && count === 1 ? [first] : undefined
  if (code === 24 || code === 25) return count === 2 ? all(Type.FLOAT) : undefined
  if (code >= 28 && code <= 30) return count === 1 ? all(Type.FLOAT) : undefined
  if (code >= 32 && code <= 34) return all(Type.INT)
  if (code === 31 || code === 35 || code === 39) return count === 1 ? all(Type.INT) : undefined
  if (code >= 40) return count === 2 ? [Type.INT, Type.BOOL] : undefined
  return count === 2 ? all(Type.INT) : undefined
}

function logic(code: number, operands: readonly Expression[]): Expression {
  if (operands.length < 2 || !operands.every(({ type }) => isLogic(type))) malformed('two bools or more')
  if (code === 19) return known(Type.BOOL, (scope) => exclusive(operands, scope))
  const decisive = code === 17
  return known(Type.BOOL, (scope) => {
    let unknown = false
    for (const operand of operands) {
      const value = operand.run(scope)
      if (value === decisive) return decisive
      if (value === undefined) unknown = true
    }
    return unknown ? undefined : !decisive
  })
}

function exclusive(operands: readonly Expression[], scope: Scope): ExpressionValue {
  let trues = 0
  let unknown = false
  for (const operand of operands) {
    const value = operand.run(scope)
    if (value === undefined) unknown = true
    else if (value === true && ++trues > 1) return false
  }
  return unknown ? undefined : trues === 1
}

function negation(operands: readonly Expression[]): Expression {
  const [operand] = operands
  if (!operand || operands.length !== 1 || !isLogic(operand.type)) malformed('one bool')
  return known(Type.BOOL, (scope) => {
    const value = operand.run(scope)
    return value === undefined ? undefined : value !== true
  })
}

function condition(operands: readonly Expression[]): Expression {
  if (operands.length < 3 || operands.length % 2 === 0) malformed('conditions, values and a default')
  const results = operands.filter((_, i) => i % 2 === 1 || i === operands.length - 1)
  const type = results.find((result) => result.type !== Type.ANY)?.type ?? Type.ANY
  if (!results.every((result) => fits(result.type, type))) malformed('values of one type')
  if (operands.some((operand, i) => i % 2 === 0 && i < operands.length - 1 && !isLogic(operand.type)))
    malformed('a condition is a bool')
  return known(type, (scope) => {
    for (let i = 0; i + 1 < operands.length; i += 2) {
      const holds = operands[i]!.run(scope)
      if (holds === undefined) return undefined
      if (holds === true) return operands[i + 1]!.run(scope)
    }
    return operands.at(-1)!.run(scope)
  })
}

function inList(operands: readonly Expression[]): Expression {
  const [value, list] = operands
  if (!value || !list || operands.length !== 2 || list.type !== Type.LIST) malformed('a value and a list')
  return known(Type.BOOL, (scope) => {
    const wanted = value.run(scope)
    const all = list.run(scope)
    if (wanted === undefined || !all || typeof all !== 'object') return undefined
    const item = itemOf(wanted)
    const elements = collectionAt(all.buffer, all.start, all.end)
    let at = elements?.first ?? 0
    for (let i = 0; i < (elements?.count ?? 0); i++) {
      if (compareItems(all.buffer, at, item, 0) === 0) return true
      at = skipItem(all.buffer, at, all.end)
    }
    return false
  })
}

function mapPart(keys: boolean, operands: readonly Expression[]): Expression {
  const [operand] = operands
  if (!operand || operands.length !== 1) malformed('one map')
  return known(Type.LIST, (scope) => {
    const value = operand.run(scope)
    if (!value || typeof value !== 'object' || value.type !== ParticleType.MAP) return undefined
    const map = collectionAt(value.buffer, value.start, value.end)
    if (!map) return undefined
    const parts: Buffer[] = []
    let at = map.first
    for (let i = 0; i < map.count * 2; i++) {
      const end = skipItem(value.buffer, at, value.end)
      if ((i % 2 === 0) === keys) parts.push(value.buffer.subarray(at, end))
      at = end
    }
    const header = Buffer.alloc(5)
    header[0] = 0xdd
    header.writeUInt32BE(parts.length, 1)
    const short = parts.length < 16 ? Buffer.of(0x90 | parts.length) : header
    const buffer = Buffer.concat([short, ...parts])
    return { type: ParticleType.LIST, buffer, start: 0, end: buffer.length }
  })
}

function metadata(code: number, operands: readonly Expression[]): Expression {
  const entry = recordFacts.get(code)
  if (!entry) malformed(`no opcode ${code}`)
  if (operands.length > 0) malformed(`opcode ${code} takes nothing`)
  return entry
}

const recordFacts = new Map<number, Expression>([
  [65, known(Type.INT, () => 0n)],
  [66, known(Type.INT, ({ record }) => record.lastUpdate())],
  [67, known(Type.INT, ({ record }) => record.sinceUpdateMs())],
  [68, known(Type.INT, ({ record }) => record.voidTime())],
  [69, known(Type.INT, ({ record }) => record.ttlSeconds())],
  [70, known(Type.STRING, ({ record }) => ({ type: ParticleType.STRING, ...record.setName() }))],
  [71, known(Type.BOOL, ({ record }) => record.key() !== undefined)],
  [72, known(Type.BOOL, () => false)],
  [73, known(Type.INT, ({ record }) => record.recordBytes())],
  [74, known(Type.INT, ({ record }) => record.recordBytes())],
])
