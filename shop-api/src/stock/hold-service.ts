import type { HeldStock, HoldOutcome, HoldRequest } from '../carts/stock-port.ts'
import type { OrderHold, PinPort } from '../checkout/checkout-ports.ts'
import {
  decidePin,
  decideRelease,
  decideSell,
  decideUndo,
  holdStatement,
  takeStatement,
  type HoldDecision,
  type Take,
} from './hold-change.ts'
import { bucketOf, type Intents } from './intents.ts'
import { homeOf, type StockLayout, type StockLayouts } from './stock-layout.ts'
import { HoldState, isLive, MAX_LIVE_HOLDS, type HoldEntry, type StockKey } from './stock-record.ts'
import type { StockRecords, StockStatement } from './stock-statement.ts'

export interface StockDeps {
  readonly records: StockRecords
  readonly intents: Intents
  readonly layouts: StockLayouts
  readonly now: () => number
  readonly holdMs?: number
  readonly log: { warn(details: object, message: string): void }
  /** For tests that take a condition out of the take and see what breaks. */
  readonly rewriteTake?: (statement: StockStatement) => StockStatement
}

export const HOLD_MS = 15 * 60_000
/** A take that reaches the engine later than this after it was asked for does nothing. */
export const TAKE_WINDOW_MS = 10_000
/** What a declined payment leaves a customer to try another. */
export const KEEP_MS = 5 * 60_000
const ATTEMPTS = 8
const RETRY_AFTER_SECONDS = 1

const unsettled: HoldOutcome = { kind: 'unsettled', retryAfterSeconds: RETRY_AFTER_SECONDS }

function firstAnswer(request: HoldRequest, location: string, entry: HoldEntry): HoldOutcome {
  if (!isLive(entry)) return { kind: 'ended' }
  const { holdId } = request
  return { kind: 'held', hold: { holdId, location, quantity: entry.quantity, deadline: entry.deadline } }
}

/**
 * Takes at one record until there is an answer. In doubt it asks the same record again: whether the first try
 * arrived or not, the second finds out, because an id is taken once.
 */
async function takeAt(deps: StockDeps, key: StockKey, request: HoldRequest): Promise<HoldOutcome> {
  const start = deps.now()
  const deadline = start + (deps.holdMs ?? HOLD_MS)
  const takeBy = Math.min(deadline, start + TAKE_WINDOW_MS)
  const { holdId, quantity, replaces } = request
  await deps.intents.add(bucketOf(holdId, deadline), { ...key, holdId, deadline })
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const seen = await deps.records.look(key, replaces ? [holdId, replaces.holdId] : [holdId])
    if (!seen) return { kind: 'sold-out', available: 0 }
    const known = seen.holds.get(holdId)
    if (known) return firstAnswer(request, key.location, known)
    const old = replaces && seen.holds.get(replaces.holdId)
    const freed = old?.state === HoldState.held ? { holdId: replaces!.holdId, entry: old } : undefined
    if (seen.numbers.available + (freed?.entry.quantity ?? 0) < quantity)
      return { kind: 'sold-out', available: seen.numbers.available }
    if (seen.numbers.live >= MAX_LIVE_HOLDS || deps.now() > takeBy) return unsettled
    const take: Take = { holdId, quantity, deadline, takeBy, replaces: freed }
    const statement = takeStatement(take, deps.now())
    try {
      if ((await deps.records.apply(key, deps.rewriteTake?.(statement) ?? statement)) === 'applied')
        return { kind: 'held', hold: { holdId, location: key.location, quantity, deadline } }
    } catch (error) {
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

export async function takeHold(deps: StockDeps, request: HoldRequest): Promise<HoldOutcome> {
  try {
    const layout = await deps.layouts.find(request.sku)
    if (!layout) return { kind: 'sold-out', available: 0 }
    const homes = orderOf(layout, request.replaces?.location).map(([location, splits]) =>
      homeOf(request.sku, location, splits, request.holdId),
    )
    // A repeated call must not take at another location because the first one was sold out then and is not now.
    if (homes.length > 1)
      for (const home of homes) {
        const entry = (await deps.records.look(home, [request.holdId]))?.holds.get(request.holdId)
        if (entry) return firstAnswer(request, home.location, entry)
      }
    let available = 0
    for (const home of homes) {
      const outcome = await takeAt(deps, home, request)
      if (outcome.kind !== 'sold-out') return outcome
      available = Math.max(available, outcome.available)
    }
    return { kind: 'sold-out', available }
  } catch (error) {
    deps.log.warn({ sku: request.sku, error: String(error) }, 'stock cannot be asked')
    return unsettled
  }
}

/** Reads a hold, decides, and makes the change if it is still as read; undefined when it stays in doubt. */
export async function changeHold<Answer>(
  deps: StockDeps,
  key: StockKey,
  holdId: string,
  decide: (entry: HoldEntry | undefined) => HoldDecision<Answer>,
): Promise<Answer | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const entry = (await deps.records.look(key, [holdId]))?.holds.get(holdId)
      const decision = decide(entry)
      if (decision.kind === 'answer') return decision.answer
      const outcome = await deps.records.apply(key, holdStatement(holdId, entry!, decision.to))
      if (outcome === 'applied') return decision.answer
    } catch (error) {
      deps.log.warn({ ...key, holdId, error: String(error) }, 'a change of a hold is in doubt')
    }
  }
  return undefined
}

async function homeOfHold(deps: StockDeps, sku: string, location: string, holdId: string): Promise<StockKey> {
  const splits = (await deps.layouts.find(sku))?.get(location) ?? 1
  return homeOf(sku, location, splits, holdId)
}

export async function releaseHold(deps: StockDeps, sku: string, hold: HeldStock): Promise<void> {
  const key = await homeOfHold(deps, sku, hold.location, hold.holdId)
  // In doubt, the deadline gives the units back.
  await changeHold(deps, key, hold.holdId, (entry) => decideRelease(entry, deps.now()))
}

/** What checkout does with holds. */
export function pinPort(deps: StockDeps): PinPort {
  const change = async <Answer>(
    { sku, location, holdId }: OrderHold,
    decide: (entry: HoldEntry | undefined) => HoldDecision<Answer>,
  ): Promise<Answer | 'unsettled'> => {
    try {
      const key = await homeOfHold(deps, sku, location, holdId)
      return (await changeHold(deps, key, holdId, decide)) ?? 'unsettled'
    } catch {
      return 'unsettled'
    }
  }
  return {
    pin: (hold, order) => change(hold, (entry) => decidePin(entry, order)),
    sell: (hold, order) => change(hold, (entry) => decideSell(entry, order, deps.now())),
    undo: async (hold, order, keep) => {
      const keepUntil = keep ? deps.now() + KEEP_MS : undefined
      try {
        // The hold may get a later deadline, so its intent comes first; one that is not needed does nothing.
        if (keepUntil !== undefined) {
          const key = await homeOfHold(deps, hold.sku, hold.location, hold.holdId)
          const entry = (await deps.records.look(key, [hold.holdId]))?.holds.get(hold.holdId)
          const deadline = Math.max(keepUntil, entry?.deadline ?? 0)
          await deps.intents.add(bucketOf(hold.holdId, deadline), { ...key, holdId: hold.holdId, deadline })
        }
      } catch {
        return 'unsettled'
      }
      return change(hold, (entry) => decideUndo(entry, order, deps.now(), keepUntil))
    },
  }
}
