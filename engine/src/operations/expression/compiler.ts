/** Reads the bytes of an expression, checks its types and makes the tree that works it out. */
import { geojsonParticle } from '../../values/geojson.ts'
import { headerLength, headerSize, ItemKind, itemKind, skipItem } from '../../values/msgpack-item.ts'
import { type Particle, ParticleType, type Slice } from '../../values/particle.ts'
import { ResultError } from '../../values/result-code.ts'
import { itemParticle } from '../collection-result.ts'
import { compileCall } from './call.ts'
import { type Element, type Expression, known, malformed, type Scope } from './expression-node.ts'
import { rememberGeometry } from './geometry.ts'
import { combine } from './operators.ts'
import { compileRegex } from './regex-operator.ts'
import {
  boolIfAny,
  doubleValue,
  type ExpressionValue,
  isType,
  OUTSIDE,
  Type,
  valueOfParticle,
} from './expression-value.ts'

const MAX_DEPTH = 128
const QUOTE = 126
const MAX_BIN_NAME_BYTES = 15
/** Flags and number of cells: a client sends none. */
const GEOJSON_HEAD_BYTES = 3
/** Names that are empty, or begin like a string with its type byte, are refused (hand-exp 1812 to 1820). */
const FIRST_LETTER = ' '

/** Names that LET has given, with their place in Scope.values, and those whose definition is being read. */
export class Names {
  readonly places = new Map<string, { readonly index: number; readonly type: number }>()
  readonly inMaking = new Set<string>()
}

export class Compiler {
  readonly buffer: Buffer
  readonly end: number
  at: number
  #depth: number

  constructor(bytes: Slice, depth = 0) {
    this.buffer = bytes.buffer
    this.at = bytes.start
    this.end = bytes.end
    this.#depth = depth
  }

  /** For bytes inside this expression. */
  inner(bytes: Slice): Compiler {
    return new Compiler(bytes, this.#depth)
  }

  whole(): Expression {
    const expression = this.#value(new Names())
    if (this.at !== this.end) malformed('bytes after the expression')
    return expression
  }

  withFlags(): { expression: Expression; flags: number } {
    const count = this.header(ItemKind.LIST)
    if (count < 1 || count > 2) malformed('an expression and its flags')
    const expression = this.#value(new Names())
    return { expression, flags: count === 2 ? this.#flags() : 0 }
  }

  /** Flags that are nil or not there are none; what stands behind them does not count (hand-exp 14236 to 14270). */
  #flags(): number {
    if (this.at === this.end || this.buffer[this.at] === 0xc0) return 0
    return this.integer()
  }

  /** An expression that is not infinity or wildcard, which stand for no value. */
  #value(names: Names): Expression {
    const expression = this.next(names)
    return expression.type === Type.OUTSIDE ? malformed('infinity and wildcard are no values') : expression
  }

  /** The expression that comes next: an operator is a list, everything else a literal. */
  next(names: Names): Expression {
    if (this.at >= this.end) malformed('an expression that ends too early')
    if (++this.#depth > MAX_DEPTH) malformed('nested too deep')
    const expression =
      itemKind(this.buffer, this.at) === ItemKind.LIST ? this.#operator(names) : this.#literal()
    this.#depth--
    return expression
  }

  header(kind: number): number {
    if (this.at >= this.end || itemKind(this.buffer, this.at) !== kind) malformed('another kind of item')
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
    const end = skipItem(this.buffer, start, this.end)
    if (end < 0 || end > this.end) malformed('an item that ends too early')
    this.at = end
    return { buffer: this.buffer, start, end }
  }

  /** A string without a type byte: a name or a pattern. */
  rawText(): Slice {
    if (this.at >= this.end) malformed('a name is wanted')
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
      case ItemKind.INFINITY:
      case ItemKind.WILDCARD: {
        const value: Particle = { type: OUTSIDE, buffer, start, end }
        return known(Type.OUTSIDE, () => value)
      }
    }
    if (byte === 0xc0) return known(Type.NIL, () => null)
    if (byte === 0xc2 || byte === 0xc3) return known(Type.BOOL, () => byte === 0xc3)
    if (byte === 0xca || byte === 0xcb) {
      const value = doubleValue(buffer, start)
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
    if (code === 122) return this.#loopVariable(count)
    if (code === 124) return this.#variable(names, count)
    if (code === 125) return this.#let(names, count)
    if (code === 127) {
      if (count !== 4) malformed('a call has four parts')
      return compileCall(this, names)
    }
    if (code === 7) return compileRegex(this, names, count)
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
    const { buffer, start, end } = this.rawText()
    if (end - start > MAX_BIN_NAME_BYTES) malformed('a name of at most 15 bytes')
    if (!typed)
      return known(Type.INT, ({ record, element }) =>
        element ? undefined : BigInt(record.bin(buffer, start, end)?.type ?? 0),
      )
    return known(type, ({ record, element }) => {
      const bin = element ? undefined : record.bin(buffer, start, end)
      return bin && valueOfParticle(bin, type)
    })
  }

  /** A part of the element that a path looks at: key of a pair, value, index in a list. */
  #loopVariable(count: number): Expression {
    if (count !== 2) malformed('a type and a part')
    const type = this.integer()
    const part = this.integer()
    if (!isType(type) || part < 0 || part > 2) malformed('a type and a part')
    return known(type, ({ element }) => element && partOf(element, part, type))
  }

  #variable(names: Names, count: number): Expression {
    const name = text(this.rawText())
    const place = names.places.get(name)
    if (count !== 1 || !place) malformed(`no variable ${name}`)
    const { index, type } = place
    if (type === Type.OUTSIDE) malformed(`${name} is no value`)
    return known(type, ({ values }) => values[index])
  }

  #let(names: Names, count: number): Expression {
    if (count < 3 || count % 2 === 0) malformed('a let has names, values and a body')
    const definitions: Expression[] = []
    const defined: string[] = []
    const depth = names.places.size
    for (let i = 0; i < count - 1; i += 2) {
      const name = text(this.rawText())
      if (name < FIRST_LETTER) malformed('a name of letters is wanted')
      if (names.places.has(name) || names.inMaking.has(name)) malformed(`${name} is defined already`)
      names.inMaking.add(name)
      const definition = this.next(names)
      names.inMaking.delete(name)
      definitions.push(definition)
      names.places.set(name, { index: depth + i / 2, type: boolIfAny(definition.type) })
      defined.push(name)
    }
    const body = this.#value(names)
    for (const name of defined) names.places.delete(name)
    return known(boolIfAny(body.type), (scope) => {
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
  if (type === ParticleType.GEOJSON) return geojsonLiteral(value)
  return malformed(`particle type ${type} in an expression`)
}

function geojsonLiteral({ buffer, start, end }: Slice): Expression {
  const sent = Buffer.alloc(GEOJSON_HEAD_BYTES + end - start)
  buffer.copy(sent, GEOJSON_HEAD_BYTES, start, end)
  try {
    const value = geojsonParticle({ type: ParticleType.GEOJSON, buffer: sent, start: 0, end: sent.length })
    rememberGeometry(value)
    return known(Type.GEO, () => value)
  } catch (error) {
    if (error instanceof ResultError) return malformed(error.message)
    throw error
  }
}

const KEY = 0
const INDEX = 2

function partOf(
  { collection, index, key, value, end }: Element,
  part: number,
  type: number,
): ExpressionValue {
  const { isMap, buffer } = collection
  if (part === INDEX) return isMap || type !== Type.INT ? undefined : BigInt(index)
  if (part === KEY) return isMap ? valueOfParticle(itemParticle(buffer, key, value), type) : undefined
  return valueOfParticle(itemParticle(buffer, value, end), type)
}
