/**
 * Operations on HyperLogLogs: op types 15 and 16, and module 2 of calls in expressions. Source: protocol notes, HLL;
 * where they leave the order of checks open, the recorded exchanges of hand-hll.
 */
import { ByteWriter } from '../../values/byte-writer.ts'
import { normaliseItem } from '../../values/item-normal.ts'
import { headerLength, headerSize, ItemKind, itemKind, skipItem } from '../../values/msgpack-item.ts'
import type { Particle, Slice } from '../../values/particle.ts'
import { ParticleType } from '../../values/particle.ts'
import { ResultCode, ResultError } from '../../values/result-code.ts'
import type { CollectionCall } from '../collection-call.ts'
import {
  argumentSlice,
  expectArguments,
  integerArgument,
  notApplicable,
  parameterError,
  parsePlainCall,
} from '../collection-call.ts'
import { integerParticle } from '../collection-result.ts'
import { countOf, estimate, type Overlap, overlapByCounts, overlapByMinhash } from './hll-estimate.ts'
import { areBits, HyperLogLog, MAX_INDEX_BITS, MIN_INDEX_BITS } from './hyper-log-log.ts'

const Code = {
  INIT: 0,
  ADD: 1,
  SET_UNION: 2,
  REFRESH_COUNT: 3,
  FOLD: 4,
  COUNT: 50,
  GET_UNION: 51,
  UNION_COUNT: 52,
  INTERSECT_COUNT: 53,
  SIMILARITY: 54,
  DESCRIBE: 55,
  MAY_CONTAIN: 56,
} as const

const Policy = { CREATE_ONLY: 1, UPDATE_ONLY: 2, NO_FAIL: 4, ALLOW_FOLD: 8 } as const
const NOT_GIVEN = -1
/** Each costs as much as reading the bin; more are refused. */
const MAX_SETS = 1024

export interface HllChange {
  /** The answer; undefined is nil. */
  readonly result: Particle | undefined
  /** The bin afterwards: the very particle given where nothing changed, undefined where there is none. */
  readonly bin: Particle | undefined
}

/** A reading call `[code, args…]`; undefined is nil, which any call on a missing bin gives. Throws ResultError. */
export function readHll(bin: Particle | undefined, payload: Slice): Particle | undefined {
  if (bin === undefined) return undefined
  const call = parsePlainCall(payload)
  const read = reads.get(call.code)
  if (!read) parameterError(`no call ${call.code} that reads a HyperLogLog`)
  return read(call)(hllOf(bin))
}

export function modifyHll(bin: Particle | undefined, payload: Slice): HllChange {
  const call = parsePlainCall(payload)
  const write = writes.get(call.code)
  if (!write) parameterError(`no call ${call.code} that changes a HyperLogLog`)
  const { policy, creates, work } = write(call)
  const fails = !bin
    ? !creates || policy & Policy.UPDATE_ONLY
      ? ResultCode.BIN_NOT_FOUND
      : undefined
    : policy & Policy.CREATE_ONLY
      ? ResultCode.BIN_EXISTS
      : undefined
  if (fails !== undefined) {
    if (policy & Policy.NO_FAIL) return { result: undefined, bin }
    throw new ResultError(fails, bin ? 'the bin exists' : 'no bin')
  }
  const before = bin && hllOf(bin)
  const { hll, result } = work(before)
  return { result, bin: hll === before ? bin : particleOf(hll) }
}

function hllOf(bin: Particle): HyperLogLog {
  const hll = bin.type === ParticleType.HLL ? HyperLogLog.from(bin) : undefined
  if (!hll) throw new ResultError(ResultCode.BIN_TYPE, 'not a HyperLogLog')
  return hll
}

const particleOf = ({ bytes }: HyperLogLog): Particle => ({
  type: ParticleType.HLL,
  buffer: bytes,
  start: 0,
  end: bytes.length,
})

interface Change {
  readonly policy: number
  readonly creates: boolean
  /** Never changes what it is given. */
  readonly work: (hll: HyperLogLog | undefined) => { hll: HyperLogLog; result?: Particle }
}

type Read = (call: CollectionCall) => (hll: HyperLogLog) => Particle
type Write = (call: CollectionCall) => Change

function policyArgument(call: CollectionCall, index: number, allowed: number): number {
  const policy = integerArgument(call, index, 0)
  if (policy < 0 || policy > 0xff || (policy & ~allowed) !== 0) parameterError(`flags ${policy}`)
  if ((policy & 3) === 3) parameterError('a bin that is new and not new')
  return policy
}

interface Bits {
  readonly index: number
  readonly minhash: number
}

/** Arguments `at` and `at` + 1, −1 where they were not given. */
function bitsArguments(call: CollectionCall, at: number): Bits {
  const index = integerArgument(call, at, NOT_GIVEN)
  const minhash = integerArgument(call, at + 1, NOT_GIVEN)
  const some = areBits(index === NOT_GIVEN ? MIN_INDEX_BITS : index, minhash === NOT_GIVEN ? 0 : minhash)
  if (!some) parameterError(`${index} index bits and ${minhash} minhash bits`)
  return { index, minhash }
}

function emptyWith({ index, minhash }: Bits, old?: HyperLogLog): HyperLogLog {
  const indexBits = index === NOT_GIVEN ? old?.indexBits : index
  if (indexBits === undefined) notApplicable('index bits are wanted for a new bin')
  const minhashBits = minhash === NOT_GIVEN ? (old?.minhashBits ?? 0) : minhash
  if (!areBits(indexBits, minhashBits))
    parameterError(`${indexBits} index bits and ${minhashBits} minhash bits`)
  return HyperLogLog.empty(indexBits, minhashBits)
}

const init: Write = (call) => {
  expectArguments(call, 0, 3)
  const bits = bitsArguments(call, 0)
  const policy = policyArgument(call, 2, Policy.CREATE_ONLY | Policy.UPDATE_ONLY | Policy.NO_FAIL)
  return { policy, creates: true, work: (old) => ({ hll: emptyWith(bits, old) }) }
}

const add: Write = (call) => {
  expectArguments(call, 1, 4)
  const values = valuesArgument(call)
  const bits = bitsArguments(call, 1)
  const policy = policyArgument(call, 3, Policy.CREATE_ONLY | Policy.NO_FAIL)
  return {
    policy,
    creates: true,
    work(old) {
      const hll = old ? old.copy() : emptyWith(bits)
      let grown = 0
      for (const value of values) {
        const mark = hll.markOf(value)
        if (hll.reaches(mark)) continue
        hll.put(mark)
        grown++
      }
      if (grown > 0) hll.cachedCount = 0
      return { hll: old && grown === 0 ? old : hll, result: integerParticle(grown) }
    },
  }
}

const setUnion: Write = (call) => {
  expectArguments(call, 1, 2)
  const given = setsArgument(call)
  const policy = policyArgument(call, 1, 15)
  return {
    policy,
    creates: true,
    work(old) {
      if (!old) return { hll: unionOf(given) }
      if (policy & Policy.ALLOW_FOLD) return { hll: unionOf([old, ...given]) }
      for (const { indexBits, minhashBits } of given)
        if (indexBits < old.indexBits || (old.minhashBits > 0 && minhashBits !== old.minhashBits))
          notApplicable('the bin would have to be folded')
      const hll = old.copy()
      for (const set of given) hll.unite(set)
      hll.cachedCount = 0
      return { hll }
    },
  }
}

const refreshCount: Write = (call) => {
  expectArguments(call, 0, 0)
  return {
    policy: 0,
    creates: false,
    work(old) {
      const hll = old!.copy()
      hll.cachedCount = countOf(hll)
      return { hll, result: integerParticle(hll.cachedCount) }
    },
  }
}

const fold: Write = (call) => {
  expectArguments(call, 1, 1)
  const index = integerArgument(call, 0)
  if (index !== NOT_GIVEN && !areBits(index, 0)) parameterError(`${index} index bits`)
  return {
    policy: 0,
    creates: false,
    work(old) {
      if (index === NOT_GIVEN || old!.minhashBits > 0 || index > old!.indexBits)
        notApplicable(`${old!.indexBits} index bits and ${old!.minhashBits} minhash bits to ${index}`)
      const hll = HyperLogLog.empty(index, 0)
      hll.unite(old!)
      // Only a count that was kept is kept (hand-exp 11413).
      if (old!.cachedCount > 0) hll.cachedCount = estimate(hll)
      return { hll }
    },
  }
}

const writes = new Map<number, Write>([
  [Code.INIT, init],
  [Code.ADD, add],
  [Code.SET_UNION, setUnion],
  [Code.REFRESH_COUNT, refreshCount],
  [Code.FOLD, fold],
])

/** The smallest number of registers, and minhashes where all have such of one size. */
function unionOf(sets: readonly HyperLogLog[]): HyperLogLog {
  const indexBits = sets.reduce((least, set) => Math.min(least, set.indexBits), MAX_INDEX_BITS)
  const { minhashBits } = sets[0]!
  const alike = sets.every((set) => set.minhashBits === minhashBits)
  const union = HyperLogLog.empty(indexBits, alike ? minhashBits : 0)
  for (const set of sets) union.unite(set)
  return union
}

function overlap(sets: readonly HyperLogLog[]): Overlap {
  const [bin, ...given] = sets
  const size = given[0]!.minhashBits
  if (size > 0 && given.every((set) => set.minhashBits === size)) {
    if (bin!.minhashBits === size) return overlapByMinhash(sets.map(foldedLike(sets)), unionOf(sets))
    if (sets.length > 3) notApplicable('another size of minhash in the bin')
  }
  if (sets.length > 3) parameterError(`an intersection of ${sets.length} without minhash`)
  return overlapByCounts(sets, (some) => estimate(unionOf(some)))
}

/** Sets of different numbers of registers are compared by the fewest. */
function foldedLike(sets: readonly HyperLogLog[]): (set: HyperLogLog) => HyperLogLog {
  const indexBits = Math.min(...sets.map((set) => set.indexBits))
  return (set) => {
    if (set.indexBits === indexBits) return set
    const folded = HyperLogLog.empty(indexBits, set.minhashBits)
    folded.unite(set)
    return folded
  }
}

const plain =
  (answer: (hll: HyperLogLog) => Particle): Read =>
  (call) => {
    expectArguments(call, 0, 0)
    return answer
  }

const withSets =
  (answer: (sets: readonly HyperLogLog[]) => Particle): Read =>
  (call) => {
    expectArguments(call, 1, 1)
    const given = setsArgument(call)
    return (hll) => answer([hll, ...given])
  }

const reads = new Map<number, Read>([
  [Code.COUNT, plain((hll) => integerParticle(countOf(hll)))],
  [Code.DESCRIBE, plain(({ indexBits, minhashBits }) => integersParticle([indexBits, minhashBits]))],
  [Code.GET_UNION, withSets((sets) => particleOf(unionOf(sets)))],
  [Code.UNION_COUNT, withSets((sets) => integerParticle(estimate(unionOf(sets))))],
  [Code.INTERSECT_COUNT, withSets((sets) => integerParticle(overlap(sets).count))],
  [Code.SIMILARITY, withSets((sets) => doubleParticle(overlap(sets).similarity))],
  [
    Code.MAY_CONTAIN,
    (call) => {
      expectArguments(call, 1, 1)
      const values = valuesArgument(call)
      return (hll) => integerParticle(values.every((value) => hll.reaches(hll.markOf(value))) ? 1 : 0)
    },
  ],
])

function doubleParticle(value: number): Particle {
  const buffer = Buffer.allocUnsafe(8)
  buffer.writeDoubleBE(value)
  return { type: ParticleType.DOUBLE, buffer, start: 0, end: 8 }
}

function integersParticle(values: readonly number[]): Particle {
  const to = new ByteWriter(8)
  to.listHeader(values.length)
  for (const value of values) to.integer(value)
  return { type: ParticleType.LIST, buffer: to.buffer, start: 0, end: to.length }
}

/** The items of argument 0, a list that is not empty. */
function listArgument(call: CollectionCall): Slice[] {
  const { buffer, start, end } = argumentSlice(call, 0)
  if (itemKind(buffer, start) !== ItemKind.LIST) parameterError('a list is wanted')
  const items: Slice[] = []
  let at = start + headerLength(buffer[start]!)
  for (let left = headerSize(buffer, start); left > 0; left--) {
    const behind = skipItem(buffer, at, end)
    items.push({ buffer, start: at, end: behind })
    at = behind
  }
  return items.length > 0 ? items : parameterError('a list that is not empty is wanted')
}

/** Values to be added or looked for, in the one form in which they are hashed. */
function valuesArgument(call: CollectionCall): Slice[] {
  return listArgument(call).map((item) => {
    const kind = itemKind(item.buffer, item.start)
    if (kind === ItemKind.LIST || kind === ItemKind.MAP) parameterError('a list or map in a HyperLogLog')
    if (kind === ItemKind.INFINITY || kind === ItemKind.WILDCARD) return item
    return normaliseItem(item, ResultCode.PARAMETER)
  })
}

/** HyperLogLogs in a list, or one alone. */
function setsArgument(call: CollectionCall): HyperLogLog[] {
  const whole = argumentSlice(call, 0)
  const items = itemKind(whole.buffer, whole.start) === ItemKind.LIST ? listArgument(call) : [whole]
  if (items.length > MAX_SETS) parameterError(`more than ${MAX_SETS} HyperLogLogs`)
  return items.map(({ buffer, start, end }) => {
    const from = start + headerLength(buffer[start]!)
    const type = itemKind(buffer, start) === ItemKind.BYTES ? buffer[from] : undefined
    const isHll = type === ParticleType.HLL || type === ParticleType.BLOB
    const hll = isHll ? HyperLogLog.from({ buffer, start: from + 1, end }) : undefined
    return hll ?? parameterError('not a HyperLogLog')
  })
}
