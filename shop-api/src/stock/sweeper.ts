import { startRounds } from '../rounds.ts'
import { changeHold, type StockDeps } from './hold-service.ts'
import { decideExpire } from './hold-change.ts'
import { BUCKET_MS, type Intent } from './intents.ts'
import { pruneEndedBefore } from './prune.ts'
import { recordKeyOf, type StockKey } from './stock-record.ts'
import { finishTransfer } from './stock-movement.ts'

/** A second is walked so long after its end, for clocks that differ. */
export const GRACE_MS = 1000
const LOOK_BATCH = 500

/** Ends the holds of one record that are due; most have ended by themselves, and one read tells. */
async function expire(deps: StockDeps, key: StockKey, ids: readonly string[]): Promise<number | undefined> {
  const record = await deps.records.look(key, ids)
  let released = 0
  for (const [holdId, seen] of record?.holds ?? []) {
    if (decideExpire(seen, deps.now()).kind === 'answer') continue
    const outcome = await changeHold(deps, key, holdId, (entry) => decideExpire(entry, deps.now()))
    if (outcome === undefined) return undefined
    if (outcome === 'expired') released++
  }
  return released
}

/** One second: its transfers arrive, its holds end, and the records it touched forget what is old. */
async function sweepSecond(deps: StockDeps, second: number, intents: readonly Intent[]) {
  const touched = new Map<string, { readonly key: StockKey; readonly ids: string[] }>()
  const touch = ({ sku, location, split }: StockKey) => {
    const name = recordKeyOf({ sku, location, split })
    const record = touched.get(name) ?? { key: { sku, location, split }, ids: [] }
    touched.set(name, record)
    return record.ids
  }
  for (const intent of intents)
    if (intent.to) {
      await finishTransfer(deps, intent, intent.to)
      touch(intent)
      touch(intent.to)
    } else touch(intent).push(intent.holdId)
  let released = 0
  for (const { key, ids } of touched.values())
    for (let start = 0; start < ids.length; start += LOOK_BATCH) {
      const some = await expire(deps, key, ids.slice(start, start + LOOK_BATCH))
      if (some === undefined) return undefined
      released += some
    }
  const upTo = Math.min(deps.now(), second * BUCKET_MS)
  for (const { key } of touched.values()) await pruneEndedBefore(deps, key, upTo)
  await deps.intents.remove(second)
  return released
}

/**
 * Deals with every second that is due, the oldest first. The cursor moves on after a second with intents is done,
 * so a crash repeats at most one of those, which changes nothing.
 *
 * @returns how many holds were released
 */
export async function sweep(deps: StockDeps): Promise<number> {
  const due = Math.floor((deps.now() - GRACE_MS) / BUCKET_MS)
  let released = 0
  const first = (await deps.intents.cursor()) ?? due
  for (let second = first; second <= due; second++) {
    const intents = await deps.intents.read(second)
    if (intents.length > 0) {
      const ended = await sweepSecond(deps, second, intents)
      if (ended === undefined) return released
      released += ended
    }
    if (intents.length > 0 || second === due) await deps.intents.setCursor(second + 1)
  }
  return released
}

/** Sweeps again and again until it is stopped; the returned function waits for the round that runs. */
export function startSweeper(deps: StockDeps, intervalMs: number): () => Promise<void> {
  return startRounds(
    () => sweep(deps),
    intervalMs,
    (error) => deps.log.warn({ error: String(error) }, 'the sweeper tries again'),
  )
}
