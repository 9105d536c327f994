import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import type { Location } from '../catalog/location.ts'
import { parsePrice } from '../catalog/money.ts'
import { ProductSchema, slugOf } from '../catalog/product.ts'
import { categoriesOfPath } from './category-path.ts'
import { integerBetween, pick, seededRandom } from './seeded-random.ts'
import { defaultLocation, type CatalogSource, type SkuStock, type SourceEntry } from './source.ts'

/** One of the published categories has no name; its id has to do. */
const LinkSchema = z
  .object({ id: z.string(), name: z.string().nullable() })
  .transform(({ id, name }) => ({ id, name: name?.trim() || id }))
const CategoriesSchema = z.array(z.object({ path: z.array(LinkSchema).min(1) }))
const StoresSchema = z.array(
  z.object({
    id: z.int(),
    name: z.string(),
    address: z.string(),
    city: z.string(),
    state: z.string(),
    zip: z.string(),
    location: z.object({ lat: z.number(), lon: z.number() }),
    hours: z.string(),
  }),
)
const ProductsSchema = z.array(
  z.object({
    Id: z.int(),
    Type: z.string(),
    Brand: z.string(),
    Name: z.string(),
    Description: z.string(),
    Price: z.number(),
  }),
)

/** Shops beside the warehouse that stock each product, when the data names shops. */
const SHOPS_PER_SKU = 4

async function readJson<T extends z.ZodType>(file: string, schema: T): Promise<z.output<T>> {
  return schema.parse(JSON.parse(await readFile(file, 'utf8')))
}

/**
 * Open data as published: dotnet/eShop's `catalog.json` as products, and beside it, where they are there,
 * BestBuyAPIs/open-data-set's `categories.json` and `stores.json` as the category tree and stock locations. Such
 * data has no stock; each SKU gets the default in the warehouse and a few units in shops that its number chooses.
 */
export async function openData(file: string, folder: string | undefined): Promise<CatalogSource> {
  const products = await readJson(file, ProductsSchema)
  const beside = (name: string) => (folder === undefined ? undefined : join(folder, name))
  const categoryFile = beside('categories.json')
  const storeFile = beside('stores.json')
  const categories =
    categoryFile && existsSync(categoryFile) ? await readJson(categoryFile, CategoriesSchema) : []
  const stores = storeFile && existsSync(storeFile) ? await readJson(storeFile, StoresSchema) : []

  async function* entries(progress: (done: number) => void): AsyncGenerator<SourceEntry> {
    yield { kind: 'location', line: 0, location: defaultLocation }
    const shops = stores.map(locationOf)
    for (const [at, location] of shops.entries()) yield { kind: 'location', line: at + 1, location }
    for (const [at, category] of categories.entries()) {
      for (const [depth, { id, name }] of category.path.entries()) {
        const parent = category.path[depth - 1]?.id
        const input = parent === undefined ? { id, name } : { id, name, parent }
        yield { kind: 'category', line: at + 1, category: input, implied: true }
      }
    }
    const taken = new Set<string>()
    for (const [at, product] of products.entries()) {
      yield* productEntries(product, at + 1, taken, shops)
      progress(at + 1)
    }
  }
  return { name: basename(file), total: products.length, entries }
}

function locationOf(store: z.output<typeof StoresSchema>[number]): Location {
  return {
    id: `shop-${store.id}`,
    name: store.name,
    kind: 'shop',
    address: `${store.address}, ${store.city}, ${store.state} ${store.zip}`,
    coordinates: { latitude: store.location.lat, longitude: store.location.lon },
    openingHours: store.hours.slice(0, 500),
  }
}

function* productEntries(
  given: z.output<typeof ProductsSchema>[number],
  line: number,
  taken: Set<string>,
  shops: readonly Location[],
): Generator<SourceEntry> {
  const price = parsePrice(String(given.Price), 'USD')
  if (!price) {
    yield { kind: 'bad', line, reason: `the price ${given.Price} is not an amount in USD` }
    return
  }
  const slug = slugOf(given.Name)
  const id = taken.has(slug) ? `${slug}-${given.Id}` : slug
  taken.add(id)
  const sku = `${slugOf(given.Brand).toUpperCase()}-${given.Id}`
  const categories = categoriesOfPath([given.Type])
  const product = ProductSchema.safeParse({
    id,
    title: given.Name,
    description: given.Description,
    brand: given.Brand,
    categories: categories.map((category) => category.id),
    options: [],
    variants: [{ sku, title: 'Default', options: {}, price }],
    images: [],
    currency: 'USD',
  })
  if (!product.success) {
    yield { kind: 'bad', line, reason: product.error.issues.map((issue) => issue.message).join('; ') }
    return
  }
  for (const category of categories) yield { kind: 'category', line, category, implied: true }
  yield { kind: 'product', line, product: product.data, stock: stockOf(sku, given.Id, shops) }
}

function stockOf(sku: string, number: number, shops: readonly Location[]): SkuStock[] {
  if (shops.length === 0) return []
  const random = seededRandom(number)
  const quantities: Record<string, number> = { [defaultLocation.id]: integerBetween(random, 5, 120) }
  for (let count = 0; count < SHOPS_PER_SKU; count++)
    quantities[pick(random, shops).id] = integerBetween(random, 1, 12)
  return [{ sku, quantities }]
}
