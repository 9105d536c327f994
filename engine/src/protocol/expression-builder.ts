/**
 * Expressions, for filters and for steps that read or write what an expression gives. Types are checked by the
 * server when it reads them. Source: protocol notes, expressions 2 to 5.
 */
import { ByteWriter } from '../values/byte-writer.ts'
import { type CallStep, encodeCall, PATH_CALL } from './call.ts'
import { invalid } from './client-error.ts'
import { Expression } from './expression.ts'
import { ExpressionType } from './expression-type.ts'
import { list } from './list-builder.ts'
import { map } from './map-builder.ts'
import { Op } from './message.ts'
import { isWrite } from './operation-builder.ts'
import { checkBinName, encodedStep, type Operation } from './operation-writer.ts'
import { ReturnType } from './return-type.ts'
import { GeoJson, type Marker, type Value, writeRawString, writeValue } from './value-codec.ts'

export const ExpressionWriteFlag = {
  CREATE_ONLY: 1,
  UPDATE_ONLY: 2,
  ALLOW_DELETE: 4,
  POLICY_NO_FAIL: 8,
  EVAL_NO_FAIL: 16,
} as const

function write(fill: (to: ByteWriter) => void): Expression {
  const to = new ByteWriter(32)
  fill(to)
  return new Expression(to.buffer.subarray(0, to.length))
}

function operator(code: number, ...operands: readonly Expression[]): Expression {
  return write((to) => {
    to.listHeader(1 + operands.length)
    to.integer(code)
    for (const { encoded } of operands) to.bytes(encoded, 0, encoded.length)
  })
}

const literal = (value: Value) => write((to) => writeValue(to, value))
const raw = (text: string) => write((to) => writeRawString(to, text))
const bin = (type: number, name: string) => operator(81, literal(type), raw(name))
const key = (type: number) => operator(80, literal(type))

const CALL = 127
const Module = { COLLECTION: 0, BIT: 1, HLL: 2 } as const
const MODIFIES = 0x40
const FIRST_MAP_CODE = 64
/** Levels of a path that lead into a map have this bit. */
const MAP_LEVEL = 0x20

function moduleOf(op: number): number {
  switch (op) {
    case Op.BIT_READ:
    case Op.BIT_MODIFY:
      return Module.BIT
    case Op.HLL_READ:
    case Op.HLL_MODIFY:
      return Module.HLL
    default:
      return Module.COLLECTION
  }
}

/** The bin that a step names, with the type its call needs. */
function binOf({ op, bin: name, call: { code, path } }: CallStep): Expression {
  const module = moduleOf(op)
  if (module === Module.BIT) return bin(BLOB, name)
  if (module === Module.HLL) return bin(ExpressionType.HLL, name)
  if (code === PATH_CALL)
    return invalid('exp.call with a step of path needs its operand, such as exp.mapBin(name)')
  const [first] = path
  const isMap = first ? (first.type & MAP_LEVEL) !== 0 : code >= FIRST_MAP_CODE
  return bin(isMap ? MAP : LIST, name)
}

/** `[127, type, module, call, operand]` */
function call(type: number, step: CallStep, operand: Expression = binOf(step)): Expression {
  const modifies = isWrite(step) ? MODIFIES : 0
  const encoded = new Expression(encodeCall(step.call, true))
  return operator(CALL, literal(type), literal(moduleOf(step.op) | modifies), encoded, operand)
}

const unary = (code: number) => (value: Expression) => operator(code, value)
const binary = (code: number) => (a: Expression, b: Expression) => operator(code, a, b)
const many =
  (code: number) =>
  (...all: readonly Expression[]) =>
    operator(code, ...all)

const { INT, LIST, MAP, STRING, BLOB, FLOAT, BOOL } = ExpressionType
const mapBin = (name: string) => bin(MAP, name)
const listBin = (name: string) => bin(LIST, name)

const step = (op: number, name: string, { encoded }: Expression, flags: number): Operation => {
  const to = new ByteWriter(encoded.length + 8)
  to.listHeader(2)
  to.bytes(encoded, 0, encoded.length)
  to.integer(flags)
  return encodedStep(op, checkBinName(name), to.buffer.subarray(0, to.length))
}

/** @example client.put(key, { price: 5 }, { filter: exp.gt(exp.intBin('stock'), exp.int(0)) }) */
export const exp = {
  unknown: () => operator(0),
  int: (value: number | bigint) => literal(value),
  float: (value: number) =>
    write((to) => {
      const at = to.take(9)
      to.buffer[at] = 0xcb
      to.buffer.writeDoubleBE(value, at + 1)
    }),
  bool: (value: boolean) => literal(value),
  string: (value: string) => literal(value),
  blob: (value: Buffer) => literal(value),
  nil: () => literal(null),
  list: (values: readonly Value[]) => operator(126, literal(values)),
  map: (value: Value) => literal(value),
  geo: (text: string) => literal(new GeoJson(text)),
  /** `infinity` or `wildcard`. */
  marker: (value: Marker) => literal(value),

  intBin: (name: string) => bin(INT, name),
  floatBin: (name: string) => bin(FLOAT, name),
  stringBin: (name: string) => bin(STRING, name),
  blobBin: (name: string) => bin(BLOB, name),
  boolBin: (name: string) => bin(BOOL, name),
  geoBin: (name: string) => bin(ExpressionType.GEO, name),
  hllBin: (name: string) => bin(ExpressionType.HLL, name),
  listBin,
  mapBin,
  binType: (name: string) => operator(82, raw(name)),
  binExists: (name: string) => operator(2, operator(82, raw(name)), literal(0)),

  eq: binary(1),
  ne: binary(2),
  gt: binary(3),
  ge: binary(4),
  lt: binary(5),
  le: binary(6),
  /** POSIX flags: 1 extended, 2 ignore case, 8 newline. */
  regex: (flags: number, pattern: string, text: Expression) =>
    operator(7, literal(flags), raw(pattern), text),
  geoContains: binary(8),
  inList: binary(9),
  and: many(16),
  or: many(17),
  not: unary(18),
  exclusive: many(19),

  add: many(20),
  sub: many(21),
  mul: many(22),
  div: many(23),
  pow: binary(24),
  log: binary(25),
  mod: binary(26),
  abs: unary(27),
  floor: unary(28),
  ceil: unary(29),
  toInt: unary(30),
  toFloat: unary(31),
  intAnd: many(32),
  intOr: many(33),
  intXor: many(34),
  intNot: unary(35),
  leftShift: binary(36),
  /** Fills with zeroes. */
  rightShift: binary(37),
  /** Fills with the sign. */
  arithmeticRightShift: binary(38),
  bitCount: unary(39),
  /** Place of the first bit that is so, from the highest, -1 when there is none. */
  leftScan: binary(40),
  rightScan: binary(41),
  min: many(50),
  max: many(51),

  digestModulo: (modulus: number) => operator(64, literal(modulus)),
  deviceSize: () => operator(65),
  /** Nanoseconds since 1970. */
  lastUpdate: () => operator(66),
  /** Milliseconds. */
  sinceUpdate: () => operator(67),
  /** Nanoseconds since 1970; −1 = never. */
  voidTime: () => operator(68),
  /** Seconds; −1 = never. */
  ttl: () => operator(69),
  setName: () => operator(70),
  keyExists: () => operator(71),
  isTombstone: () => operator(72),
  memorySize: () => operator(73),
  recordSize: () => operator(74),
  intKey: () => key(INT),
  stringKey: () => key(STRING),
  blobKey: () => key(BLOB),

  mapKeys: unary(101),
  mapValues: unary(102),
  /** condition, value, condition, value, …, default. */
  cond: many(123),
  variable: (name: string) => operator(124, raw(name)),
  /** Names values for the body. @example exp.let({ x: exp.intBin('a') }, exp.mul(exp.variable('x'), exp.variable('x'))) */
  let: (definitions: Readonly<Record<string, Expression>>, body: Expression) =>
    operator(125, ...Object.entries(definitions).flatMap(([name, value]) => [raw(name), value]), body),

  /**
   * What a step of `list`, `map`, `bit`, `hll` or `path` would answer, or the collection, blob or HLL it would leave,
   * on a bin or on another operand; nothing is stored. `type` is that of the result. Arguments of the step may be
   * expressions.
   *
   * @example exp.call(ExpressionType.INT, list.getByRank('bids', -1))
   */
  call,
  listSize: (name: string) => call(INT, list.size(name)),
  listCountValue: (name: string, value: Value) => call(INT, list.getByValue(name, value, ReturnType.COUNT)),
  mapSize: (name: string) => call(INT, map.size(name)),
  /** 0 or 1. */
  mapCountKey: (name: string, key: Value) => call(INT, map.getByKey(name, key, ReturnType.COUNT)),
  mapGetInt: (name: string, key: Value) => call(INT, map.getByKey(name, key)),
  mapGetString: (name: string, key: Value) => call(STRING, map.getByKey(name, key)),
  mapGetList: (name: string, key: Value) => call(LIST, map.getByKey(name, key)),

  /** In the conditions and changes of `path`: the element that is looked at. */
  loopValue: (type: number) => operator(122, literal(type), literal(1)),
  loopKey: (type: number) => operator(122, literal(type), literal(0)),
  loopIndex: () => operator(122, literal(INT), literal(2)),
  /** In `path.modify`: takes the element out. */
  removeResult: () => operator(100),

  /** A step that answers what the expression gives, under a name. */
  read: (name: string, expression: Expression, flags = 0) => step(Op.EXP_READ, name, expression, flags),
  /** A step that stores what the expression gives (`ExpressionWriteFlag`). */
  write: (name: string, expression: Expression, flags = 0) => step(Op.EXP_MODIFY, name, expression, flags),
} as const
