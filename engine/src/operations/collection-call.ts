import {
  headerLength,
  headerSize,
  integerBits,
  integerItem,
  ItemKind,
  itemKind,
  markerFlags,
  MAX_DEPTH,
  skipItem,
} from '../values/msgpack-item.ts'
import type { Slice } from '../values/particle.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import { ReturnType } from '../protocol/return-type.ts'

/** Calls never have more; SIZE and CLEAR tolerate any number, which are checked and forgotten. */
const MAX_ARGUMENTS = 8

/** One list or map call, `[code, args...]`, its arguments still bytes. */
export interface CollectionCall {
  readonly buffer: Buffer
  readonly code: number
  /** Arguments that were sent. */
  readonly count: number
  /** Start of each argument and the end of the last; fewer when the payload is cut short. */
  readonly starts: readonly number[]
}

/** `[type, value, type, value, ...]` with offsets of the values. */
export interface PathItem {
  readonly type: number
  readonly value: number
  readonly valueEnd: number
}

export interface ParsedCall {
  readonly call: CollectionCall
  readonly path: readonly PathItem[]
}

export function parameterError(message: string): never {
  throw new ResultError(ResultCode.PARAMETER, message)
}

export function notApplicable(message: string): never {
  throw new ResultError(ResultCode.NOT_APPLICABLE, message)
}

/** Takes a payload apart: `[code, args...]`, or `[0xff, [path], [code, args...]]`. Throws ResultError 4. */
export function parseCollectionCall(payload: Slice): ParsedCall {
  const { buffer, start, end } = payload
  const outer = parseCall(buffer, start, end)
  if (outer.code !== 0xff) return { call: outer, path: [] }
  if (outer.count !== 2 || outer.starts.length !== 3) parameterError('a nested call has a path and a call')
  const path = parsePath(buffer, outer.starts[0]!, outer.starts[1]!)
  return { call: parseCall(buffer, outer.starts[1]!, outer.starts[2]!), path }
}

/** Takes a payload without a path apart: `[code, args...]`. Throws ResultError 4. */
export function parsePlainCall({ buffer, start, end }: Slice): CollectionCall {
  return parseCall(buffer, start, end)
}

function parseCall(buffer: Buffer, start: number, end: number): CollectionCall {
  const items = listItems(buffer, start, end)
  if (items === 0) parameterError('a call starts with its code')
  let at = start + headerLength(buffer[start]!)
  const code = integerItem(buffer, at)
  if (Number.isNaN(code)) parameterError('the code of a call is an integer')
  at = skipItem(buffer, at, end)
  if (at < 0) parameterError('call cut short')
  const starts = [at]
  for (let i = 1; i < items && at >= 0; i++) {
    at = skipItem(buffer, at, end)
    if (i <= MAX_ARGUMENTS) starts.push(at)
  }
  if (at < 0) starts.pop()
  return { buffer, code, count: items - 1, starts }
}

function parsePath(buffer: Buffer, start: number, end: number): PathItem[] {
  const items = listItems(buffer, start, end)
  if (items === 0 || items % 2 !== 0) parameterError('a path is a list of pairs of type and value')
  if (items > 2 * MAX_DEPTH) parameterError(`a path of more than ${MAX_DEPTH} levels`)
  const path: PathItem[] = []
  let at = start + headerLength(buffer[start]!)
  for (let i = 0; i < items; i += 2) {
    const type = integerItem(buffer, at)
    if (Number.isNaN(type)) parameterError('the type of a path item is an integer')
    const value = skipItem(buffer, at, end)
    at = skipItem(buffer, value, end)
    path.push({ type, value, valueEnd: at })
  }
  return path
}

function listItems(buffer: Buffer, start: number, end: number): number {
  if (start >= end || itemKind(buffer, start) !== ItemKind.LIST) parameterError('not a list')
  if (start + headerLength(buffer[start]!) > end) parameterError('call cut short')
  return headerSize(buffer, start)
}

/** Checks the number of arguments. */
export function expectArguments(call: CollectionCall, least: number, most: number): void {
  if (most <= MAX_ARGUMENTS && call.starts.length !== call.count + 1) parameterError('call cut short')
  if (call.count < least || call.count > most) {
    parameterError(`call ${call.code} takes ${least} to ${most} arguments, not ${call.count}`)
  }
}

/** Argument `index` as a number, or `missing` when it was not sent. Throws ResultError 4 when it is no integer. */
export function integerArgument(call: CollectionCall, index: number, missing?: number): number {
  if (index >= call.count && missing !== undefined) return missing
  const value = integerItem(call.buffer, call.starts[index]!)
  if (Number.isNaN(value)) parameterError(`argument ${index} is an integer`)
  return value
}

/** Argument `index` as its 64 bits, signed. Throws ResultError 4 when it is no integer. */
export function bigintArgument(call: CollectionCall, index: number): bigint {
  const at = call.starts[index]!
  if (itemKind(call.buffer, at) !== ItemKind.INTEGER) parameterError(`argument ${index} is an integer`)
  return integerBits(call.buffer, at)
}

/** What a call wants to see, argument 0; of the upper bits only INVERTED counts. */
export function returnTypeArgument(call: CollectionCall): number {
  return integerArgument(call, 0) & (ReturnType.INVERTED | 0xffff)
}

export function argumentSlice(call: CollectionCall, index: number): Slice {
  return { buffer: call.buffer, start: call.starts[index]!, end: call.starts[index + 1]! }
}

/** Whether the bytes at `at` are an order marker; such an item is not a value. */
export function isMarker(buffer: Buffer, at: number, end: number): boolean {
  return markerFlags(buffer, at, end) >= 0
}
