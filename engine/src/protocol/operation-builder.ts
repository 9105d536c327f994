import { invalid, shown } from './client-error.ts'
import { Op } from './message.ts'
import { checkBinName, namedStep, type Operation, step } from './operation-writer.ts'
import type { Value } from './value-codec.ts'

export type { Operation } from './operation-writer.ts'

function number(delta: number | bigint): number | bigint {
  if (typeof delta !== 'number' && typeof delta !== 'bigint')
    invalid(`what is added is a number or a bigint, not ${shown(delta)}`)
  return delta
}

function textOrBytes(value: string | Buffer): string | Buffer {
  if (typeof value !== 'string' && !Buffer.isBuffer(value))
    invalid(`what is joined on is text or a Buffer, not ${shown(value)}`)
  return value
}

/** Steps on whole bins. @example client.operate(key, [op.add('stock', -1), op.read('stock')]) */
export const op = {
  read: (bin: string): Operation => namedStep(Op.READ, checkBinName(bin)),
  /** All bins, as they are at this step. A list with it answers nothing for steps without a result. */
  readAll: (): Operation => namedStep(Op.READ, ''),
  /** Null and undefined remove the bin. */
  write: (bin: string, value: Value): Operation => step(Op.WRITE, checkBinName(bin), value),
  /** Adds to an integer or to a double; the bin must hold the same, or be missing. */
  add: (bin: string, delta: number | bigint): Operation => step(Op.INCR, checkBinName(bin), number(delta)),
  append: (bin: string, value: string | Buffer): Operation =>
    step(Op.APPEND, checkBinName(bin), textOrBytes(value)),
  prepend: (bin: string, value: string | Buffer): Operation =>
    step(Op.PREPEND, checkBinName(bin), textOrBytes(value)),
  touch: (): Operation => namedStep(Op.TOUCH, ''),
  /** Deletes the record; a later write of the same list keeps it alive with what that writes. */
  delete: (): Operation => namedStep(Op.DELETE, ''),
} as const

const reads = new Set<number>([Op.READ, Op.CDT_READ, Op.EXP_READ, Op.BIT_READ, Op.HLL_READ])

/** True for steps that need a write command. */
export function isWrite({ op }: Operation): boolean {
  return !reads.has(op)
}

/** True for the step that reads all bins. */
export function isReadAll({ op, bin }: Operation): boolean {
  return op === Op.READ && bin === ''
}
