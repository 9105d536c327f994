import type { StockPort } from '../carts/stock-port.ts'
import { ROOT_CATEGORY, type Category, type CategoryNode } from '../catalog/category.ts'
import * as keys from '../catalog/catalog-store.ts'
import { publishEdition, readCurrentEdition, type Edition } from '../catalog/edition.ts'
import { listingNodes } from '../catalog/listing-tree.ts'
import { cardOf, skuRecordsOf } from '../catalog/product.ts'
import type { Records } from '../records.ts'
import type { CatalogOutline } from './catalog-outline.ts'
import { defaultLocation, type CatalogSource, type SourceEntry } from './source.ts'
import { retireEdition } from './retire-edition.ts'
import { WriteWindow } from './write-window.ts'

/** Writes under way at once: enough to fill the pipeline to the engine, little enough to hold in memory. */
const WRITES_MAX = 512
const forever = { ttl: 'never' } as const

export interface ImportOptions {
  readonly records: Records
  readonly stock: Pick<StockPort, 'createStock'>
  readonly now: () => number
  /** Units of each SKU that the source names no stock for. */
  readonly defaultStock: number
}

/**
 * Writes a source that `outlineOf` found good as a new edition, then publishes it. Stock records that are there
 * already keep their numbers: an import changes what is sold, not how much of it lies in the warehouse.
 */
export async function importCatalog(
  source: CatalogSource,
  outline: CatalogOutline,
  options: ImportOptions,
  progress: (done: number) => void,
): Promise<Edition> {
  if (outline.problemCount > 0) throw new Error('a catalogue with bad rows is not imported')
  const { records } = options
  const before = await readCurrentEdition(records)
  const edition: Edition = {
    number: (before?.number ?? 0) + 1,
    source: source.name,
    importedAt: new Date(options.now()).toISOString(),
    products: outline.products,
    skus: outline.skus,
    categories: outline.tree.nodes.size - 1,
    locations: outline.locations.length,
  }
  const window = new WriteWindow(WRITES_MAX)
  await writeFrame(window, records, outline, edition.number)
  for await (const entry of source.entries(progress))
    if (entry.kind === 'product') await writeProduct(window, entry, edition.number, options)
  await window.drained()
  await publishEdition(records, edition)
  // The edition before this one may still be read for some seconds; the one before that has long been out of use.
  await retireEdition(records, edition.number - 2)
  return edition
}

async function writeFrame(window: WriteWindow, records: Records, outline: CatalogOutline, edition: number) {
  const put = (key: ReturnType<typeof keys.productKey>, value: unknown) =>
    window.run(() => records.put(key, { json: JSON.stringify(value) }, forever))
  const count = (id: string) => outline.listings.get(id)?.length ?? 0

  for (const node of outline.tree.nodes.values())
    await put(keys.categoryKey(edition, node.id), categoryOf(node, count))
  for (const [category, ids] of outline.listings)
    for (const node of listingNodes(ids))
      await put(keys.listingKey(edition, category, node.level, node.index), node.ids)
  for (let page = 0; page * keys.LOCATIONS_PER_RECORD < outline.locations.length; page++) {
    const start = page * keys.LOCATIONS_PER_RECORD
    await put(
      keys.locationKey(edition, page),
      outline.locations.slice(start, start + keys.LOCATIONS_PER_RECORD),
    )
  }
}

function categoryOf(node: CategoryNode, count: (id: string) => number): Category {
  return {
    id: node.id,
    name: node.name,
    path: node.id === ROOT_CATEGORY ? [] : [...node.path],
    children: node.children.map(({ id, name }) => ({ id, name, productCount: count(id) })),
    productCount: count(node.id),
  }
}

async function writeProduct(
  window: WriteWindow,
  { product, stock }: Extract<SourceEntry, { kind: 'product' }>,
  edition: number,
  options: ImportOptions,
): Promise<void> {
  const { records } = options
  const bins = { json: Buffer.from(JSON.stringify(product)), card: JSON.stringify(cardOf(product)) }
  await window.run(() => records.put(keys.productKey(edition, product.id), bins, forever))
  const stockOf = new Map(stock.map(({ sku, quantities }) => [sku, quantities]))
  for (const record of skuRecordsOf(product)) {
    const { sku } = record
    await window.run(() => records.put(keys.skuKey(edition, sku), { json: JSON.stringify(record) }, forever))
    const quantities = stockOf.get(sku) ?? { [defaultLocation.id]: options.defaultStock }
    for (const [location, quantity] of Object.entries(quantities))
      await window.run(() => options.stock.createStock({ sku, location, quantity }))
  }
}
