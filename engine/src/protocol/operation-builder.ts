import { ParticleType } from '../values/particle.ts'
import { Op } from './message.ts'
import { encodeBin, type Value } from './value-codec.ts'

/** One step of an `operate`. */
export interface Operation {
  readonly op: number
  readonly bin: string
  readonly type: number
  readonly payload: Buffer
}

const NOTHING = Buffer.alloc(0)
const bare = (code: number, bin: string): Operation => ({
  op: code,
  bin,
  type: ParticleType.NULL,
  payload: NOTHING,
})
const withValue = (code: number, bin: string, value: Value): Operation => ({
  op: code,
  bin,
  ...encodeBin(value),
})

/** Steps on whole bins. @example client.operate(key, [op.add('stock', -1), op.read('stock')]) */
export const op = {
  read: (bin: string) => bare(Op.READ, bin),
  write: (bin: string, value: Value) => withValue(Op.WRITE, bin, value),
  add: (bin: string, delta: number | bigint) => withValue(Op.INCR, bin, delta),
  append: (bin: string, value: string | Buffer) => withValue(Op.APPEND, bin, value),
  prepend: (bin: string, value: string | Buffer) => withValue(Op.PREPEND, bin, value),
  touch: () => bare(Op.TOUCH, ''),
  /** Deletes the record; a later write of the same list keeps it alive with what that writes. */
  delete: () => bare(Op.DELETE, ''),
} as const

/** True for steps that need a write command. */
export function isWrite(operation: Operation): boolean {
  return operation.op !== Op.READ && operation.op !== Op.CDT_READ && operation.op !== Op.EXP_READ
}
