/**
 * What HyperLogLogs tell of the sets they stand for. The count is Ertl's improved raw estimator (O. Ertl, "New
 * cardinality estimation algorithms for HyperLogLog sketches", 2017) with the constants of the original paper;
 * similarity with minhash is HyperMinHash (Yu and Weber, 2017), with its exact sum of expected collisions. Formulas:
 * protocol notes, HLL 4 and 5.
 */
import type { HyperLogLog } from './hyper-log-log.ts'

/** Ranks go from 0 to one more than the bits of the hash. */
const TOP_RANK = 65

/** The count as it is cached, else estimated. */
export function countOf(hll: HyperLogLog): number {
  return hll.cachedCount || estimate(hll)
}

export function estimate(hll: HyperLogLog): number {
  const total = hll.registers
  const byRank = new Float64Array(TOP_RANK + 1)
  for (let i = 0; i < total; i++) byRank[hll.rank(i)]!++
  let z = total * tau(1 - byRank[TOP_RANK]! / total)
  for (let rank = TOP_RANK - 1; rank >= 1; rank--) z = (z + byRank[rank]!) / 2
  z += total * sigma(byRank[0]! / total)
  return Math.round((alpha(total) * total * total) / z)
}

function alpha(registers: number): number {
  if (registers === 16) return 0.673
  if (registers === 32) return 0.697
  return registers === 64 ? 0.709 : 0.7213 / (1 + 1.079 / registers)
}

function sigma(share: number): number {
  if (share === 1) return Infinity
  let [x, y, z] = [share, 1, share]
  for (let before = NaN; before !== z;) {
    before = z
    x *= x
    z += x * y
    y *= 2
  }
  return z
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let [x, y, z] = [share, 1, 1 - share]
  for (let before = NaN; before !== z;) {
    before = z
    x = Math.sqrt(x)
    y /= 2
    z -= (1 - x) ** 2 * y
  }
  return z / 3
}

export interface Overlap {
  readonly count: number
  readonly similarity: number
}

/** Two or three sets by the counts of their unions; `union` counts the union of some of them. */
export function overlapByCounts(
  sets: readonly HyperLogLog[],
  union: (some: readonly HyperLogLog[]) => number,
): Overlap {
  const all = union(sets)
  const singles = sets.reduce((sum, set) => sum + countOf(set), 0)
  const count = Math.max(0, sets.length === 2 ? singles - all : all - singles + pairs(sets, union))
  return { count, similarity: count / all }
}

function pairs(sets: readonly HyperLogLog[], union: (some: readonly HyperLogLog[]) => number): number {
  let sum = 0
  for (const [i, a] of sets.entries())
    for (const b of sets.slice(i + 1)) sum += Math.max(0, countOf(a) + countOf(b) - union([a, b]))
  return sum
}

/** Any number of sets with minhashes of one size, and their union. */
export function overlapByMinhash(sets: readonly HyperLogLog[], union: HyperLogLog): Overlap {
  const [first, ...others] = sets
  let common = 0
  let filled = 0
  for (let i = 0; i < union.registers; i++) {
    if (union.rank(i) === 0) continue
    filled++
    const rank = first!.rank(i)
    const minhash = first!.minhash(i)
    if (rank > 0 && others.every((set) => set.rank(i) === rank && set.minhash(i) === minhash)) common++
  }
  const chance = sets.length === 2 ? collisions(first!, others[0]!) : 0
  const similarity = filled === 0 ? NaN : Math.max(0, common - chance) / filled
  return { count: filled === 0 ? 0 : Math.round(similarity * countOf(union)), similarity }
}

/** How many registers are expected to agree by chance. */
function collisions(a: HyperLogLog, b: HyperLogLog): number {
  const [n, m] = [countOf(a), countOf(b)]
  let sum = 0
  for (let rank = 1; rank <= 64; rank++) {
    const b1 = rank === 64 ? 0 : 2 ** -(a.indexBits + rank)
    const b2 = 2 ** -(a.indexBits + rank - 1)
    const share = (size: number) => (1 - b1) ** size - (1 - b2) ** size
    sum += share(n) * share(m)
  }
  return 2 ** (a.indexBits - a.minhashBits) * sum
}
