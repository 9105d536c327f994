/**
 * Steps that select or change many elements of nested collections at once, by a path whose levels choose children by
 * conditions. Source: protocol notes, expressions 9.
 */
import { ByteWriter } from '../values/byte-writer.ts'
import { callStep, PATH_CALL, writePath } from './call.ts'
import type { Context } from './collection-path.ts'
import { Expression } from './expression.ts'
import { Op } from './message.ts'

/** What `path.select` answers: the collection with the rest cut away, or lists of what was selected. */
export const Selected = { TREE: 0, VALUES: 1, KEYS: 2, KEYS_AND_VALUES: 3 } as const
const MODIFY = 4
/** Elements of a wrong type are passed over, and a condition that is unknown is false. */
const NO_FAIL = 0x10

function encoded(levels: Context): Expression {
  const to = new ByteWriter(64)
  writePath(to, levels)
  return new Expression(to.buffer.subarray(0, to.length))
}

/**
 * @example // the names of all sizes that are in stock
 * path.select('sizes', [ctx.where(exp.gt(exp.loopValue(ExpressionType.INT), exp.int(0)))], Selected.KEYS)
 */
export const path = {
  select: (bin: string, levels: Context, selected: number = Selected.VALUES, passOver = false) =>
    callStep(Op.CDT_READ, bin, PATH_CALL, [encoded(levels), selected | (passOver ? NO_FAIL : 0)]),
  /** Each selected element becomes what the expression gives for it; `exp.removeResult` takes it out. */
  modify: (bin: string, levels: Context, expression: Expression, passOver = false) =>
    callStep(Op.CDT_MODIFY, bin, PATH_CALL, [encoded(levels), MODIFY | (passOver ? NO_FAIL : 0), expression]),
} as const
