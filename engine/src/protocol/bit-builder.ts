/**
 * Steps on the bits of blob bins. Bit 0 is the highest of the first byte; a negative offset counts from the end.
 * Source: protocol notes, bit operations 1 and 2.
 */
import { callStep } from './call.ts'
import { Op } from './message.ts'

/** When a step may change its bin. */
export const BitFlag = { CREATE_ONLY: 1, UPDATE_ONLY: 2, NO_FAIL: 4, PARTIAL: 8 } as const
export const BitResizeFlag = { FROM_FRONT: 1, GROW_ONLY: 2, SHRINK_ONLY: 4 } as const
/** What happens on overflow, which fails unless told. */
export const BitOverflow = { FAIL: 0, SATURATE: 2, WRAP: 4 } as const
const SIGNED = 1

type Arguments = readonly (number | bigint | boolean | Buffer)[]
const reading = (bin: string, code: number, args: Arguments) => callStep(Op.BIT_READ, bin, code, args)
const changing = (bin: string, code: number, args: Arguments) => callStep(Op.BIT_MODIFY, bin, code, args)

/** How `add` and `subtract` take the number. */
export interface BitNumber {
  readonly signed?: boolean
  /** Of `BitOverflow`. */
  readonly overflow?: number
  /** Of `BitFlag`. */
  readonly flags?: number
}

const numberArguments = ({ signed = false, overflow = BitOverflow.FAIL, flags = 0 }: BitNumber): number[] => [
  flags,
  (signed ? SIGNED : 0) | overflow,
]

/** Steps on bits. @example client.operate(key, [bit.set('seen', 5, 1, Buffer.of(0x80)), bit.count('seen', 0, 64)]) */
export const bit = {
  resize: (bin: string, bytes: number, resizeFlags = 0, flags = 0) =>
    changing(bin, 0, [bytes, flags, resizeFlags]),
  insert: (bin: string, byteOffset: number, bytes: Buffer, flags = 0) =>
    changing(bin, 1, [byteOffset, bytes, flags]),
  remove: (bin: string, byteOffset: number, bytes: number, flags = 0) =>
    changing(bin, 2, [byteOffset, bytes, flags]),
  /** The leftmost `size` bits of `bits`. */
  set: (bin: string, offset: number, size: number, bits: Buffer, flags = 0) =>
    changing(bin, 3, [offset, size, bits, flags]),
  or: (bin: string, offset: number, size: number, bits: Buffer, flags = 0) =>
    changing(bin, 4, [offset, size, bits, flags]),
  xor: (bin: string, offset: number, size: number, bits: Buffer, flags = 0) =>
    changing(bin, 5, [offset, size, bits, flags]),
  and: (bin: string, offset: number, size: number, bits: Buffer, flags = 0) =>
    changing(bin, 6, [offset, size, bits, flags]),
  not: (bin: string, offset: number, size: number, flags = 0) => changing(bin, 7, [offset, size, flags]),
  leftShift: (bin: string, offset: number, size: number, shift: number, flags = 0) =>
    changing(bin, 8, [offset, size, shift, flags]),
  rightShift: (bin: string, offset: number, size: number, shift: number, flags = 0) =>
    changing(bin, 9, [offset, size, shift, flags]),
  /** Up to 64 bits as a number. */
  add: (bin: string, offset: number, size: number, number: number | bigint, how: BitNumber = {}) =>
    changing(bin, 10, [offset, size, number, ...numberArguments(how)]),
  subtract: (bin: string, offset: number, size: number, number: number | bigint, how: BitNumber = {}) =>
    changing(bin, 11, [offset, size, number, ...numberArguments(how)]),
  setInt: (bin: string, offset: number, size: number, number: number | bigint, flags = 0) =>
    changing(bin, 12, [offset, size, number, flags]),
  get: (bin: string, offset: number, size: number) => reading(bin, 50, [offset, size]),
  count: (bin: string, offset: number, size: number) => reading(bin, 51, [offset, size]),
  /** Place of the first bit that is so, -1 when there is none. */
  leftScan: (bin: string, offset: number, size: number, value: boolean) =>
    reading(bin, 52, [offset, size, value]),
  /** The same from the right. */
  rightScan: (bin: string, offset: number, size: number, value: boolean) =>
    reading(bin, 53, [offset, size, value]),
  getInt: (bin: string, offset: number, size: number, signed = false) =>
    reading(bin, 54, signed ? [offset, size, SIGNED] : [offset, size]),
} as const
