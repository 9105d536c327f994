import { setTimeout as sleep } from 'node:timers/promises'
import type { Bucket, Intent, Intents } from '../../../shop-api/src/stock/intents.ts'
import type { StockLayouts } from '../../../shop-api/src/stock/stock-layout.ts'
import {
  entryToList,
  recordKeyOf,
  type HoldEntry,
  type StockKey,
  type StockNumber,
  type StockNumbers,
  type StockRecord,
} from '../../../shop-api/src/stock/stock-record.ts'
import type {
  StockCondition,
  StockRecords,
  StockStatement,
} from '../../../shop-api/src/stock/stock-statement.ts'

interface Cell {
  numbers: Record<StockNumber, number>
  holds: Map<string, HoldEntry>
}

/**
 * The meaning of a stock statement, over maps: what the engine must do in one step, written as plainly as
 * possible. Every call waits a random moment before and after, so that requests overtake each other.
 */
export class StockModel implements StockRecords, Intents, StockLayouts {
  readonly cells = new Map<string, Cell>()
  readonly #buckets = new Map<number, Map<string, Intent>>()
  readonly #layouts = new Map<string, Map<string, number>>()
  #cursor: number | undefined
  /** Called after every change with the record as it then is. */
  onChange: (record: StockRecord) => void = () => undefined
  /** The next statements are carried out and then reported as in doubt. */
  doubtful = 0
  now: () => number = Date.now
  random: () => number = Math.random

  /** Half of the calls wait for up to so long. */
  pauseMs = 1

  async #pause(): Promise<void> {
    const dice = this.random()
    await (dice < 0.5 ? Promise.resolve() : sleep(dice * this.pauseMs))
  }

  #holds(cell: Cell, condition: StockCondition): boolean {
    switch (condition.kind) {
      case 'at-least':
        return cell.numbers[condition.number] >= condition.value
      case 'below':
        return cell.numbers[condition.number] < condition.value
      case 'entry-absent':
        return !cell.holds.has(condition.id)
      case 'entry-is': {
        const entry = cell.holds.get(condition.id)
        return entry !== undefined && String(entryToList(entry)) === String(entryToList(condition.entry))
      }
      case 'entries-below':
        return cell.holds.size < condition.value
      case 'not-after':
        return this.now() <= condition.time
    }
  }

  async apply(key: StockKey, { conditions, changes }: StockStatement) {
    await this.#pause()
    const cell = this.cells.get(recordKeyOf(key))
    if (!cell) return 'missing'
    if (!conditions.every((condition) => this.#holds(cell, condition))) return 'refused'
    for (const [name, delta] of Object.entries(changes.add ?? {})) cell.numbers[name as StockNumber] += delta
    for (const [id, entry] of changes.put ?? []) cell.holds.set(id, entry)
    for (const id of changes.remove ?? []) cell.holds.delete(id)
    this.onChange(cell)
    await this.#pause()
    if (this.doubtful > 0) {
      this.doubtful--
      throw new Error('The connection was lost')
    }
    return 'applied'
  }

  async look(key: StockKey, ids: readonly string[]) {
    await this.#pause()
    const cell = this.cells.get(recordKeyOf(key))
    if (!cell) return undefined
    const found = ids.flatMap((id) => (cell.holds.has(id) ? [[id, cell.holds.get(id)!] as const] : []))
    return { numbers: { ...cell.numbers }, holds: new Map(found), entries: cell.holds.size }
  }

  async lookMany(keys: readonly StockKey[]): Promise<(StockNumbers | undefined)[]> {
    return keys.map((key) => this.cells.get(recordKeyOf(key))?.numbers)
  }

  async readWhole(key: StockKey) {
    const cell = this.cells.get(recordKeyOf(key))
    return cell && { numbers: { ...cell.numbers }, holds: new Map(cell.holds) }
  }

  async create(key: StockKey, numbers: StockNumbers) {
    if (this.cells.has(recordKeyOf(key))) return false
    this.cells.set(recordKeyOf(key), { numbers: { ...numbers }, holds: new Map() })
    return true
  }

  // Intents and layouts.

  async add(bucket: Bucket, intent: Intent): Promise<void>
  async add(sku: string, location: string, splits: number): Promise<void>
  async add(first: Bucket | string, second: Intent | string, splits = 1): Promise<void> {
    if (typeof first === 'string') {
      const layout = this.#layouts.get(first) ?? new Map<string, number>()
      if (!layout.has(second as string)) layout.set(second as string, splits)
      this.#layouts.set(first, layout)
      return
    }
    await this.#pause()
    const bucket = this.#buckets.get(first.second) ?? new Map<string, Intent>()
    bucket.set((second as Intent).holdId, second as Intent)
    this.#buckets.set(first.second, bucket)
  }

  async read(second: number) {
    return [...(this.#buckets.get(second)?.values() ?? [])]
  }

  async remove(second: number) {
    this.#buckets.delete(second)
  }

  async cursor() {
    return this.#cursor
  }

  async setCursor(second: number) {
    this.#cursor = second
  }

  async find(sku: string) {
    return this.#layouts.get(sku)
  }

  async grow(sku: string, location: string, splits: number) {
    const layout = this.#layouts.get(sku)
    if (layout?.has(location)) layout.set(location, Math.max(splits, layout.get(location)!))
  }

  async findMany(skus: readonly string[]) {
    return new Map(
      skus.flatMap((sku) => (this.#layouts.has(sku) ? [[sku, this.#layouts.get(sku)!] as const] : [])),
    )
  }
}
