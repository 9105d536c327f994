import type { HeldStock } from '../carts/stock-port.ts'
import type { OrderHold, PinPort } from '../checkout/checkout-ports.ts'
import {
  decidePin,
  decideRelease,
  decideSell,
  decideUndo,
  holdStatement,
  type HoldDecision,
} from './hold-change.ts'
import { bucketOf, type Intents } from './intents.ts'
import { homesOf, type StockLayouts } from './stock-layout.ts'
import type { HoldEntry, StockKey } from './stock-record.ts'
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

/** What a declined payment leaves a customer to try another. */
const KEEP_MS = 5 * 60_000
const ATTEMPTS = 8

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

/** The record a hold lies in; where it lies in none, the one it would go to. */
async function recordOfHold(
  deps: StockDeps,
  sku: string,
  location: string,
  holdId: string,
): Promise<StockKey> {
  const splits = (await deps.layouts.find(sku))?.get(location) ?? 1
  const homes = homesOf(sku, location, splits, holdId)
  if (homes.length === 1) return homes[0]!
  const sights = await Promise.all(homes.map((key) => deps.records.look(key, [holdId])))
  return homes.find((_, i) => sights[i]?.holds.has(holdId)) ?? homes[0]!
}

export async function releaseHold(deps: StockDeps, sku: string, hold: HeldStock): Promise<void> {
  const key = await recordOfHold(deps, sku, hold.location, hold.holdId)
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
      const key = await recordOfHold(deps, sku, location, holdId)
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
          const key = await recordOfHold(deps, hold.sku, hold.location, hold.holdId)
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
