import type { CategoryInput } from '../catalog/category.ts'
import type { Location } from '../catalog/location.ts'
import type { Product } from '../catalog/product.ts'

/** Units of a SKU at each location. */
export interface SkuStock {
  readonly sku: string
  readonly quantities: Readonly<Record<string, number>>
}

/** What a catalogue source yields, in any order, with the line (or entry number) it stands on. */
export type SourceEntry =
  | {
      readonly kind: 'product'
      readonly line: number
      readonly product: Product
      /** SKUs that the source says nothing of get the default stock. */
      readonly stock: readonly SkuStock[]
    }
  | {
      readonly kind: 'category'
      readonly line: number
      readonly category: CategoryInput
      readonly implied?: boolean
    }
  | { readonly kind: 'location'; readonly line: number; readonly location: Location }
  | { readonly kind: 'skipped'; readonly line: number; readonly reason: string }
  | { readonly kind: 'bad'; readonly line: number; readonly reason: string }

/** A catalogue to import. It is read twice: once to check it, once to write it. */
export interface CatalogSource {
  readonly name: string
  /** What `done` counts up to, in the source's own unit (bytes, products). */
  readonly total: number
  entries(progress: (done: number) => void): AsyncIterable<SourceEntry>
}

/** Where stock lies when a source names no place. */
export const defaultLocation: Location = {
  id: 'main-warehouse',
  name: 'Main warehouse',
  kind: 'warehouse',
  address: '',
}

export const STOCK_MAX_QUANTITY = 1_000_000_000
