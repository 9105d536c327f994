import type { Records, StoredRecord } from '../records.ts'
import { CategorySchema, ROOT_CATEGORY, type Category } from './category.ts'
import { CurrentEdition, catalogKey, type Edition } from './edition.ts'
import { readListing } from './listing-tree.ts'
import { LocationSchema, type Location } from './location.ts'
import { ProductCardSchema, ProductSchema, SkuRecordSchema } from './product.ts'
import type { Product, ProductCard, SkuRecord } from './product.ts'

/** Products are kept as the JSON that is sent, so that a read is one get and no encoding. */
export const productKey = (edition: number, id: string) => catalogKey('products', `${edition}/${id}`)
export const skuKey = (edition: number, sku: string) => catalogKey('skus', `${edition}/${sku}`)
export const categoryKey = (edition: number, id: string) => catalogKey('categories', `${edition}/${id}`)
export const locationKey = (edition: number, page: number) => catalogKey('locations', `${edition}/${page}`)
export const listingKey = (edition: number, category: string, level: number, index: number) =>
  catalogKey('listings', `${edition}/${category}/${level}/${index}`)

/** Locations to a record: at most about 100 kB. */
export const LOCATIONS_PER_RECORD = 100

export interface CatalogPage {
  readonly items: readonly ProductCard[]
  /** The last id of this page when there is more. */
  readonly lastId: string | undefined
}

const jsonOf = (found: StoredRecord, bin = 'json'): unknown => JSON.parse(String(found.bins[bin]))

const JSON_ALONE = { bins: ['json'] }
const bytesOf = (found: StoredRecord | undefined) => found?.bins.json as Buffer | undefined

/** Reads the current edition of the catalogue. */
export class CatalogStore {
  readonly #records: Records
  readonly #edition: CurrentEdition

  constructor(records: Records, now: () => number = Date.now) {
    this.#records = records
    this.#edition = new CurrentEdition(records, now)
  }

  async edition(): Promise<Edition | undefined> {
    return this.#edition.read()
  }

  async #number(): Promise<number> {
    return this.#edition.peek()?.number ?? (await this.#edition.read())?.number ?? 0
  }

  /** The product as the JSON of a ProductSchema; not a promise where the records answer at once. */
  findProductJson(id: string): Buffer | undefined | Promise<Buffer | undefined> {
    const edition = this.#edition.peek()
    if (!edition) return this.#number().then((number) => this.#productJson(number, id))
    return this.#productJson(edition.number, id)
  }

  #productJson(edition: number, id: string): Buffer | undefined | Promise<Buffer | undefined> {
    const found = this.#records.getNow(productKey(edition, id), JSON_ALONE)
    return found instanceof Promise ? found.then(bytesOf) : bytesOf(found)
  }

  async findProduct(id: string): Promise<Product | undefined> {
    const json = await this.findProductJson(id)
    return json && ProductSchema.parse(JSON.parse(json.toString()))
  }

  async findSku(sku: string): Promise<SkuRecord | undefined> {
    const found = await this.#records.get(skuKey(await this.#number(), sku))
    return found && SkuRecordSchema.parse(jsonOf(found))
  }

  async findSkus(skus: readonly string[]): Promise<Map<string, SkuRecord>> {
    const edition = await this.#number()
    const found = await this.#records.getMany(skus.map((sku) => skuKey(edition, sku)))
    const parsed = found.flatMap((each) => (each ? [SkuRecordSchema.parse(jsonOf(each))] : []))
    return new Map(parsed.map((record) => [record.sku, record]))
  }

  async findCategory(id: string): Promise<Category | undefined> {
    const found = await this.#records.get(categoryKey(await this.#number(), id))
    return found && CategorySchema.parse(jsonOf(found))
  }

  /** The products of a category and of all below it, by id; undefined when there is no such category. */
  async listProducts(
    category: string,
    after: string | undefined,
    limit: number,
  ): Promise<CatalogPage | undefined> {
    const edition = await this.#edition.read()
    if (!edition) return category === ROOT_CATEGORY ? { items: [], lastId: undefined } : undefined
    const found = await this.#records.get(categoryKey(edition.number, category))
    if (!found) return undefined
    const { productCount } = CategorySchema.parse(jsonOf(found))
    const ids = await readListing(productCount, after, limit + 1, async (level, index) => {
      const node = await this.#records.get(listingKey(edition.number, category, level, index))
      return node ? (jsonOf(node) as string[]) : []
    })
    const shown = ids.slice(0, limit)
    return {
      items: await this.#cards(edition.number, shown),
      lastId: ids.length > limit ? shown.at(-1) : undefined,
    }
  }

  async #cards(edition: number, ids: readonly string[]): Promise<ProductCard[]> {
    const found = await this.#records.getMany(
      ids.map((id) => productKey(edition, id)),
      { bins: ['card'] },
    )
    return found.flatMap((each) => (each ? [ProductCardSchema.parse(jsonOf(each, 'card'))] : []))
  }

  /** All stock locations. */
  async locations(): Promise<Location[]> {
    const edition = await this.#edition.read()
    if (!edition) return []
    const pages = Math.ceil(edition.locations / LOCATIONS_PER_RECORD)
    const keys = Array.from({ length: pages }, (_, page) => locationKey(edition.number, page))
    const found = await this.#records.getMany(keys)
    return found.flatMap((each) => (each ? LocationSchema.array().parse(jsonOf(each)) : []))
  }
}
