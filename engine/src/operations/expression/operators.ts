/** Operators whose operands are expressions all: what types they take, and how they are worked out. */
import { collectionAt } from '../../values/collection.ts'
import { compareItems } from '../../values/item-order.ts'
import { skipItem } from '../../values/msgpack-item.ts'
import { type Particle, ParticleType } from '../../values/particle.ts'
import { arithmetic } from './arithmetic.ts'
import { type Expression, known, malformed, type Scope } from './expression-node.ts'
import {
  boolIfAny,
  compareValues,
  type ExpressionValue,
  isBool,
  isOutside,
  itemOf,
  REMOVED,
  Type,
} from './expression-value.ts'
import { regionHoldsPoint } from './geometry.ts'

const TO_INT = 30

const comparisons = new Map<number, (order: number) => boolean>([
  [1, (order) => order === 0],
  [2, (order) => order !== 0],
  [3, (order) => order > 0],
  [4, (order) => order >= 0],
  [5, (order) => order < 0],
  [6, (order) => order <= 0],
])

const fitsAll = (type: number) => type === Type.ANY || type === Type.REMOVAL
const fits = (type: number, wanted: number) => type === wanted || fitsAll(type)

/** The operator with that code. Throws ResultError 4 where there is none, or its operands are of the wrong type. */
export function combine(code: number, operands: readonly Expression[]): Expression {
  const compare = comparisons.get(code)
  if (compare) return comparison(compare, operands)
  const number = arithmetic.get(code)
  if (number) return calculation(code, number, operands)
  switch (code) {
    case 0:
      if (operands.length > 0) malformed('unknown takes nothing')
      return known(Type.ANY, () => undefined)
    case 8:
      return geoCompare(operands)
    case 9:
      return inList(operands)
    case 16:
    case 17:
    case 19:
      return logic(code, operands)
    case 18:
      return negation(operands)
    case 100:
      if (operands.length > 0) malformed('the removal of an element takes nothing')
      return known(Type.REMOVAL, ({ element }) => element && REMOVED)
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
  const unlike = a.type !== b.type && !(isBool(a.type) && isBool(b.type))
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
  if (!wanted || operands.some(({ type }, i) => boolIfAny(type) !== wanted[i]))
    malformed('operands of another type')
  const type = code === TO_INT ? Type.INT : code === 31 ? Type.FLOAT : wanted[0]!
  return known(type, (scope) => {
    const values = operands.map((operand) => operand.run(scope))
    if (values.includes(undefined)) return undefined
    // The real server's whole number of infinity and wildcard is 0.
    if (values.some(isOutside)) return code === TO_INT ? 0n : undefined
    return apply(values)
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
  if (operands.length < 2 || !operands.every(({ type }) => isBool(type))) malformed('two bools or more')
  if (code === 19) return known(Type.BOOL, (scope) => exclusive(operands, scope))
  const decisive = code === 17
  return known(Type.BOOL, (scope) => {
    let unknown = false
    for (const operand of operands) {
      const value = operand.run(scope)
      if (value === decisive) return decisive
      if (typeof value !== 'boolean') unknown = true
    }
    return unknown ? undefined : !decisive
  })
}

/** Whichever comes first decides: an unknown operand, or the second true one (hand-random 12437). */
function exclusive(operands: readonly Expression[], scope: Scope): ExpressionValue {
  let trues = 0
  for (const operand of operands) {
    const value = operand.run(scope)
    if (typeof value !== 'boolean') return undefined
    if (value && ++trues > 1) return false
  }
  return trues === 1
}

function negation(operands: readonly Expression[]): Expression {
  const [operand] = operands
  if (!operand || operands.length !== 1 || !isBool(operand.type)) malformed('one bool')
  return known(Type.BOOL, (scope) => {
    const value = operand.run(scope)
    if (isOutside(value)) malformed('infinity and wildcard are neither true nor false')
    return value === undefined ? undefined : value !== true
  })
}

function condition(operands: readonly Expression[]): Expression {
  if (operands.length < 3 || operands.length % 2 === 0) malformed('conditions, values and a default')
  const results = operands.filter((_, i) => i % 2 === 1 || i === operands.length - 1)
  // Infinity and wildcard may come first, where the type is not settled yet.
  const typed = results[0]!.type === Type.OUTSIDE ? results.slice(1) : results
  const type = typed.find((result) => !fitsAll(result.type))?.type ?? typed[0]!.type
  if (!typed.every((result) => fits(result.type, type))) malformed('values of one type')
  if (operands.some((operand, i) => i % 2 === 0 && i < operands.length - 1 && !isBool(operand.type)))
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

function geoCompare(operands: readonly Expression[]): Expression {
  const [a, b] = operands
  if (!a || !b || operands.length !== 2 || a.type !== Type.GEO || b.type !== Type.GEO)
    malformed('two GeoJSON')
  return known(Type.BOOL, (scope) => {
    const [one, other] = [a.run(scope), b.run(scope)]
    return isGeojson(one) && isGeojson(other) ? regionHoldsPoint(one, other) : undefined
  })
}

const isGeojson = (value: ExpressionValue): value is Particle =>
  typeof value === 'object' && value?.type === ParticleType.GEOJSON

function inList(operands: readonly Expression[]): Expression {
  const [value, list] = operands
  if (!value || !list || operands.length !== 2 || list.type !== Type.LIST) malformed('a value and a list')
  return known(Type.BOOL, (scope) => {
    const wanted = value.run(scope)
    const all = list.run(scope)
    if (wanted === undefined || !all || typeof all !== 'object' || isOutside(all)) return undefined
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
