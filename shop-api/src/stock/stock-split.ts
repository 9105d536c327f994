import type { StockDeps } from './hold-service.ts'
import { MAX_SPLITS, splitsOf, type StockLayouts } from './stock-layout.ts'
import { transferStock } from './stock-movement.ts'
import {
  freshNumbers,
  recordKeyOf,
  type StockKey,
  type StockNumber,
  type StockNumbers,
} from './stock-record.ts'
import { Turns } from './turns.ts'
import type { StockRecords } from './stock-statement.ts'

/**
 * A location whose stock record is full of holds gets twice as many records, which share its units. Each obeys the
 * rules alone; what has to hold between them is that one hold id is taken in one record only, although requests
 * learn of new splits at different times. So growing goes in three steps that anybody may repeat or finish:
 *
 *   1. the new records are made, without units;
 *   2. every old record is told the new number of splits: from then on it refuses takes that were sent to it by
 *      the old number;
 *   3. the layout says the new number.
 *
 * Who reads the new number therefore finds every hold that was taken by an older one where that number put it
 * (`homesOf`), and takes only when it is not there.
 *
 * Units follow the demand: a take that finds too few at its home gathers them from the other splits, by transfers
 * that survive a crash like any other. It takes half of what a split has where that is enough, so two customers do
 * not carry the same unit to and fro for long. What has left one split and not yet reached the other is counted by
 * the records themselves (`moving`), so nobody says "sold out" while units are on their way.
 */

const GATHER_ROUNDS = 4
/** The request that asked for a gathering is the only one that could repeat it. */
const GATHERED_KEEP_MS = 60_000
const turns = new Turns()

type GrowDeps = { readonly records: StockRecords; readonly layouts: StockLayouts }

/**
 * Doubles the records of a location, or finishes what another has begun.
 *
 * @returns false when it has as many as it can have, or too many wait for it
 */
export async function growSplits(
  deps: GrowDeps,
  sku: string,
  location: string,
  from: number,
): Promise<boolean> {
  const to = from * 2
  if (to > MAX_SPLITS) return false
  const name = `${sku}|${location}`
  const turn = await turns.take(deps.records, name, async () => {
    const present = (await deps.layouts.find(sku))?.get(location) ?? 0
    if (present < to) await grow(deps, { sku, location, from, to })
  })
  return turn !== 'full'
}

async function grow(
  { records, layouts }: GrowDeps,
  { sku, location, from, to }: { sku: string; location: string; from: number; to: number },
): Promise<void> {
  for (const key of splitsOf(sku, location, to).slice(from)) await records.create(key, freshNumbers(0, to))
  for (const key of splitsOf(sku, location, from))
    await records.apply(key, {
      conditions: [{ name: 'grows', kind: 'below', number: 'splits', value: to }],
      changes: { add: { splits: to - from } },
    })
  await layouts.grow(sku, location, to)
}

export type Gathered =
  | { readonly kind: 'enough' }
  /** In all splits together. */
  | { readonly kind: 'too-few'; readonly available: number }
  /** There may be enough, but others take it, or it is on its way. */
  | { readonly kind: 'contended' }

interface Want {
  readonly splits: number
  readonly needed: number
  /** Who asks: part of the ids of the transfers. */
  readonly reason: string
}

/** Brings units from the other splits of a location to this one until it has `needed`, where there are so many. */
export async function gather(deps: StockDeps, key: StockKey, want: Want): Promise<Gathered> {
  const keys = splitsOf(key.sku, key.location, want.splits)
  const first = judge(key, want, await deps.records.lookMany(keys))
  if (first.kind === 'enough' || first.kind === 'too-few') return first
  // One at a time, or all would carry the same units about.
  const gathered = await turns.take<Gathered>(deps.records, `${key.sku}|${key.location}`, async () => {
    for (let round = 0; round < GATHER_ROUNDS; round++) {
      const numbers = await deps.records.lookMany(keys)
      const next = judge(key, want, numbers)
      if (next.kind !== 'bring') return next
      await bring(deps, key, { keys, numbers, missing: next.missing, reason: want.reason })
    }
    return { kind: 'contended' }
  })
  return gathered === 'full' ? { kind: 'contended' } : gathered
}

function judge(
  key: StockKey,
  { needed }: Want,
  numbers: readonly (StockNumbers | undefined)[],
): Gathered | { readonly kind: 'bring'; readonly missing: number } {
  const sum = (name: StockNumber) => numbers.reduce((total, each) => total + (each?.[name] ?? 0), 0)
  const own = numbers[key.split]?.available ?? 0
  if (own >= needed) return { kind: 'enough' }
  const available = sum('available')
  if (available >= needed) return { kind: 'bring', missing: needed - own }
  return available + sum('moving') >= needed ? { kind: 'contended' } : { kind: 'too-few', available }
}

interface Donors {
  readonly keys: readonly StockKey[]
  readonly numbers: readonly (StockNumbers | undefined)[]
  readonly missing: number
  readonly reason: string
}

async function bring(deps: StockDeps, to: StockKey, donorsOf: Donors): Promise<void> {
  const { keys, numbers, missing, reason } = donorsOf
  const donors = keys
    .map((key, i) => ({ key, has: numbers[i]?.available ?? 0 }))
    .filter(({ key, has }) => key.split !== to.split && has > 0)
    .sort((a, b) => b.has - a.has)
  let left = missing
  for (const { key, has } of donors) {
    if (left <= 0) return
    const units = Math.min(has, Math.max(left, Math.ceil(has / 2)))
    const id = `${reason}:${deps.now()}`
    const outcome = await transferStock(deps, key, to, { id, quantity: units, keepMs: GATHERED_KEEP_MS })
    if (outcome.kind === 'done') left -= units
    else deps.log.warn({ record: recordKeyOf(key), outcome: outcome.kind }, 'units of a split did not come')
  }
}
