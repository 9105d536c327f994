import type { StockDeps } from './hold-service.ts'
import { BUCKET_MS } from './intents.ts'
import { HoldState, isLive, type HoldEntry, type StockKey } from './stock-record.ts'

/** Ended holds stay longer than a take can be delayed (TAKE_WINDOW_MS), with room for clocks that differ. */
const ENDED_KEEP_MS = 60_000
const PRUNE_BATCH = 1000

/**
 * Removes entries that ended long before `upTo`. They can never change again, so nothing has to be compared.
 *
 * @param upTo at most the second that the sweeper has reached: an intent of a later one may still want its entry
 * @returns how many were removed
 */
export async function pruneEndedBefore(deps: StockDeps, key: StockKey, upTo: number): Promise<number> {
  const record = await deps.records.readWhole(key)
  if (!record) return 0
  const isOld = (entry: HoldEntry) =>
    entry.state === HoldState.moved ? entry.deadline < upTo : entry.endedAt < upTo - ENDED_KEEP_MS
  const old = [...record.holds]
    .filter(([, entry]) => !isLive(entry) && isOld(entry))
    .slice(0, PRUNE_BATCH)
    .map(([id]) => id)
  if (old.length > 0) await deps.records.apply(key, { conditions: [], changes: { remove: old } })
  return old.length
}

/** For a record that is full of ended entries before the sweeper comes to it. */
export async function pruneEnded(deps: StockDeps, key: StockKey): Promise<number> {
  const swept = ((await deps.intents.cursor()) ?? 0) * BUCKET_MS
  return pruneEndedBefore(deps, key, Math.min(deps.now(), swept))
}
