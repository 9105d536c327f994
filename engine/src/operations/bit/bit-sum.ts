/** What ADD and SUBTRACT do at the end of the range, by their flags; without one overflow fails. */
const Overflow = { SIGNED: 1, SATURATE: 2, WRAP: 4 } as const

export interface Adding {
  readonly subtracts: boolean
  /** Bits of Overflow. */
  readonly how: number
}

/**
 * The sum or difference of a field and an operand, which is cut to the field's size first; undefined on overflow.
 * A signed difference is the sum with the negated operand, so that subtracting the smallest number, which is its own
 * negation, overflows like adding it: the recorded answers are such.
 */
export function sum(
  field: bigint,
  operand: bigint,
  size: number,
  { subtracts, how }: Adding,
): bigint | undefined {
  return how & Overflow.SIGNED
    ? signedSum(BigInt.asIntN(size, field), BigInt.asIntN(size, subtracts ? -operand : operand), size, how)
    : unsignedSum(field, BigInt.asUintN(size, operand), size, { subtracts, how })
}

function signedSum(a: bigint, b: bigint, size: number, how: number): bigint | undefined {
  const exact = a + b
  if (BigInt.asIntN(size, exact) === exact || how & Overflow.WRAP) return exact
  const half = 1n << BigInt(size - 1)
  return how & Overflow.SATURATE ? (exact < 0n ? -half : half - 1n) : undefined
}

function unsignedSum(a: bigint, b: bigint, size: number, { subtracts, how }: Adding): bigint | undefined {
  const exact = subtracts ? a - b : a + b
  if (BigInt.asUintN(size, exact) === exact || how & Overflow.WRAP) return exact
  return how & Overflow.SATURATE ? (exact < 0n ? 0n : (1n << BigInt(size)) - 1n) : undefined
}
