import { HoldState, isLive, MAX_ENTRIES, MAX_LIVE_HOLDS, type HoldEntry } from './stock-record.ts'
import type { StockStatement } from './stock-statement.ts'

/**
 * The statements that make, pin and end holds. A take decides by what is available and whether its id was ever
 * seen. Every later change is a compare-and-set on the hold's own entry: it is made only while the entry is the
 * one that was read, so two who change one hold cannot both succeed, and others on the record do not matter.
 */

export interface Take {
  readonly holdId: string
  readonly quantity: number
  readonly deadline: number
  /** From then on, by the engine's clock, the request is too old to have an effect. */
  readonly takeBy: number
  /** How many splits the location had when this record was chosen. */
  readonly splits: number
  /** A hold of the same record whose units this one takes over. */
  readonly replaces?: { readonly holdId: string; readonly entry: HoldEntry } | undefined
}

export function takeStatement(
  { holdId, quantity, deadline, takeBy, splits, replaces }: Take,
  now: number,
): StockStatement {
  const freed = replaces?.entry.quantity ?? 0
  const fresh: HoldEntry = { state: HoldState.held, quantity, deadline, order: 0, endedAt: 0 }
  const old = replaces && ([replaces.holdId, ended(replaces.entry, HoldState.released, now)] as const)
  return {
    conditions: [
      { name: 'enough', kind: 'at-least', number: 'available', value: quantity - freed },
      { name: 'never-seen', kind: 'entry-absent', id: holdId },
      { name: 'in-time', kind: 'not-after', time: takeBy },
      { name: 'room', kind: 'below', number: 'live', value: MAX_LIVE_HOLDS },
      { name: 'kept', kind: 'entries-below', value: MAX_ENTRIES },
      { name: 'chosen-well', kind: 'below', number: 'splits', value: splits + 1 },
      ...(replaces
        ? [{ name: 'replaced', kind: 'entry-is', id: replaces.holdId, entry: replaces.entry } as const]
        : []),
    ],
    changes: {
      add: { available: freed - quantity, held: quantity - freed, live: replaces ? 0 : 1 },
      put: [...(old ? [old] : []), [holdId, fresh]],
    },
  }
}

/** Moves a hold from the entry that was read to another, with what that means for the numbers. */
export function holdStatement(holdId: string, from: HoldEntry, to: HoldEntry): StockStatement {
  const ends = isLive(from) && !isLive(to)
  const add = !ends
    ? {}
    : to.state === HoldState.sold
      ? { held: -from.quantity, onHand: -from.quantity, sold: from.quantity, live: -1 }
      : { held: -from.quantity, available: from.quantity, live: -1 }
  return {
    conditions: [
      { name: 'unchanged', kind: 'entry-is', id: holdId, entry: from },
      // A hold given back too late would lie behind the sweeper and never end.
      ...(to.state === HoldState.held
        ? [{ name: 'in-time', kind: 'not-after', time: to.deadline } as const]
        : []),
    ],
    changes: { add, put: [[holdId, to]] },
  }
}

export function ended(entry: HoldEntry, state: HoldState, now: number): HoldEntry {
  return { ...entry, state, endedAt: now }
}

/** What to do about a hold as it was read: a change to make, or the answer. */
export type HoldDecision<Answer> =
  | { readonly kind: 'change'; readonly to: HoldEntry; readonly answer: Answer }
  | { readonly kind: 'answer'; readonly answer: Answer }

const answer = <Answer>(value: Answer) => ({ kind: 'answer', answer: value }) as const

/** held → committing, for an order that has not had this hold before. */
export function decidePin(entry: HoldEntry | undefined, order: number): HoldDecision<'pinned' | 'ended'> {
  if (entry?.state === HoldState.committing && entry.order === order) return answer('pinned')
  if (entry?.state !== HoldState.held || entry.order >= order) return answer('ended')
  return { kind: 'change', to: { ...entry, state: HoldState.committing, order }, answer: 'pinned' }
}

/** committing → sold, for the order that pinned it. */
export function decideSell(
  entry: HoldEntry | undefined,
  order: number,
  now: number,
): HoldDecision<'sold' | 'lost'> {
  if (entry?.order !== order) return answer('lost')
  if (entry.state === HoldState.sold) return answer('sold')
  if (entry.state !== HoldState.committing) return answer('lost')
  return { kind: 'change', to: ended(entry, HoldState.sold, now), answer: 'sold' }
}

/**
 * Gives up an order's claim for ever: the entry keeps the order's number, so that its late pin is refused.
 *
 * @param keepUntil a deadline gives the hold back to its cart, undefined releases the units
 */
export function decideUndo(
  entry: HoldEntry | undefined,
  order: number,
  now: number,
  keepUntil: number | undefined,
): HoldDecision<'undone'> {
  const isOurs = entry?.state === HoldState.committing && entry.order === order
  const isFree = entry?.state === HoldState.held && entry.order < order
  if (!entry || (!isOurs && !isFree)) return answer('undone')
  const given =
    keepUntil === undefined
      ? ended(entry, HoldState.released, now)
      : { ...entry, state: HoldState.held, deadline: Math.max(entry.deadline, keepUntil) }
  return { kind: 'change', to: { ...given, order }, answer: 'undone' }
}

/** held → released, by the cart. A pinned hold belongs to its order. */
export function decideRelease(entry: HoldEntry | undefined, now: number): HoldDecision<'released'> {
  if (entry?.state !== HoldState.held) return answer('released')
  return { kind: 'change', to: ended(entry, HoldState.released, now), answer: 'released' }
}

/** held → released, when the deadline has passed. A hold that was given a later one has an intent of its own. */
export function decideExpire(entry: HoldEntry | undefined, now: number): HoldDecision<'expired' | 'kept'> {
  if (entry?.state !== HoldState.held || entry.deadline > now) return answer('kept')
  return { kind: 'change', to: ended(entry, HoldState.released, now), answer: 'expired' }
}
