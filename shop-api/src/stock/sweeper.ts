import { changeHold, type StockDeps } from './hold-service.ts'
import { decideExpire } from './hold-change.ts'
import { BUCKET_MS } from './intents.ts'
import { HoldState, isLive, type StockKey } from './stock-record.ts'
import { finishTransfer } from './stock-movement.ts'

/** Ended holds stay longer than a take can be delayed (TAKE_WINDOW_MS), with room for clocks that differ. */
export const ENDED_KEEP_MS = 60_000
/** Receipts, adjustments and transfers are repeated by people and by recovery. */
export const MOVED_KEEP_MS = 24 * 3_600_000
/** A second is walked so long after its end, for clocks that differ. */
export const GRACE_MS = 1000
const PRUNE_BATCH = 1000

/** Removes entries that ended long ago. They can never change again, so nothing has to be compared. */
export async function pruneEnded(deps: StockDeps, key: StockKey): Promise<number> {
  const record = await deps.records.readWhole(key)
  if (!record) return 0
  const before = deps.now() - ENDED_KEEP_MS
  const longBefore = deps.now() - MOVED_KEEP_MS
  const old = [...record.holds]
    .filter(
      ([, entry]) =>
        !isLive(entry) && entry.endedAt < (entry.state === HoldState.moved ? longBefore : before),
    )
    .slice(0, PRUNE_BATCH)
    .map(([id]) => id)
  if (old.length > 0) await deps.records.apply(key, { conditions: [], changes: { remove: old } })
  return old.length
}

/**
 * Deals with every second that is due, the oldest first. The cursor moves on after a second is done, so a crash
 * repeats at most one, which changes nothing.
 *
 * @returns how many holds were released
 */
export async function sweep(deps: StockDeps): Promise<number> {
  const due = Math.floor((deps.now() - GRACE_MS) / BUCKET_MS)
  let released = 0
  const cursor = await deps.intents.cursor()
  if (cursor === undefined) await deps.intents.setCursor(due)
  for (let second = cursor ?? due; second <= due; second++) {
    const touched = new Map<string, StockKey>()
    for (const intent of await deps.intents.read(second)) {
      const { sku, location, split, holdId } = intent
      const key = { sku, location, split }
      touched.set(`${sku}|${location}|${split}`, key)
      if (intent.to) {
        await finishTransfer(deps, intent, intent.to)
        continue
      }
      const outcome = await changeHold(deps, key, holdId, (entry) => decideExpire(entry, deps.now()))
      if (outcome === undefined) return released
      if (outcome === 'expired') released++
    }
    for (const key of touched.values()) await pruneEnded(deps, key)
    await deps.intents.remove(second)
    await deps.intents.setCursor(second + 1)
  }
  return released
}

/** Sweeps again and again until it is stopped; the returned function waits for the round that runs. */
export function startSweeper(deps: StockDeps, intervalMs: number): () => Promise<void> {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let round: Promise<unknown> = Promise.resolve()
  const next = () => {
    if (stopped) return
    round = sweep(deps)
      .catch((error: unknown) => {
        deps.log.warn({ error: String(error) }, 'the sweeper tries again')
      })
      .then(() => {
        if (!stopped) timer = setTimeout(next, intervalMs)
      })
  }
  next()
  return async () => {
    stopped = true
    clearTimeout(timer)
    await round
  }
}
