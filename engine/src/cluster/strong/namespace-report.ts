/**
 * What a node says of all its copies of a strong namespace when it promises a view. Most copies have been through the
 * same, so what decides about them goes as a few kinds and an index for each. Of lineages the regimes go as kinds, and
 * only the sequences are each copy's own.
 */
import type { Regime } from '../regime.ts'
import type { CopyStanding } from './activation.ts'
import type { CopyMeta } from './copy-disk.ts'
import type { Epoch, Lineage } from './lineage.ts'
import { positionText } from './position.ts'

export interface NamespaceReport {
  readonly standings: readonly CopyStanding[]
  /** By partition, an index of `standings`. */
  readonly standingOf: readonly number[]
  readonly lineages: LineageTable
  /** There are records from before the namespace was strong. */
  readonly hasEarlierData: boolean
}

export interface LineageTable {
  /** The regime in which the first epoch began, then those of the epochs; the state is in the last one. */
  readonly regimes: readonly (readonly Regime[])[]
  /** By partition, an index of `regimes`. */
  readonly regimesOf: readonly number[]
  /** Partition after partition: where each epoch began, then the state; as many numbers as it has regimes. */
  readonly sequences: readonly number[]
}

/** Indices of things that are the same object or have the same key. */
class Kinds<Thing> {
  readonly found: Thing[] = []
  readonly #indices = new Map<unknown, number>()

  indexOf(key: unknown, make: () => Thing): number {
    let index = this.#indices.get(key)
    if (index === undefined) this.#indices.set(key, (index = this.found.push(make()) - 1))
    return index
  }
}

export function standingOf({ rosters, activations, claims, served, unclean }: CopyMeta): CopyStanding {
  return { rosters, activations, claims, served, unclean }
}

export function namespaceReport(
  copies: readonly { readonly meta: CopyMeta; readonly lineage: Lineage }[],
  hasEarlierData: boolean,
): NamespaceReport {
  const standings = new Kinds<CopyStanding>()
  const regimes = new Kinds<readonly Regime[]>()
  const sequences: number[] = []
  const [standingIndices, regimesOf]: [number[], number[]] = [[], []]
  for (const { meta, lineage } of copies) {
    standingIndices.push(standings.indexOf(meta, () => standingOf(meta)))
    const { epochs, state } = lineage
    let last = epochs[0]?.start.regime ?? state.regime
    let key = `${last}`
    for (const { regime, start } of epochs) {
      if (start.regime !== last) throw new Error(`an epoch begins at ${positionText(start)}, not in ${last}`)
      sequences.push(start.sequence)
      last = regime
      key += ` ${regime}`
    }
    if (state.regime !== last) throw new Error(`a copy is at ${positionText(state)}, not in ${last}`)
    sequences.push(state.sequence)
    regimesOf.push(
      regimes.indexOf(key, () => [
        epochs[0]?.start.regime ?? state.regime,
        ...epochs.map(({ regime }) => regime),
      ]),
    )
  }
  const lineages = { regimes: regimes.found, regimesOf, sequences }
  return { standings: standings.found, standingOf: standingIndices, lineages, hasEarlierData }
}

/** Hands out the lineages of a report. */
export class ReportedLineages {
  readonly #table: LineageTable
  /** By partition, where its sequences begin. */
  readonly #starts: Uint32Array

  constructor(table: LineageTable) {
    const { regimes, regimesOf } = table
    this.#table = table
    this.#starts = new Uint32Array(regimesOf.length)
    let start = 0
    for (const [partition, kind] of regimesOf.entries()) {
      this.#starts[partition] = start
      start += regimes[kind]!.length
    }
  }

  at(partition: number): Lineage {
    const { regimes, regimesOf, sequences } = this.#table
    const kind = regimes[regimesOf[partition]!]!
    const start = this.#starts[partition]!
    const positionAt = (i: number) => ({ regime: kind[i]!, sequence: sequences[start + i]! })
    const epochs: Epoch[] = []
    for (let i = 1; i < kind.length; i++) epochs.push({ regime: kind[i]!, start: positionAt(i - 1) })
    return { epochs, state: positionAt(kind.length - 1) }
  }
}
