/**
 * Operations on the bits of a blob: op types 12 and 13, and module 1 of calls in expressions. Source: protocol notes,
 * bitwise; where they leave the order of checks open, the recorded exchanges of hand-bit.
 */
import { headerLength, headerSize, ItemKind, itemKind } from '../../values/msgpack-item.ts'
import type { Particle, Slice } from '../../values/particle.ts'
import { ParticleType } from '../../values/particle.ts'
import { ResultCode, ResultError } from '../../values/result-code.ts'
import type { CollectionCall } from '../collection-call.ts'
import {
  argumentSlice,
  bigintArgument,
  expectArguments,
  integerArgument,
  parameterError,
  parsePlainCall,
} from '../collection-call.ts'
import { integerParticle } from '../collection-result.ts'
import {
  type BitField,
  bitsAt,
  changeBits,
  copyBits,
  countOnes,
  findBit,
  putUnsigned,
  shiftBits,
  unsignedAt,
} from './bit-field.ts'
import { sum } from './bit-sum.ts'

const Code = {
  RESIZE: 0,
  INSERT: 1,
  REMOVE: 2,
  SET: 3,
  OR: 4,
  XOR: 5,
  AND: 6,
  NOT: 7,
  LSHIFT: 8,
  RSHIFT: 9,
  ADD: 10,
  SUBTRACT: 11,
  SET_INT: 12,
  GET: 50,
  COUNT: 51,
  LSCAN: 52,
  RSCAN: 53,
  GET_INT: 54,
} as const

const Policy = { CREATE_ONLY: 1, UPDATE_ONLY: 2, NO_FAIL: 4, PARTIAL: 8 } as const
const Resize = { FROM_FRONT: 1, GROW_ONLY: 2, SHRINK_ONLY: 4 } as const
const SIGNED = 1
/** No record is larger; what would be is refused before memory is taken for it. */
const MAX_BLOB_BYTES = 8 * 1024 * 1024
const MAX_INTEGER_BITS = 64

/** A failure that NO_FAIL turns into a bin that stays as it is. */
class Excused extends ResultError {}

function excused(code: ResultCode, why: string): never {
  throw new Excused(code, why)
}

/** A reading call `[code, args…]`; undefined is nil. Throws ResultError. */
export function readBits(bin: Particle | undefined, payload: Slice): Particle | undefined {
  const call = parsePlainCall(payload)
  const read = reads.get(call.code)
  if (!read) parameterError(`no call ${call.code} that reads bits`)
  const work = read(call)
  if (bin === undefined) return undefined
  return work(blobOf(bin))
}

/** The bin after a modifying call: the very particle given where nothing changed, undefined where there is none. */
export function modifyBits(bin: Particle | undefined, payload: Slice): Particle | undefined {
  const call = parsePlainCall(payload)
  const write = writes.get(call.code)
  if (!write) parameterError(`no call ${call.code} that changes bits`)
  const { policy, creates, work } = write(call)
  try {
    if (bin === undefined && (!creates || policy & Policy.UPDATE_ONLY))
      excused(ResultCode.BIN_NOT_FOUND, 'no bin')
    if (bin !== undefined && policy & Policy.CREATE_ONLY) excused(ResultCode.BIN_EXISTS, 'the bin exists')
    const before = bin === undefined ? Buffer.alloc(0) : blobOf(bin)
    const after = work(before)
    if (bin === undefined && after.length === 0) return undefined
    return { type: ParticleType.BLOB, buffer: after, start: 0, end: after.length }
  } catch (error) {
    if (error instanceof Excused && policy & Policy.NO_FAIL) return bin
    throw error
  }
}

function blobOf({ type, buffer, start, end }: Particle): Buffer {
  if (type !== ParticleType.BLOB) throw new ResultError(ResultCode.BIN_TYPE, 'not a blob')
  return buffer.subarray(start, end)
}

interface Change {
  readonly policy: number
  readonly creates?: boolean
  /** Never changes the bytes it is given. */
  readonly work: (blob: Buffer) => Buffer
}

type Read = (call: CollectionCall) => (blob: Buffer) => Particle
type Write = (call: CollectionCall) => Change

/** Argument `index`, 0 where it was not sent: flags of which only `allowed` may be set. */
function flags(call: CollectionCall, index: number, allowed: number): number {
  const value = integerArgument(call, index, 0)
  if (value < 0 || value > 0xff || (value & ~allowed) !== 0) parameterError(`flags ${value}`)
  return value
}

const sizing = Policy.CREATE_ONLY | Policy.UPDATE_ONLY | Policy.NO_FAIL
const ranging = Policy.UPDATE_ONLY | Policy.NO_FAIL | Policy.PARTIAL
const counting = Policy.UPDATE_ONLY | Policy.NO_FAIL

function sizingPolicy(call: CollectionCall, index: number): number {
  const policy = flags(call, index, sizing)
  if ((policy & 3) === 3) parameterError('a bin that is new and not new')
  return policy
}

/** The string-like argument `index` without its type byte. */
function bytesArgument(call: CollectionCall, index: number): Buffer {
  const { buffer, start, end } = argumentSlice(call, index)
  const kind = itemKind(buffer, start)
  const isBytes = kind === ItemKind.STRING || kind === ItemKind.BYTES || kind === ItemKind.GEOJSON
  if (!isBytes || headerSize(buffer, start) < 2) parameterError('bytes are wanted, at least one')
  return buffer.subarray(start + headerLength(buffer[start]!) + 1, end)
}

function boolArgument(call: CollectionCall, index: number): boolean {
  const byte = call.buffer[call.starts[index]!]!
  if (byte !== 0xc2 && byte !== 0xc3) parameterError('a bool is wanted')
  return byte === 0xc3
}

/** Where a range starts, counted from the end where it is negative. */
function position(offset: number, length: number): number {
  const at = offset < 0 ? length + offset : offset
  if (at < 0) parameterError(`offset ${offset} of ${length}`)
  return at
}

function positiveSize(call: CollectionCall, index: number, most = Infinity): number {
  const size = integerArgument(call, index)
  if (size === 0 || size > most) parameterError(`size ${size}`)
  return size
}

/** Arguments 0 and 1, a range of bits; the range itself once the blob is known. */
function range(call: CollectionCall, most = Infinity): (blob: Buffer, policy?: number) => BitField {
  const wanted = integerArgument(call, 0)
  const size = positiveSize(call, 1, most)
  return (blob, policy = 0) => {
    const length = blob.length * 8
    const offset = position(wanted, length)
    const fits = size > 0 && offset + size <= length
    const isCut = !fits && offset < length && (policy & Policy.PARTIAL) !== 0
    if (!fits && !isCut) excused(ResultCode.NOT_APPLICABLE, `bits ${offset} to ${offset + size} of ${length}`)
    return { offset, size: isCut ? length - offset : size }
  }
}

const resize: Write = (call) => {
  expectArguments(call, 1, 3)
  const size = integerArgument(call, 0)
  const policy = sizingPolicy(call, 1)
  const how = flags(call, 2, Resize.FROM_FRONT | Resize.GROW_ONLY | Resize.SHRINK_ONLY)
  const both = Resize.GROW_ONLY | Resize.SHRINK_ONLY
  if (size < 0 || (how & both) === both) parameterError('a size and a direction')
  return {
    policy,
    creates: true,
    work(blob) {
      if (size > MAX_BLOB_BYTES) throw new ResultError(ResultCode.RECORD_TOO_BIG, `${size} bytes`)
      if (size < blob.length && how & Resize.GROW_ONLY) excused(ResultCode.PARAMETER, 'it would shrink')
      if (size > blob.length && how & Resize.SHRINK_ONLY) excused(ResultCode.PARAMETER, 'it would grow')
      const after = Buffer.alloc(size)
      const difference = how & Resize.FROM_FRONT ? size - blob.length : 0
      blob.copy(after, Math.max(0, difference), Math.max(0, -difference))
      return after
    },
  }
}

const insert: Write = (call) => {
  expectArguments(call, 2, 3)
  const offset = integerArgument(call, 0)
  const bytes = bytesArgument(call, 1)
  return {
    policy: sizingPolicy(call, 2),
    creates: true,
    work(blob) {
      const at = position(offset, blob.length)
      if (at > MAX_BLOB_BYTES) throw new ResultError(ResultCode.RECORD_TOO_BIG, `${at} bytes`)
      const gap = Buffer.alloc(Math.max(0, at - blob.length))
      return Buffer.concat([blob.subarray(0, at), gap, bytes, blob.subarray(at)])
    },
  }
}

const remove: Write = (call) => {
  expectArguments(call, 2, 3)
  const offset = integerArgument(call, 0)
  const count = positiveSize(call, 1)
  const policy = flags(call, 2, ranging)
  if (count < 0) parameterError(`${count} bytes`)
  return {
    policy,
    work(blob) {
      const at = position(offset, blob.length)
      const end = at + count
      const isCut = at < blob.length && (policy & Policy.PARTIAL) !== 0
      if (end > blob.length && !isCut) excused(ResultCode.PARAMETER, `bytes ${at} to ${end}`)
      return Buffer.concat([blob.subarray(0, at), blob.subarray(Math.min(end, blob.length))])
    },
  }
}

/** SET, OR, XOR, AND: the leftmost bits of the value against those of the blob. */
const combining =
  (combine: (bits: number, other: number) => number): Write =>
  (call) => {
    expectArguments(call, 3, 4)
    const field = range(call)
    const bytes = bytesArgument(call, 2)
    const size = integerArgument(call, 1)
    if (size > 0 && bytes.length < size / 8) parameterError(`${bytes.length} bytes for ${size} bits`)
    const policy = flags(call, 3, ranging)
    return {
      policy,
      work: (blob) =>
        changed(blob, field(blob, policy), (bits, at, count) => combine(bits, bitsAt(bytes, at, count))),
    }
  }

function changed(
  blob: Buffer,
  field: BitField,
  change: (bits: number, at: number, count: number) => number,
): Buffer {
  const after = Buffer.from(blob)
  changeBits(after, field, change)
  return after
}

const not: Write = (call) => {
  expectArguments(call, 2, 3)
  const field = range(call)
  const policy = flags(call, 2, ranging)
  return { policy, work: (blob) => changed(blob, field(blob, policy), (bits) => ~bits) }
}

const shift =
  (sign: 1 | -1): Write =>
  (call) => {
    expectArguments(call, 3, 4)
    const field = range(call)
    const distance = integerArgument(call, 2)
    const policy = flags(call, 3, ranging)
    if (distance < 0) parameterError(`a shift by ${distance}`)
    return {
      policy,
      work(blob) {
        const after = Buffer.from(blob)
        shiftBits(blob, after, field(blob, policy), sign * distance)
        return after
      },
    }
  }

const adding =
  (subtracts: boolean): Write =>
  (call) => {
    expectArguments(call, 3, 5)
    const field = range(call, MAX_INTEGER_BITS)
    const operand = bigintArgument(call, 2)
    const policy = flags(call, 3, counting)
    const how = flags(call, 4, 7)
    if ((how & 6) === 6) parameterError('an overflow that saturates and wraps')
    return {
      policy,
      work(blob) {
        const within = field(blob)
        const value = sum(unsignedAt(blob, within), operand, within.size, { subtracts, how })
        if (value === undefined) excused(ResultCode.NOT_APPLICABLE, 'overflow')
        return withInteger(blob, within, value)
      },
    }
  }

const setInteger: Write = (call) => {
  expectArguments(call, 3, 4)
  const field = range(call, MAX_INTEGER_BITS)
  const value = bigintArgument(call, 2)
  return { policy: flags(call, 3, counting), work: (blob) => withInteger(blob, field(blob), value) }
}

function withInteger(blob: Buffer, field: BitField, value: bigint): Buffer {
  const after = Buffer.from(blob)
  putUnsigned(after, field, BigInt.asUintN(field.size, value))
  return after
}

const writes = new Map<number, Write>([
  [Code.RESIZE, resize],
  [Code.INSERT, insert],
  [Code.REMOVE, remove],
  [Code.SET, combining((_, other) => other)],
  [Code.OR, combining((bits, other) => bits | other)],
  [Code.XOR, combining((bits, other) => bits ^ other)],
  [Code.AND, combining((bits, other) => bits & other)],
  [Code.NOT, not],
  [Code.LSHIFT, shift(1)],
  [Code.RSHIFT, shift(-1)],
  [Code.ADD, adding(false)],
  [Code.SUBTRACT, adding(true)],
  [Code.SET_INT, setInteger],
])

const scan =
  (last: boolean): Read =>
  (call) => {
    expectArguments(call, 3, 3)
    const field = range(call)
    const wanted = boolArgument(call, 2)
    return (blob) => integerParticle(findBit(blob, field(blob), wanted, last))
  }

const reads = new Map<number, Read>([
  [
    Code.GET,
    (call) => {
      expectArguments(call, 2, 2)
      const field = range(call)
      return (blob) => {
        const buffer = copyBits(blob, field(blob))
        return { type: ParticleType.BLOB, buffer, start: 0, end: buffer.length }
      }
    },
  ],
  [
    Code.COUNT,
    (call) => {
      expectArguments(call, 2, 2)
      const field = range(call)
      return (blob) => integerParticle(countOnes(blob, field(blob)))
    },
  ],
  [Code.LSCAN, scan(false)],
  [Code.RSCAN, scan(true)],
  [
    Code.GET_INT,
    (call) => {
      expectArguments(call, 2, 3)
      const field = range(call, MAX_INTEGER_BITS)
      const signed = flags(call, 2, SIGNED) === SIGNED
      return (blob) => {
        const within = field(blob)
        const value = unsignedAt(blob, within)
        return bigintParticle(signed ? BigInt.asIntN(within.size, value) : value)
      }
    },
  ],
])

function bigintParticle(value: bigint): Particle {
  const buffer = Buffer.allocUnsafe(8)
  buffer.writeBigInt64BE(BigInt.asIntN(64, value))
  return { type: ParticleType.INTEGER, buffer, start: 0, end: 8 }
}
