/** A stream of numbers in [0, 1) that depends on the seeds alone. Algorithm: splitmix32. */
export function seededRandom(...seeds: number[]): () => number {
  let state = 0x9e3779b9
  for (const seed of seeds) state = mix(state ^ Math.imul(seed + 0x7f4a7c15, 0x85ebca6b))
  return () => {
    state = (state + 0x9e3779b9) | 0
    return (mix(state) >>> 0) / 4294967296
  }
}

function mix(value: number): number {
  let hash = value ^ (value >>> 16)
  hash = Math.imul(hash, 0x21f0aaad)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x735a2d97)
  return hash ^ (hash >>> 15)
}

export function pick<T>(random: () => number, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!
}

/** An integer from `low` to `high`, both included. */
export function integerBetween(random: () => number, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1))
}
