import type { CategoryInput } from '../catalog/category.ts'
import { parsePrice, type Currency, type Money } from '../catalog/money.ts'
import { ProductSchema, slugOf, type Variant } from '../catalog/product.ts'
import { categoriesOfPath } from './category-path.ts'
import { plainTextOf } from './plain-text.ts'
import type { ShopifyRow } from './shopify-columns.ts'
import { STOCK_MAX_QUANTITY, defaultLocation, type SkuStock, type SourceEntry } from './source.ts'

export interface NumberedRow {
  readonly line: number
  readonly row: ShopifyRow
}

const optionColumns = [
  ['optionName1', 'optionValue1'],
  ['optionName2', 'optionValue2'],
  ['optionName3', 'optionValue3'],
] as const

/** Only the first row of a product names its options; a product without any has one called Title. */
function optionNamesOf(first: ShopifyRow): (string | undefined)[] {
  return optionColumns.map(([name]) => first[name] || undefined)
}

interface RowVariant {
  readonly variant: Variant
  readonly stock: SkuStock | undefined
}

/** @returns the reason when the row is bad, undefined when it holds no variant (a further image) */
function variantOf(
  { row }: NumberedRow,
  names: readonly (string | undefined)[],
  handle: string,
  currency: Currency,
): RowVariant | string | undefined {
  const values = optionColumns.map(([, value]) => row[value])
  if (row.price === '' && row.sku === '' && values.every((value) => value === '')) return undefined
  if (row.price === '') return 'the variant has no price'
  const price = parsePrice(row.price, currency)
  if (!price) return `the price ${JSON.stringify(row.price)} is not an amount in ${currency}`
  let compareAtPrice: Money | undefined
  if (row.compareAt !== '' && !/^0+(\.0+)?$/.test(row.compareAt)) {
    compareAtPrice = parsePrice(row.compareAt, currency)
    if (!compareAtPrice)
      return `the compare-at price ${JSON.stringify(row.compareAt)} is not an amount in ${currency}`
  }
  const options: Record<string, string> = {}
  for (const [at, value] of values.entries()) {
    if (value === '') continue
    const name = names[at]
    if (name === undefined)
      return `it has a value for option ${at + 1}, which the product's first row does not name`
    if (!(name === 'Title' && value === 'Default Title')) options[name] = value
  }
  const title = Object.values(options).join(' / ') || 'Default'
  const sku =
    row.sku || [handle, ...Object.values(options).map(slugOf)].filter(Boolean).join('-').toUpperCase()
  let stock: SkuStock | undefined
  if (row.quantity !== '') {
    const quantity = Number(row.quantity)
    if (!Number.isInteger(quantity) || quantity > STOCK_MAX_QUANTITY)
      return `the inventory quantity ${JSON.stringify(row.quantity)} is not an integer`
    // Shopify counts back-orders below zero; there is nothing to sell then.
    stock = { sku, quantities: { [defaultLocation.id]: Math.max(0, quantity) } }
  }
  const barcode = row.barcode.replace(/^'/, '')
  return {
    variant: {
      sku,
      title,
      options,
      price,
      ...(compareAtPrice ? { compareAtPrice } : {}),
      ...(barcode ? { barcode } : {}),
    },
    stock,
  }
}

function optionsOf(names: readonly (string | undefined)[], variants: readonly Variant[]) {
  return names
    .filter((name) => name !== undefined)
    .map((name) => ({
      name,
      values: [
        ...new Set(variants.map((variant) => variant.options[name]).filter((value) => value !== undefined)),
      ],
    }))
    .filter((option) => option.values.length > 0)
}

function categoriesOf(row: ShopifyRow): CategoryInput[] {
  const path = (row.category || row.type)
    .split('>')
    .map((part) => part.trim())
    .filter(Boolean)
  return categoriesOfPath(path.length > 0 ? path : ['Other'])
}

/** The entries of all rows of one product: the categories it needs and the product, or what is wrong with rows. */
export function* shopifyProduct(rows: readonly NumberedRow[], currency: Currency): Generator<SourceEntry> {
  const first = rows[0]!
  const handle = first.row.handle.toLowerCase()
  const names = optionNamesOf(first.row)
  const found: RowVariant[] = []
  let bad = 0
  for (const numbered of rows) {
    const variant = variantOf(numbered, names, handle, currency)
    if (typeof variant === 'string') {
      bad++
      yield { kind: 'bad', line: numbered.line, reason: variant }
    } else if (variant) found.push(variant)
  }
  if (bad > 0) return
  const categories = categoriesOf(first.row)
  const title = first.row.title
  const variants = found.map(({ variant }) => variant)
  const product = ProductSchema.safeParse({
    id: handle,
    title,
    description: plainTextOf(first.row.description),
    brand: first.row.vendor,
    categories: categories.slice(-1).map((category) => category.id),
    options: optionsOf(names, variants),
    variants,
    images: rows
      .filter(({ row }) => row.image !== '')
      .map(({ row }) => ({ url: row.image, alt: row.imageAlt || title })),
    currency,
  })
  if (!product.success) {
    const reason = product.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
    yield { kind: 'bad', line: first.line, reason }
    return
  }
  for (const category of categories) yield { kind: 'category', line: first.line, category, implied: true }
  const stock = found.map((each) => each.stock).filter((each) => each !== undefined)
  yield { kind: 'product', line: first.line, product: product.data, stock }
}
