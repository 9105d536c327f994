/**
 * What a copy has been through: for each regime in which it was a replica, the last sequence that it applied there
 * (C1 of README.md). Pasts never change, so copies and messages share them; the lists of regimes are few, since most
 * partitions of a node have been through the same, and are one object where one came from the other.
 */
import type { Regime } from './regime.ts'

export interface Past {
  /** Ascending. */
  readonly regimes: readonly Regime[]
  /** The last sequence of each. */
  readonly ends: readonly number[]
}

export const noPast: Past = { regimes: [], ends: [] }

/**
 * Of regimes in which a copy took part without ever being whole: the regimes that their master's copy had been
 * through. What was written in such a regime came from what was acknowledged in those.
 */
export type Ancestors = ReadonlyMap<Regime, readonly Regime[]>

export const noAncestors: Ancestors = new Map()

/** Regimes that a past remembers; of older ones a copy is sent what it may have already. */
const largestPast = 64

/** Undefined when the past does not name the regime. */
export function endOf({ regimes, ends }: Past, regime: Regime): number | undefined {
  const at = placeOf(regimes, regime)
  return regimes[at] === regime ? ends[at] : undefined
}

export function names({ regimes }: Past, regime: Regime): boolean {
  return regimes[placeOf(regimes, regime)] === regime
}

export function covers(past: Past, version: { readonly regime: Regime; readonly sequence: number }): boolean {
  return version.sequence <= (endOf(past, version.regime) ?? -1)
}

/** The past of which no more than this is true of the regime; below 0 = nothing. */
export function cut(past: Past, regime: Regime, end: number): Past {
  const known = endOf(past, regime)
  if (known === undefined || known <= end) return past
  const at = placeOf(past.regimes, regime)
  if (end >= 0) return { regimes: past.regimes, ends: past.ends.with(at, end) }
  return { regimes: past.regimes.toSpliced(at, 1), ends: past.ends.toSpliced(at, 1) }
}

/** Without this regime. */
export function without(past: Past, regime: Regime): Past {
  return cut(past, regime, -1)
}

/** With this regime, of which so much is there. */
export function withRegime(past: Past, regime: Regime, end: number): Past {
  const { regimes, ends } = past
  if (!isBehindAll(regimes, regime)) return joined(past, { regimes: [regime], ends: [end] })
  const list = regimesWith(regimes, regime)
  return { regimes: list, ends: [...(ends.length < list.length ? ends : ends.slice(1)), end] }
}

/** As `withRegime`, of the regimes alone: the same list for all who ask with the same list. */
export function regimesWith(regimes: readonly Regime[], regime: Regime): readonly Regime[] {
  if (!isBehindAll(regimes, regime)) return withRegime({ regimes, ends: regimes }, regime, 0).regimes
  const known = extensions.get(regimes)
  if (known?.[known.length - 1] === regime) return known
  const list = [...(regimes.length < largestPast ? regimes : regimes.slice(1)), regime]
  extensions.set(regimes, list)
  return list
}

function isBehindAll(regimes: readonly Regime[], regime: Regime): boolean {
  return regimes.length === 0 || regimes[regimes.length - 1]! < regime
}

/** The ancestors with what the master of this regime had been through: one object for all who ask with the same. */
export function withAncestors(ancestors: Ancestors, regime: Regime, regimes: readonly Regime[]): Ancestors {
  const known = descents.get(ancestors) ?? new WeakMap<readonly Regime[], Ancestors>()
  descents.set(ancestors, known)
  const found = known.get(regimes)
  if (found?.has(regime)) return found
  const newest = [...ancestors].slice(0, mostAncestors - 1)
  const made = new Map([[regime, regimes], ...newest])
  known.set(regimes, made)
  return made
}

/** Makes equal lists of regimes one object. */
export class SharedRegimes {
  readonly #known = new Map<readonly Regime[], readonly Regime[]>()
  readonly #byText = new Map<string, readonly Regime[]>()

  share(past: Past): Past {
    let regimes = this.#known.get(past.regimes)
    if (!regimes) {
      const text = past.regimes.join()
      regimes = this.#byText.get(text) ?? past.regimes
      this.#byText.set(text, regimes)
      this.#known.set(past.regimes, regimes)
    }
    return regimes === past.regimes ? past : { regimes, ends: past.ends }
  }
}

/** Regimes in a row in which a copy can take part without being whole and still tell what they came from. */
const mostAncestors = 8

const descents = new WeakMap<Ancestors, WeakMap<readonly Regime[], Ancestors>>()
const extensions = new WeakMap<readonly Regime[], readonly Regime[]>()

/** The past of a copy that has taken the other one in. */
export function joined(past: Past, other: Past): Past {
  if (other.regimes.length === 0) return past
  if (past.regimes.length === 0) return other
  const regimes: Regime[] = []
  const ends: number[] = []
  let [a, b] = [0, 0]
  while (a < past.regimes.length || b < other.regimes.length) {
    const [one, two] = [past.regimes[a] ?? Infinity, other.regimes[b] ?? Infinity]
    regimes.push(Math.min(one, two))
    ends.push(Math.max(one <= two ? past.ends[a]! : 0, two <= one ? other.ends[b]! : 0))
    if (one <= two) a++
    if (two <= one) b++
  }
  if (regimes.length === past.regimes.length) return { regimes: past.regimes, ends }
  if (regimes.length === other.regimes.length) return { regimes: other.regimes, ends }
  return { regimes: regimes.slice(-largestPast), ends: ends.slice(-largestPast) }
}

/** Where the regime stands, or where it belongs. */
function placeOf(regimes: readonly Regime[], regime: Regime): number {
  let [low, high] = [0, regimes.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (regimes[middle]! < regime) low = middle + 1
    else high = middle
  }
  return low
}
