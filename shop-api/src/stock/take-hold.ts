import type { HoldOutcome, HoldRequest } from '../carts/stock-port.ts'
import { takeStatement } from './hold-change.ts'
import type { StockDeps } from './hold-service.ts'
import { bucketOf } from './intents.ts'
import { pruneEnded } from './prune.ts'
import { homesOf, type StockLayout } from './stock-layout.ts'
import {
  HoldState,
  isLive,
  MAX_ENTRIES,
  MAX_LIVE_HOLDS,
  type HoldEntry,
  type StockKey,
  type StockSight,
} from './stock-record.ts'
import { gather, growSplits } from './stock-split.ts'

/**
 * Takes units of a SKU for a hold id, once, wherever they lie.
 *
 * A hold id is taken in one record of a location. Which one follows from what every copy of a request sees: where
 * the id is known, it is there; where the hold to be replaced is live, it is there too, and the take demands that
 * it still is; otherwise the id's home. Who finds that one of these has changed looks again from the start.
 */

export const HOLD_MS = 15 * 60_000
/** A take that reaches the engine later than this after it was asked for does nothing. */
export const TAKE_WINDOW_MS = 10_000
const ATTEMPTS = 8
const RETRY_AFTER_SECONDS = 1

const unsettled: HoldOutcome = { kind: 'unsettled', retryAfterSeconds: RETRY_AFTER_SECONDS }

function firstAnswer(request: HoldRequest, location: string, entry: HoldEntry): HoldOutcome {
  if (!isLive(entry)) return { kind: 'ended' }
  const { holdId } = request
  return { kind: 'held', hold: { holdId, location, quantity: entry.quantity, deadline: entry.deadline } }
}

type TakeOutcome =
  | HoldOutcome
  /** The location needs more records, or someone is about to give it more. */
  | { readonly kind: 'full' }
  /** What made this record the right one is no longer so, and never will be again. */
  | { readonly kind: 'moved' }

/** Where a take goes: the record, and how many splits its location had when it was chosen. */
interface Place {
  readonly key: StockKey
  readonly splits: number
  /** The record was chosen because the hold to be replaced lies in it. */
  readonly isForReplaced: boolean
}

interface Freed {
  readonly holdId: string
  readonly entry: HoldEntry
}

function freedBy({ replaces }: HoldRequest, { holds }: StockSight): Freed | undefined {
  const entry = replaces && holds.get(replaces.holdId)
  return entry?.state === HoldState.held ? { holdId: replaces!.holdId, entry } : undefined
}

/** Why a take cannot be made at this record as it was seen; undefined when it can. */
async function obstacle(
  deps: StockDeps,
  { key, splits, isForReplaced }: Place,
  request: HoldRequest,
  seen: StockSight,
): Promise<TakeOutcome | undefined> {
  const freed = freedBy(request, seen)
  // One that is pinned may come back, so no other record may be tried.
  if (isForReplaced && !freed) return isLiveIn(seen, request.replaces) ? unsettled : { kind: 'moved' }
  if (seen.numbers.splits > splits) return { kind: 'full' }
  const needed = request.quantity - (freed?.entry.quantity ?? 0)
  if (seen.numbers.available < needed) {
    if (splits === 1) return { kind: 'sold-out', available: seen.numbers.available }
    const gathered = await gather(deps, key, { splits, needed, reason: request.holdId })
    if (gathered.kind === 'too-few') {
      // Unless it was this very hold, in a copy of the request, that took them since.
      const known = (await deps.records.look(key, [request.holdId]))?.holds.get(request.holdId)
      if (known) return firstAnswer(request, key.location, known)
      return { kind: 'sold-out', available: gathered.available }
    }
    if (gathered.kind === 'contended') return unsettled
  }
  if (!freed && seen.numbers.live >= MAX_LIVE_HOLDS) return { kind: 'full' }
  if (seen.entries >= MAX_ENTRIES && (await pruneEnded(deps, key)) === 0) return { kind: 'full' }
  return undefined
}

function isLiveIn({ holds }: StockSight, hold: { readonly holdId: string } | undefined): boolean {
  const entry = hold && holds.get(hold.holdId)
  return entry !== undefined && isLive(entry)
}

/**
 * Takes at one record until there is an answer. In doubt it asks the same record again: whether the first try
 * arrived or not, the second finds out, because an id is taken once.
 */
async function takeAt(deps: StockDeps, place: Place, request: HoldRequest): Promise<TakeOutcome> {
  const { key, splits } = place
  const { holdId, quantity, replaces } = request
  const start = deps.now()
  const deadline = start + (deps.holdMs ?? HOLD_MS)
  const takeBy = Math.min(deadline, start + TAKE_WINDOW_MS)
  let hasIntent = false
  let isInDoubt = false
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const seen = await deps.records.look(key, replaces ? [holdId, replaces.holdId] : [holdId])
    if (!seen) return { kind: 'sold-out', available: 0 }
    const known = seen.holds.get(holdId)
    if (known) return firstAnswer(request, key.location, known)
    const hindered = await obstacle(deps, place, request, seen)
    // A take that is still under way may yet find units that come back: no other record may be tried before. But
    // one that came to a record which has moved on is refused for ever.
    if (hindered) return isInDoubt && hindered.kind !== 'moved' ? unsettled : hindered
    if (deps.now() > takeBy) return unsettled
    // Who is turned away leaves no trace: only a take that is about to be sent needs its deadline kept.
    if (!hasIntent) await deps.intents.add(bucketOf(holdId, deadline), { ...key, holdId, deadline })
    hasIntent = true
    const freed = freedBy(request, seen)
    const statement = takeStatement(
      { holdId, quantity, deadline, takeBy, splits, replaces: freed },
      deps.now(),
    )
    try {
      if ((await deps.records.apply(key, deps.rewriteTake?.(statement) ?? statement)) === 'applied')
        return { kind: 'held', hold: { holdId, location: key.location, quantity, deadline } }
    } catch (error) {
      isInDoubt = true
      deps.log.warn({ ...key, holdId, error: String(error) }, 'a take is in doubt')
    }
  }
  return unsettled
}

/** Locations in the order in which they are tried: the one of the hold that is replaced comes first. */
function orderOf(layout: StockLayout, first: string | undefined): [string, number][] {
  const all = [...layout]
  return first === undefined ? all : all.sort(([a], [b]) => Number(b === first) - Number(a === first))
}

type Places =
  | { readonly kind: 'known'; readonly outcome: HoldOutcome }
  | { readonly kind: 'places'; readonly places: readonly Place[] }

/** The record of each location that may take; or the first answer, where an earlier call has taken. */
async function placesOf(deps: StockDeps, request: HoldRequest, layout: StockLayout): Promise<Places> {
  const { sku, holdId, replaces } = request
  const places: Place[] = []
  for (const [location, splits] of orderOf(layout, replaces?.location)) {
    const homes = homesOf(sku, location, splits, holdId)
    const home: Place = { key: homes[0]!, splits, isForReplaced: false }
    let place = home
    // A repeated call must not take at another record because the first one was sold out then and is not now.
    if (layout.size > 1 || homes.length > 1) {
      const ids = replaces ? [holdId, replaces.holdId] : [holdId]
      const sights = await Promise.all(homes.map((key) => deps.records.look(key, ids)))
      for (const [i, key] of homes.entries()) {
        const seen = sights[i]
        const known = seen?.holds.get(holdId)
        if (known) return { kind: 'known', outcome: firstAnswer(request, location, known) }
        if (seen && i > 0 && isLiveIn(seen, replaces)) place = { key, splits, isForReplaced: true }
      }
    }
    places.push(place)
  }
  return { kind: 'places', places }
}

export async function takeHold(deps: StockDeps, request: HoldRequest): Promise<HoldOutcome> {
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const layout = await deps.layouts.find(request.sku)
      if (!layout) return { kind: 'sold-out', available: 0 }
      const found = await placesOf(deps, request, layout)
      if (found.kind === 'known') return found.outcome
      const outcome = await takeInOrder(deps, found.places, request)
      if (outcome !== 'look-again') return outcome
    }
    return unsettled
  } catch (error) {
    deps.log.warn({ sku: request.sku, error: String(error) }, 'stock cannot be asked')
    return unsettled
  }
}

async function takeInOrder(
  deps: StockDeps,
  places: readonly Place[],
  request: HoldRequest,
): Promise<HoldOutcome | 'look-again'> {
  let available = 0
  for (const place of places) {
    const outcome = await takeAt(deps, place, request)
    if (outcome.kind === 'moved') return 'look-again'
    if (outcome.kind === 'full') {
      const { sku, location } = place.key
      return (await growSplits(deps, sku, location, place.splits)) ? 'look-again' : unsettled
    }
    if (outcome.kind !== 'sold-out') return outcome
    available = Math.max(available, outcome.available)
  }
  return { kind: 'sold-out', available }
}
