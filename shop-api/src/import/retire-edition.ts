import { categoryKey, listingKey, locationKey, productKey, skuKey } from '../catalog/catalog-store.ts'
import { CategorySchema, ROOT_CATEGORY, type Category } from '../catalog/category.ts'
import { LISTING_FANOUT } from '../catalog/listing-tree.ts'
import { ProductSchema } from '../catalog/product.ts'
import type { Records } from '../records.ts'
import { WriteWindow } from './write-window.ts'

const REMOVALS_MAX = 256

/**
 * Removes the records of an edition that nobody reads any more. It goes through the listing of all products, the
 * category tree from its leaves, and takes the root last, so that a run that was interrupted can be done again.
 */
export async function retireEdition(records: Records, edition: number): Promise<void> {
  const window = new WriteWindow(REMOVALS_MAX)
  await retireCategory(records, edition, ROOT_CATEGORY, window)
  for (let page = 0; await records.remove(locationKey(edition, page)); page++);
  await window.drained()
}

async function retireCategory(
  records: Records,
  edition: number,
  id: string,
  window: WriteWindow,
): Promise<void> {
  const found = await records.get(categoryKey(edition, id))
  if (!found) return
  const category = CategorySchema.parse(JSON.parse(String(found.bins.json)))
  for (const child of category.children) await retireCategory(records, edition, child.id, window)
  if (id === ROOT_CATEGORY) await retireProducts(records, edition, category, window)
  let nodes = Math.ceil(category.productCount / LISTING_FANOUT)
  for (let level = 0; nodes > 0; level++) {
    for (let index = 0; index < nodes; index++)
      await window.run(() => records.remove(listingKey(edition, id, level, index)))
    nodes = nodes === 1 ? 0 : Math.ceil(nodes / LISTING_FANOUT)
  }
  await window.drained()
  await records.remove(categoryKey(edition, id))
}

async function retireProducts(
  records: Records,
  edition: number,
  all: Category,
  window: WriteWindow,
): Promise<void> {
  for (let index = 0; index * LISTING_FANOUT < all.productCount; index++) {
    const leaf = await records.get(listingKey(edition, ROOT_CATEGORY, 0, index))
    const ids = leaf ? (JSON.parse(String(leaf.bins.json)) as string[]) : []
    const products = await records.getMany(ids.map((id) => productKey(edition, id)))
    for (const product of products) {
      if (!product) continue
      const { variants } = ProductSchema.parse(JSON.parse(String(product.bins.json)))
      for (const { sku } of variants) await window.run(() => records.remove(skuKey(edition, sku)))
    }
    // A product that is there names its SKUs to a run that follows one that was interrupted.
    await window.drained()
    for (const id of ids) await window.run(() => records.remove(productKey(edition, id)))
  }
  await window.drained()
}
