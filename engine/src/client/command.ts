/** What one command asks of a record: the info bits, and what goes with them. Source: protocol notes, records 1. */
import { invalid, shown } from '../protocol/client-error.ts'
import { Info1, Info2, Info3, Op } from '../protocol/message.ts'
import { isReadAll, isWrite, type Operation } from '../protocol/operation-builder.ts'
import { checkBinName, namedStep } from '../protocol/operation-writer.ts'
import type { Value } from '../protocol/value-codec.ts'
import { checkPolicy, type CommandPolicy, readModes, touchField, ttlField } from './policy.ts'

export interface Command {
  readonly info1: number
  readonly info2: number
  readonly info3: number
  /** Of a write the seconds to live, of a read the percentage below which it renews them, as the protocol has them. */
  readonly ttl: number
  readonly policy: CommandPolicy
  readonly operations: readonly Operation[]
  /** Instead of operations: the same step, of this code, with each of these bins. */
  readonly code: number
  readonly bins: Readonly<Record<string, Value>> | undefined
}

export const NO_POLICY: CommandPolicy = Object.freeze({})
const NO_OPERATIONS: readonly Operation[] = []
const existsBits = {
  create: [Info2.CREATE_ONLY, 0],
  update: [0, Info3.UPDATE_ONLY],
  replace: [0, Info3.REPLACE_ONLY],
  'create-or-replace': [0, Info3.CREATE_OR_REPLACE],
} as const

function reading(info1: number, policy: CommandPolicy, operations = NO_OPERATIONS, info2 = 0): Command {
  let info3 = 0
  let ttl = 0
  if (policy !== NO_POLICY) {
    checkPolicy(policy)
    if (policy.replicas === 'all') info1 |= Info1.READ_MODE_AP_ALL
    if (policy.readMode !== undefined) info3 = readModes[policy.readMode]
    ttl = touchField(policy.touchPercent)
  }
  return { info1, info2, info3, ttl, policy, operations, code: 0, bins: undefined }
}

function writing(info1: number, info2: number, policy: CommandPolicy, what: Partial<Command>): Command {
  const { operations = NO_OPERATIONS, code = 0, bins } = what
  info2 |= Info2.WRITE
  let info3 = 0
  let ttl = 0
  if (policy !== NO_POLICY) {
    checkPolicy(policy)
    if (policy.exists !== undefined) {
      info2 |= existsBits[policy.exists][0]
      info3 = existsBits[policy.exists][1]
    }
    if (policy.generation !== undefined) info2 |= Info2.GENERATION
    if (policy.durableDelete) info2 |= Info2.DURABLE_DELETE
    ttl = ttlField(policy.ttl)
  }
  return { info1, info2, info3, ttl, policy, operations, code, bins }
}

const GET_ALL = reading(Info1.READ | Info1.GET_ALL, NO_POLICY)

/** Reads named bins, or all. */
export function readCommand(bins: readonly string[] | undefined, policy: CommandPolicy): Command {
  if (bins === undefined) return policy === NO_POLICY ? GET_ALL : reading(Info1.READ | Info1.GET_ALL, policy)
  if (!Array.isArray(bins)) invalid(`bins is a list of names, such as ['price'], not ${shown(bins)}`)
  if (bins.length === 0) return headerCommand(policy)
  const names: readonly string[] = bins
  const operations = names.map((bin) => namedStep(Op.READ, checkBinName(bin)))
  return reading(Info1.READ, policy, operations)
}

export function headerCommand(policy: CommandPolicy): Command {
  return reading(Info1.READ | Info1.NOBIN, policy)
}

export function touchCommand(policy: CommandPolicy): Command {
  return writing(0, 0, policy, { operations: [namedStep(Op.TOUCH, '')] })
}

export function deleteCommand(policy: CommandPolicy): Command {
  return writing(0, Info2.DELETE, policy, {})
}

/** One step per bin; `what` names the call where there is none. Values are read when the request is written. */
export function binsCommand(
  code: number,
  bins: Readonly<Record<string, Value>>,
  policy: CommandPolicy,
  what: string,
): Command {
  if (typeof bins !== 'object' || bins === null || Array.isArray(bins))
    invalid(`${what} takes an object of bins, such as { stock: 5 }, not ${shown(bins)}`)
  return writing(0, 0, policy, { code, bins })
}

/**
 * One answer per step, but for a touch: that is what RESPOND_ALL_OPS asks. A list that reads all bins cannot ask it:
 * then what has no result is left out of the answer.
 */
export function operateCommand(operations: readonly Operation[], policy: CommandPolicy): Command {
  if (!Array.isArray(operations) || operations.length === 0)
    invalid(`operate takes a list of steps, such as [op.read('stock')], not ${shown(operations)}`)
  const readsAll = operations.some(isReadAll)
  const info2 = readsAll ? 0 : Info2.RESPOND_ALL_OPS
  let info1 = operations.every(isWrite) ? 0 : Info1.READ
  if (readsAll) info1 |= Info1.GET_ALL
  if (operations.some(isWrite)) return writing(info1, info2, policy, { operations })
  return reading(info1, policy, operations, info2)
}

export const writes = ({ info2 }: Command): boolean => (info2 & Info2.WRITE) !== 0
