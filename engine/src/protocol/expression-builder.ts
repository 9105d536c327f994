/**
 * Expressions, for filters and for steps that read or write what an expression gives. Types are checked by the
 * server when it reads them. Source: protocol notes, expressions 2 to 5.
 */
import { ByteWriter } from '../values/byte-writer.ts'
import { encodeCall, ReturnType } from './collection-builder.ts'
import { Op } from './message.ts'
import { checkBinName, encodedStep, type Operation } from './operation-writer.ts'
import { type Value, writeRawString, writeValue } from './value-codec.ts'

export interface Expression {
  readonly encoded: Buffer
}

/** Types of values in expressions. */
export const ExpressionType = {
  NIL: 0,
  BOOL: 1,
  INT: 2,
  STRING: 3,
  LIST: 4,
  MAP: 5,
  BLOB: 6,
  FLOAT: 7,
  GEO: 8,
  HLL: 9,
} as const

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
  return { encoded: to.buffer.subarray(0, to.length) }
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

/** `[127, type, 0, call, bin]`: a reading call on a list or map. */
function call(type: number, code: number, args: readonly Value[], operand: Expression): Expression {
  const encoded = encodeCall(code, args)
  return operator(127, literal(type), literal(0), { encoded }, operand)
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

  intBin: (name: string) => bin(INT, name),
  floatBin: (name: string) => bin(FLOAT, name),
  stringBin: (name: string) => bin(STRING, name),
  blobBin: (name: string) => bin(BLOB, name),
  boolBin: (name: string) => bin(BOOL, name),
  geoBin: (name: string) => bin(ExpressionType.GEO, name),
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
  rightShift: binary(37),
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
  recordSize: () => operator(74),
  intKey: () => key(INT),
  stringKey: () => key(STRING),
  blobKey: () => key(BLOB),

  /** condition, value, condition, value, …, default. */
  cond: many(123),
  variable: (name: string) => operator(124, raw(name)),
  /** Names values for the body. @example exp.let({ x: exp.intBin('a') }, exp.mul(exp.variable('x'), exp.variable('x'))) */
  let: (definitions: Readonly<Record<string, Expression>>, body: Expression) =>
    operator(125, ...Object.entries(definitions).flatMap(([name, value]) => [raw(name), value]), body),

  listSize: (name: string) => call(INT, 16, [], listBin(name)),
  listCountValue: (name: string, value: Value) => call(INT, 22, [ReturnType.COUNT, value], listBin(name)),
  mapSize: (name: string) => call(INT, 96, [], mapBin(name)),
  /** 0 or 1. */
  mapCountKey: (name: string, key: Value) => call(INT, 97, [ReturnType.COUNT, key], mapBin(name)),
  mapGetInt: (name: string, key: Value) => call(INT, 97, [ReturnType.VALUE, key], mapBin(name)),
  mapGetString: (name: string, key: Value) => call(STRING, 97, [ReturnType.VALUE, key], mapBin(name)),
  mapGetList: (name: string, key: Value) => call(LIST, 97, [ReturnType.VALUE, key], mapBin(name)),

  /** A step that answers what the expression gives, under a name. */
  read: (name: string, expression: Expression, flags = 0) => step(Op.EXP_READ, name, expression, flags),
  /** A step that stores what the expression gives (`ExpressionWriteFlag`). */
  write: (name: string, expression: Expression, flags = 0) => step(Op.EXP_MODIFY, name, expression, flags),
} as const
