import { exp, map, op, type Client, type Expression, type Key } from '@larder/engine'
import { hasReason } from '../records.ts'
import { BUCKET_SHARDS, type Bucket, type Intent, type Intents } from './intents.ts'
import type { StockLayout, StockLayouts } from './stock-layout.ts'
import {
  entryFromList,
  entryToList,
  recordKeyOf,
  stockNumbers,
  type HoldEntry,
  type StockKey,
  type StockNumbers,
  type StockRecord,
  type StockSight,
} from './stock-record.ts'
import type { StockCondition, StockRecords, StockStatement } from './stock-statement.ts'

/**
 * Stock in the engine's namespace `stock`: a statement becomes one `operate`, its conditions the filter. A filter
 * on a record that is missing lets a write through, so every write is update-only; and the records never expire.
 */

export type StockClient = Pick<Client, 'get' | 'getMany' | 'put' | 'remove' | 'operate'>

const FOREVER = { ttl: 'never' } as const
const UPDATE = { ...FOREVER, exists: 'update' } as const
const HOLDS = 'holds'
const NANOSECONDS = 1_000_000

const keyIn = (set: string, key: string): Key => ({ namespace: 'stock', set, key })
const stockKey = (key: StockKey) => keyIn('stock', recordKeyOf(key))

/** A map of the client: a plain object where all keys are strings, else a Map. */
function pairsOf(value: unknown): [string, unknown][] {
  if (value instanceof Map)
    return [...(value as Map<unknown, unknown>)].map(([key, member]) => [String(key), member])
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

function holdsOf(value: unknown): Map<string, HoldEntry> {
  return new Map(pairsOf(value).map(([id, list]) => [id, entryFromList(list as unknown[])]))
}

function numbersOf(valueOf: (name: string, position: number) => unknown): StockNumbers {
  return Object.fromEntries(
    stockNumbers.map((name, position) => [name, Number(valueOf(name, position) ?? 0)]),
  ) as unknown as StockNumbers
}

export class EngineStockRecords implements StockRecords {
  readonly #client: StockClient

  constructor(client: StockClient) {
    this.#client = client
  }

  #condition(condition: StockCondition): Expression {
    switch (condition.kind) {
      case 'at-least':
        return exp.ge(exp.intBin(condition.number), exp.int(condition.value))
      case 'below':
        return exp.lt(exp.intBin(condition.number), exp.int(condition.value))
      case 'entry-absent':
        return exp.eq(exp.mapCountKey(HOLDS, condition.id), exp.int(0))
      case 'entry-is':
        return exp.eq(exp.mapGetList(HOLDS, condition.id), exp.list(entryToList(condition.entry)))
      case 'entries-below':
        return exp.lt(exp.mapSize(HOLDS), exp.int(condition.value))
      case 'not-after': {
        const updated = exp.div(exp.lastUpdate(), exp.int(NANOSECONDS))
        return exp.le(exp.add(updated, exp.sinceUpdate()), exp.int(condition.time))
      }
    }
  }

  #filter(conditions: readonly StockCondition[]): Expression | undefined {
    const all = conditions.map((condition) => this.#condition(condition))
    return all.length > 1 ? exp.and(...all) : all[0]
  }

  async apply(key: StockKey, { conditions, changes }: StockStatement) {
    const ops = Object.entries(changes.add ?? {})
      .filter(([, delta]) => delta !== 0)
      .map(([bin, delta]) => op.add(bin, delta))
    for (const [id, entry] of changes.put ?? []) ops.push(map.put(HOLDS, id, entryToList(entry)))
    if (changes.remove?.length) ops.push(map.removeByKeys(HOLDS, changes.remove))
    const filter = this.#filter(conditions)
    try {
      await this.#client.operate(stockKey(key), ops, {
        ...UPDATE,
        ...(filter === undefined ? {} : { filter }),
      })
      return 'applied'
    } catch (error) {
      if (hasReason(error, 'FILTERED_OUT')) return 'refused'
      if (hasReason(error, 'NOT_FOUND')) return 'missing'
      throw error
    }
  }

  async look(key: StockKey, ids: readonly string[]): Promise<StockSight | undefined> {
    try {
      const ops = [...stockNumbers.map((name) => op.read(name)), map.getByKeys(HOLDS, ids), map.size(HOLDS)]
      const { results } = await this.#client.operate(stockKey(key), ops, {})
      const numbers = numbersOf((_name, position) => results[position])
      const [holds, entries] = results.slice(stockNumbers.length)
      return { numbers, holds: holdsOf(holds), entries: Number(entries) }
    } catch (error) {
      if (hasReason(error, 'NOT_FOUND')) return undefined
      throw error
    }
  }

  async lookMany(keys: readonly StockKey[]): Promise<(StockNumbers | undefined)[]> {
    const found = await this.#client.getMany(keys.map(stockKey), { bins: [...stockNumbers] })
    return found.map((record) => record && numbersOf((name) => record.bins[name]))
  }

  async readWhole(key: StockKey): Promise<StockRecord | undefined> {
    const record = await this.#client.get(stockKey(key))
    return record && { numbers: numbersOf((name) => record.bins[name]), holds: holdsOf(record.bins[HOLDS]) }
  }

  async create(key: StockKey, numbers: StockNumbers): Promise<boolean> {
    try {
      await this.#client.put(stockKey(key), { ...numbers, [HOLDS]: {} }, { ...FOREVER, exists: 'create' })
      return true
    } catch (error) {
      if (hasReason(error, 'RECORD_EXISTS')) return false
      throw error
    }
  }
}

export class EngineIntents implements Intents {
  readonly #client: StockClient
  readonly #cursorKey = keyIn('sweeper', 'cursor')

  constructor(client: StockClient) {
    this.#client = client
  }

  #shards(second: number): Key[] {
    return Array.from({ length: BUCKET_SHARDS }, (_, shard) => keyIn('intents', `${second}.${shard}`))
  }

  async add({ second, shard }: Bucket, intent: Intent): Promise<void> {
    const { sku, location, split, deadline, to } = intent
    const value = [sku, location, split, deadline, ...(to ? [to.sku, to.location, to.split] : [])]
    await this.#client.operate(
      keyIn('intents', `${second}.${shard}`),
      [map.put(HOLDS, intent.holdId, value)],
      FOREVER,
    )
  }

  async read(second: number): Promise<Intent[]> {
    const shards = await this.#client.getMany(this.#shards(second))
    return shards.flatMap((shard) =>
      pairsOf(shard?.bins[HOLDS]).map(([id, value]) => intentOf(id, value as unknown[])),
    )
  }

  async remove(second: number): Promise<void> {
    await Promise.all(this.#shards(second).map((key) => this.#client.remove(key)))
  }

  async cursor(): Promise<number | undefined> {
    const record = await this.#client.get(this.#cursorKey)
    return record && Number(record.bins.second)
  }

  async setCursor(second: number): Promise<void> {
    await this.#client.put(this.#cursorKey, { second }, FOREVER)
  }
}

function intentOf(holdId: string, value: readonly unknown[]): Intent {
  const [sku, location, split, deadline, toSku, toLocation, toSplit] = value as (string | number)[]
  const from = { sku: String(sku), location: String(location), split: Number(split) }
  const intent = { ...from, holdId, deadline: Number(deadline) }
  if (toSku === undefined) return intent
  return { ...intent, to: { sku: String(toSku), location: String(toLocation), split: Number(toSplit) } }
}

export class EngineStockLayouts implements StockLayouts {
  readonly #client: StockClient

  constructor(client: StockClient) {
    this.#client = client
  }

  async find(sku: string): Promise<StockLayout | undefined> {
    return (await this.findMany([sku])).get(sku)
  }

  async findMany(skus: readonly string[]): Promise<ReadonlyMap<string, StockLayout>> {
    const found = await this.#client.getMany(skus.map((sku) => keyIn('layouts', sku)))
    const layouts = new Map<string, StockLayout>()
    skus.forEach((sku, i) => {
      const places = pairsOf(found[i]?.bins.places)
      if (places.length > 0)
        layouts.set(sku, new Map(places.map(([place, splits]) => [place, Number(splits)])))
    })
    return layouts
  }

  async add(sku: string, location: string, splits: number): Promise<void> {
    await this.#client.operate(keyIn('layouts', sku), [map.putNew('places', location, splits)], FOREVER)
  }

  async grow(sku: string, location: string, splits: number): Promise<void> {
    const filter = exp.lt(exp.mapGetInt('places', location), exp.int(splits))
    try {
      const ops = [map.put('places', location, splits)]
      await this.#client.operate(keyIn('layouts', sku), ops, { ...UPDATE, filter })
    } catch (error) {
      if (!hasReason(error, 'FILTERED_OUT')) throw error
    }
  }
}
