import { ROOT_CATEGORY, categoryTree, type CategoryInput, type CategoryNode } from '../catalog/category.ts'
import type { Location } from '../catalog/location.ts'
import type { Product } from '../catalog/product.ts'
import { defaultLocation, type CatalogSource, type SkuStock } from './source.ts'

/** Problems kept for the report; the rest is only counted. */
const PROBLEMS_MAX = 1000

export interface ImportProblem {
  readonly line: number
  readonly reason: string
}

/** What the first reading of a source leaves: everything that must be known before the first record is written. */
export interface CatalogOutline {
  readonly products: number
  readonly skus: number
  /** SKUs that the source names no stock for. */
  readonly skusWithoutStock: number
  readonly skipped: readonly ImportProblem[]
  readonly problems: readonly ImportProblem[]
  readonly problemCount: number
  readonly tree: { readonly root: CategoryNode; readonly nodes: ReadonlyMap<string, CategoryNode> }
  /** Ascending ids of each category that lists any product, ancestors and `all` included. */
  readonly listings: ReadonlyMap<string, string[]>
  readonly locations: readonly Location[]
}

class OutlineBuilder {
  readonly problems: ImportProblem[] = []
  readonly skipped: ImportProblem[] = []
  problemCount = 0
  skusWithoutStock = 0
  readonly locations = new Map<string, Location>()
  readonly #categories = new Map<string, { readonly input: CategoryInput; readonly line: number }>()
  readonly #productLines = new Map<string, number>()
  readonly #skuLines = new Map<string, number>()
  readonly #memberships: {
    readonly id: string
    readonly line: number
    readonly categories: readonly string[]
  }[] = []

  problem(line: number, reason: string): void {
    this.problemCount++
    if (this.problems.length < PROBLEMS_MAX) this.problems.push({ line, reason })
  }

  category(line: number, input: CategoryInput, implied: boolean): void {
    const known = this.#categories.get(input.id)
    if (!known) this.#categories.set(input.id, { input, line })
    else if (!implied) this.problem(line, `the category ${input.id} is on line ${known.line} already`)
  }

  location(line: number, location: Location): void {
    if (this.locations.has(location.id)) this.problem(line, `the location ${location.id} is there twice`)
    else this.locations.set(location.id, location)
  }

  product(line: number, product: Product, stock: readonly SkuStock[]): void {
    const known = this.#productLines.get(product.id)
    if (known !== undefined)
      return this.problem(line, `the product ${product.id} is on line ${known} already`)
    this.#productLines.set(product.id, line)
    for (const { sku, price, compareAtPrice } of product.variants) {
      const knownSku = this.#skuLines.get(sku)
      if (knownSku !== undefined) this.problem(line, `the SKU ${sku} is on line ${knownSku} already`)
      else this.#skuLines.set(sku, line)
      if (price.currency !== product.currency || (compareAtPrice ?? price).currency !== product.currency)
        this.problem(line, `the SKU ${sku} is not priced in the product's currency ${product.currency}`)
    }
    this.skusWithoutStock += product.variants.length - stock.length
    this.#memberships.push({ id: product.id, line, categories: product.categories })
    for (const { sku, quantities } of stock)
      for (const location of Object.keys(quantities))
        if (!this.locations.has(location)) {
          if (location === defaultLocation.id) this.locations.set(location, defaultLocation)
          else this.problem(line, `the SKU ${sku} has stock at ${location}, which no line before it names`)
        }
  }

  finish(): CatalogOutline {
    if (this.skusWithoutStock > 0 && !this.locations.has(defaultLocation.id))
      this.locations.set(defaultLocation.id, defaultLocation)
    let tree = categoryTree([...this.#categories.values()].map(({ input }) => input))
    if (!tree.ok) {
      this.problem(this.#categories.get(tree.id)?.line ?? 0, `the category ${tree.id}: ${tree.reason}`)
      tree = categoryTree([])
      if (!tree.ok) throw new Error('a tree without categories is a tree')
      this.#memberships.length = 0
    }
    const listings = new Map<string, string[]>()
    for (const { id, line, categories } of this.#memberships) {
      const listedIn = new Set([ROOT_CATEGORY])
      for (const category of categories) {
        const node = tree.nodes.get(category)
        if (!node) this.problem(line, `the category ${category} of ${id} is not in the catalogue`)
        for (const link of node?.path ?? []) listedIn.add(link.id)
      }
      for (const category of listedIn) {
        const list = listings.get(category)
        if (list) list.push(id)
        else listings.set(category, [id])
      }
    }
    for (const list of listings.values()) list.sort((a, b) => (a < b ? -1 : 1))
    return {
      products: this.#productLines.size,
      skus: this.#skuLines.size,
      skusWithoutStock: this.skusWithoutStock,
      skipped: this.skipped,
      problems: this.problems,
      problemCount: this.problemCount,
      tree,
      listings,
      locations: [...this.locations.values()],
    }
  }
}

/** Reads a source once and checks all of it, whole products and what they have to do with each other. */
export async function outlineOf(
  source: CatalogSource,
  progress: (done: number) => void,
): Promise<CatalogOutline> {
  const builder = new OutlineBuilder()
  for await (const entry of source.entries(progress)) {
    if (entry.kind === 'bad') builder.problem(entry.line, entry.reason)
    else if (entry.kind === 'skipped') builder.skipped.push({ line: entry.line, reason: entry.reason })
    else if (entry.kind === 'category') builder.category(entry.line, entry.category, entry.implied ?? false)
    else if (entry.kind === 'location') builder.location(entry.line, entry.location)
    else builder.product(entry.line, entry.product, entry.stock)
  }
  return builder.finish()
}
