/**
 * What a node says of all its copies of a strong namespace when it promises a view. Most copies have been through the
 * same, so what decides about them goes as a few kinds and an index for each. Of lineages the regimes go as kinds, and
 * only the sequences are each copy's own. What there is of each copy goes as bytes, which a view's record carries on as
 * they are; of most copies nothing but the state is ever read.
 */
import type { Regime } from '../regime.ts'
import type { CopyStanding } from './activation.ts'
import type { CopyMeta } from './copy-disk.ts'
import type { Epoch, Lineage } from './lineage.ts'
import { positionText, type Position } from './position.ts'
import { countNumbers, Numbers, readNumber, Shorts, shortAt } from './report-bytes.ts'

export interface NamespaceReport {
  readonly partitions: number
  readonly standings: readonly CopyStanding[]
  /** By partition, two bytes: an index of `standings`. */
  readonly standingOf: Buffer
  readonly lineages: LineageTable
  /** There are records from before the namespace was strong. */
  readonly hasEarlierData: boolean
}

export interface LineageTable {
  /** The regime that the state is in, then those of the epochs before, back to the one in which the first began. */
  readonly regimes: readonly (readonly Regime[])[]
  /** By partition, two bytes: an index of `regimes`. */
  readonly regimesOf: Buffer
  /** Partition after partition: the state, then where each epoch began, back to the first. */
  readonly sequences: Buffer
}

/** Indices of things that are the same object. */
class Kinds<Thing> {
  readonly found: Thing[] = []
  readonly #indices = new Map<object, number>()

  indexOf(key: object, make: () => Thing): number {
    let index = this.#indices.get(key)
    if (index === undefined) this.#indices.set(key, (index = this.found.push(make()) - 1))
    return index
  }
}

/** Lists of regimes, found by what they hold. */
class RegimeKinds {
  readonly found: Regime[][] = []
  /** By length and the last regimes: indices. */
  readonly #byHash = new Map<number, number[]>()
  #last = 0

  indexOf({ epochs, state }: Lineage): number {
    const last = this.found[this.#last]
    if (last && isListOf(last, epochs, state)) return this.#last
    const hash = epochs.length * 2 ** 32 + (state.regime >>> 0)
    let known = this.#byHash.get(hash)
    if (!known) this.#byHash.set(hash, (known = []))
    let index = known.find((each) => isListOf(this.found[each]!, epochs, state))
    if (index === undefined) {
      const list = [state.regime]
      for (let i = epochs.length - 1; i >= 0; i--) list.push(epochs[i]!.start.regime)
      index = this.found.push(list) - 1
      known.push(index)
    }
    return (this.#last = index)
  }
}

function isListOf(list: readonly Regime[], epochs: readonly Epoch[], state: Position): boolean {
  const { length } = epochs
  if (list.length !== length + 1 || list[0] !== state.regime) return false
  for (let i = 0; i < length; i++) if (list[length - i] !== epochs[i]!.start.regime) return false
  return true
}

export function standingOf({ rosters, activations, claims, served, unclean }: CopyMeta): CopyStanding {
  return { rosters, activations, claims, served, unclean }
}

export function namespaceReport(
  copies: readonly { readonly meta: CopyMeta; readonly lineage: Lineage }[],
  hasEarlierData: boolean,
): NamespaceReport {
  const partitions = copies.length
  const standings = new Kinds<CopyStanding>()
  const regimes = new RegimeKinds()
  const [standingOfEach, regimesOf] = [new Shorts(partitions), new Shorts(partitions)]
  const sequences = new Numbers()
  for (const { meta, lineage } of copies) {
    standingOfEach.add(standings.indexOf(meta, () => standingOf(meta)))
    checkLineage(lineage)
    regimesOf.add(regimes.indexOf(lineage))
    const { epochs, state } = lineage
    sequences.add(state.sequence)
    for (let i = epochs.length - 1; i >= 0; i--) sequences.add(epochs[i]!.start.sequence)
  }
  const lineages = { regimes: regimes.found, regimesOf: regimesOf.bytes, sequences: sequences.take() }
  return {
    ...{ partitions, standings: standings.found, standingOf: standingOfEach.bytes },
    ...{ lineages, hasEarlierData },
  }
}

/** The table has one regime for the end of an epoch and the beginning of the next. */
function checkLineage({ epochs, state }: Lineage): void {
  let last: Regime | undefined
  for (const { regime, start } of epochs) {
    if (last !== undefined && start.regime !== last)
      throw new Error(`an epoch begins at ${positionText(start)}, not in ${last}`)
    last = regime
  }
  if (last !== undefined && state.regime !== last)
    throw new Error(`a copy is at ${positionText(state)}, not in ${last}`)
}

/** Hands out what a report says of each copy. */
export class ReportedCopies {
  readonly standings: readonly CopyStanding[]
  readonly #standingOf: Buffer
  readonly #table: LineageTable
  /** By partition, where its sequences begin. */
  readonly #starts: Uint32Array

  constructor({ partitions, standings, standingOf, lineages }: NamespaceReport) {
    const { regimes, regimesOf, sequences } = lineages
    this.standings = standings
    this.#standingOf = standingOf
    this.#table = lineages
    this.#starts = new Uint32Array(partitions)
    for (let partition = 0, start = 0; partition < partitions; partition++) {
      this.#starts[partition] = start
      start = countNumbers(sequences, start, regimes[shortAt(regimesOf, partition)]!.length)
    }
  }

  /** Index of `standings`. */
  standingOf(partition: number): number {
    return shortAt(this.#standingOf, partition)
  }

  stateOf(partition: number): Position {
    const { sequences } = this.#table
    const regime = this.#regimesOf(partition)[0]!
    return { regime, sequence: readNumber(sequences, { at: this.#starts[partition]! }) }
  }

  lineageOf(partition: number): Lineage {
    const { sequences } = this.#table
    const regimes = this.#regimesOf(partition)
    const from = { at: this.#starts[partition]! }
    const state = { regime: regimes[0]!, sequence: readNumber(sequences, from) }
    const epochs = new Array<Epoch>(regimes.length - 1)
    for (let i = 1; i < regimes.length; i++) {
      const start = { regime: regimes[i]!, sequence: readNumber(sequences, from) }
      epochs[regimes.length - 1 - i] = { regime: regimes[i - 1]!, start }
    }
    return { epochs, state }
  }

  #regimesOf(partition: number): readonly Regime[] {
    const { regimes, regimesOf } = this.#table
    return regimes[shortAt(regimesOf, partition)]!
  }
}
