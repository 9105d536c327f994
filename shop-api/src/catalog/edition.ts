import { z } from 'zod'
import type { RecordKey, Records } from '../records.ts'

/**
 * A catalogue is imported as a whole, under the number of a new edition, and becomes the shop's catalogue by one
 * write: the one that names this edition as the current one. So a reader sees the old catalogue or the new one,
 * never a half, and an import that dies leaves nothing that anybody can see. Records of one edition never change.
 */
export const EditionSchema = z.object({
  number: z.int().min(1),
  source: z.string(),
  importedAt: z.string(),
  products: z.int(),
  skus: z.int(),
  categories: z.int(),
  locations: z.int(),
})
export type Edition = z.infer<typeof EditionSchema>

/** How old the process's knowledge of the current edition may be. */
const FRESH_MS = 1_000
const USABLE_MS = 5_000

export const catalogKey = (set: string, key: string): RecordKey => ({ namespace: 'shop', set, key })
const currentKey = catalogKey('catalog', 'current')

export async function readCurrentEdition(records: Records): Promise<Edition | undefined> {
  const found = await records.get(currentKey)
  return found && EditionSchema.parse(JSON.parse(String(found.bins.json)))
}

export async function publishEdition(records: Records, edition: Edition): Promise<void> {
  await records.put(currentKey, { json: JSON.stringify(edition) }, { ttl: 'never' })
}

/** The current edition as this process knows it: at most 5 s old, asked for again once a second when in use. */
export class CurrentEdition {
  readonly #records: Records
  readonly #now: () => number
  #known: Edition | undefined
  #knownAt = Number.NEGATIVE_INFINITY
  #asking: Promise<Edition | undefined> | undefined

  constructor(records: Records, now: () => number) {
    this.#records = records
    this.#now = now
  }

  /** The edition without waiting where it is fresh enough; undefined: ask `read`. */
  peek(): Edition | undefined {
    const age = this.#now() - this.#knownAt
    if (age > USABLE_MS) return undefined
    if (age > FRESH_MS) this.#ask().catch(() => {})
    return this.#known
  }

  async read(): Promise<Edition | undefined> {
    return this.peek() ?? (await this.#ask())
  }

  #ask(): Promise<Edition | undefined> {
    const askedAt = this.#now()
    this.#asking ??= readCurrentEdition(this.#records)
      .then((edition) => {
        this.#known = edition
        this.#knownAt = askedAt
        return edition
      })
      .finally(() => (this.#asking = undefined))
    return this.#asking
  }
}
