/** Steps on HyperLogLogs, which count distinct values. Source: protocol notes, HLL 1. */
import { callStep } from './call.ts'
import { Op } from './message.ts'
import type { Hll, Value } from './value-codec.ts'

export const HllFlag = { CREATE_ONLY: 1, UPDATE_ONLY: 2, NO_FAIL: 4, ALLOW_FOLD: 8 } as const

/** The size of an HLL that a step makes. */
export interface HllSize {
  /** 4 to 16: 2 to their power are the registers. */
  readonly indexBits?: number
  /** 4 to 51, for similarity and intersection; none unless told. */
  readonly minHashBits?: number
}

const NOT_GIVEN = -1
const bits = ({ indexBits = NOT_GIVEN, minHashBits = NOT_GIVEN }: HllSize): number[] => [
  indexBits,
  minHashBits,
]

const reading = (bin: string, code: number, args: readonly Value[] = []) =>
  callStep(Op.HLL_READ, bin, code, args)
const changing = (bin: string, code: number, args: readonly Value[] = []) =>
  callStep(Op.HLL_MODIFY, bin, code, args)

/** Steps on HLL bins. @example client.operate(key, [hll.add('visitors', ['ann', 'bob'], { indexBits: 12 }), hll.count('visitors')]) */
export const hll = {
  /** Makes one, or empties the one that is there. */
  init: (bin: string, size: HllSize, flags = 0) => changing(bin, 0, [...bits(size), flags]),
  /** Answers how many values changed it. Makes one of this size where there is none. */
  add: (bin: string, values: readonly Value[], size: HllSize = {}, flags = 0) =>
    changing(bin, 1, [values, ...bits(size), flags]),
  setUnion: (bin: string, hlls: readonly Hll[], flags = 0) => changing(bin, 2, [hlls, flags]),
  refreshCount: (bin: string) => changing(bin, 3),
  fold: (bin: string, indexBits: number) => changing(bin, 4, [indexBits]),
  count: (bin: string) => reading(bin, 50),
  union: (bin: string, hlls: readonly Hll[]) => reading(bin, 51, [hlls]),
  unionCount: (bin: string, hlls: readonly Hll[]) => reading(bin, 52, [hlls]),
  intersectCount: (bin: string, hlls: readonly Hll[]) => reading(bin, 53, [hlls]),
  /** 0 to 1. */
  similarity: (bin: string, hlls: readonly Hll[]) => reading(bin, 54, [hlls]),
  /** Index bits and minhash bits. */
  describe: (bin: string) => reading(bin, 55),
  /** 1 when every value may have been added, 0 when one has not. */
  mayContain: (bin: string, values: readonly Value[]) => reading(bin, 56, [values]),
} as const
