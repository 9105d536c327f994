/** Columns of a Shopify product CSV that the import reads, each under its older and its newer header names. */
const headerNames = {
  handle: ['Handle', 'URL handle'],
  title: ['Title'],
  description: ['Body (HTML)', 'Body HTML', 'Description'],
  vendor: ['Vendor'],
  category: ['Product Category', 'Product category', 'Standard Product Type'],
  type: ['Type', 'Custom Product Type'],
  published: ['Published', 'Published on online store'],
  status: ['Status'],
  optionName1: ['Option1 Name', 'Option1 name'],
  optionValue1: ['Option1 Value', 'Option1 value'],
  optionName2: ['Option2 Name', 'Option2 name'],
  optionValue2: ['Option2 Value', 'Option2 value'],
  optionName3: ['Option3 Name', 'Option3 name'],
  optionValue3: ['Option3 Value', 'Option3 value'],
  sku: ['Variant SKU', 'SKU'],
  quantity: ['Variant Inventory Qty', 'Inventory quantity'],
  price: ['Variant Price', 'Price'],
  compareAt: ['Variant Compare At Price', 'Compare-at price'],
  barcode: ['Variant Barcode', 'Barcode'],
  image: ['Image Src', 'Product image URL'],
  imageAlt: ['Image Alt Text', 'Image alt text'],
} as const

export type ShopifyColumn = keyof typeof headerNames

/** One line of the file by column; a column the file does not have reads as empty. */
export type ShopifyRow = Readonly<Record<ShopifyColumn, string>>

export type ShopifyHeader =
  | {
      readonly ok: true
      readonly row: (cells: readonly string[]) => ShopifyRow
      readonly has: ReadonlySet<ShopifyColumn>
    }
  | { readonly ok: false; readonly reason: string }

const required: readonly ShopifyColumn[] = ['handle', 'title', 'price']

export function shopifyHeader(cells: readonly string[]): ShopifyHeader {
  const places = new Map(cells.map((cell, at) => [cell.trim().toLowerCase(), at]))
  const columns = Object.entries(headerNames).map(([column, names]) => ({
    column: column as ShopifyColumn,
    at: names.map((name) => places.get(name.toLowerCase())).find((place) => place !== undefined),
  }))
  const has = new Set(columns.filter(({ at }) => at !== undefined).map(({ column }) => column))
  const missing = required.filter((column) => !has.has(column))
  if (missing.length > 0) {
    const names = missing.map((column) => headerNames[column].map((name) => `“${name}”`).join(' or '))
    return {
      ok: false,
      reason: `the header has no column ${names.join(', none ')}: is it a Shopify product CSV?`,
    }
  }
  const row = (values: readonly string[]) =>
    Object.fromEntries(
      columns.map(({ column, at }) => [column, at === undefined ? '' : (values[at] ?? '').trim()]),
    ) as Record<ShopifyColumn, string>
  return { ok: true, row, has }
}
