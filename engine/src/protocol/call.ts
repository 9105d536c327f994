/**
 * Calls on lists, maps, bits and HyperLogLogs: `[opcode, arguments…]`, with a path in front where there is one. The
 * same call stands in a step of its own or in an expression, where lists among its arguments have to be quoted.
 * Source: protocol notes, list operations 1 and expressions 4.
 */
import { ByteWriter } from '../values/byte-writer.ts'
import type { Context } from './collection-path.ts'
import { Expression } from './expression.ts'
import { checkBinName, encodedStep, type Operation } from './operation-writer.ts'
import { type Value, writeValue } from './value-codec.ts'

/** An expression where a value would stand: only where the call itself stands in an expression. */
export type Argument = Value | Expression

export interface Call {
  readonly code: number
  readonly args: readonly Argument[]
  readonly path: Context
}

/** A step that is a call, which `exp.call` takes as well. */
export interface CallStep extends Operation {
  readonly call: Call
}

const PATH = 0xff
/** The call that selects or modifies by a path of its own. */
export const PATH_CALL = 0xfe
const QUOTE = 126
const NO_PATH: Context = []

export function callStep(
  op: number,
  bin: string,
  code: number,
  args: readonly Argument[],
  path: Context = NO_PATH,
): CallStep {
  const call = { code, args, path }
  return { ...encodedStep(op, checkBinName(bin), encodeCall(call, false)), call }
}

/** `quoted`: for an expression. */
export function encodeCall({ code, args, path }: Call, quoted: boolean): Buffer {
  const to = new ByteWriter(64)
  if (path.length > 0) {
    to.listHeader(3)
    to.integer(PATH)
    writePath(to, path)
  }
  to.listHeader(1 + args.length)
  to.integer(code)
  for (const arg of args) {
    if (quoted && Array.isArray(arg)) {
      to.listHeader(2)
      to.integer(QUOTE)
    }
    writeArgument(to, arg)
  }
  return to.buffer.subarray(0, to.length)
}

export function writePath(to: ByteWriter, path: Context): void {
  to.listHeader(path.length * 2)
  for (const { type, value } of path) {
    to.integer(type)
    writeArgument(to, value)
  }
}

function writeArgument(to: ByteWriter, arg: Argument): void {
  if (arg instanceof Expression) to.bytes(arg.encoded, 0, arg.encoded.length)
  else writeValue(to, arg)
}

/** A range without a count goes to the end, an interval without an end too. */
export const ranged = (start: number, count: number | undefined): Argument[] =>
  count === undefined ? [start] : [start, count]
export const interval = (begin: Argument, end: Argument): Argument[] =>
  end === undefined ? [begin] : [begin, end]
