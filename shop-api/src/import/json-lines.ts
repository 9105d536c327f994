import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { z } from 'zod'
import { CategoryInputSchema, type CategoryInput } from '../catalog/category.ts'
import { LocationIdSchema, LocationSchema } from '../catalog/location.ts'
import { CurrencySchema, type Currency } from '../catalog/money.ts'
import { CategoryIdSchema, ProductSchema, VariantSchema, slugOf } from '../catalog/product.ts'
import { categoriesOfPath } from './category-path.ts'
import { STOCK_MAX_QUANTITY, defaultLocation, type CatalogSource, type SourceEntry } from './source.ts'

const LINE_MAX_CHARACTERS = 1_048_576

const QuantitySchema = z.int().min(0).max(STOCK_MAX_QUANTITY)
const VariantLineSchema = VariantSchema.extend({
  title: VariantSchema.shape.title.default('Default'),
  options: VariantSchema.shape.options.default({}),
  stock: z.union([QuantitySchema, z.record(LocationIdSchema, QuantitySchema)]).optional(),
})

/** A product line: a product of the API, where only what cannot be worked out must be said. */
const ProductLineSchema = ProductSchema.partial({
  images: true,
  options: true,
  brand: true,
  description: true,
}).extend({
  type: z.literal('product').default('product'),
  id: ProductSchema.shape.id.optional(),
  currency: CurrencySchema.optional(),
  categories: z.array(z.string().min(1).max(500)).default([]),
  variants: z.array(VariantLineSchema).min(1),
})
const CategoryLineSchema = CategoryInputSchema.extend({ type: z.literal('category') })
const LocationLineSchema = LocationSchema.extend({ type: z.literal('location') })

/**
 * JSON Lines: a product to a line, in the form of the API; lines with `"type": "category"` or `"location"` name
 * categories and stock locations, before the products that use them. A product may name a category by its id, or
 * by a path of names such as `Home > Lighting`, which makes the categories it needs.
 */
export async function jsonLines(file: string, currency: Currency): Promise<CatalogSource> {
  const { size } = await stat(file)
  return { name: basename(file), total: size, entries: (progress) => lineEntries(file, currency, progress) }
}

async function* lineEntries(
  file: string,
  currency: Currency,
  progress: (bytes: number) => void,
): AsyncGenerator<SourceEntry> {
  let rest = ''
  let line = 0
  let bytes = 0
  const stream = createReadStream(file, { encoding: 'utf8' }) as AsyncIterable<string>
  for await (const chunk of stream) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const text of lines) yield* entriesOfLine(text, ++line, currency)
    bytes += Buffer.byteLength(chunk)
    progress(bytes)
    if (rest.length > LINE_MAX_CHARACTERS) {
      yield {
        kind: 'bad',
        line: line + 1,
        reason: `the line is longer than ${LINE_MAX_CHARACTERS} characters`,
      }
      return
    }
  }
  if (rest.trim() !== '') yield* entriesOfLine(rest, ++line, currency)
  if (line === 0) yield { kind: 'bad', line: 1, reason: 'the file is empty' }
}

const reasonOf = (error: z.ZodError) =>
  error.issues.map((issue) => `${issue.path.join('.') || 'line'}: ${issue.message}`).join('; ')

function* entriesOfLine(text: string, line: number, currency: Currency): Generator<SourceEntry> {
  const plain = text.replace(/^\uFEFF/, '').trim()
  if (plain === '') return
  let value: unknown
  try {
    value = JSON.parse(plain)
  } catch (error) {
    yield { kind: 'bad', line, reason: `it is not JSON: ${(error as Error).message}` }
    return
  }
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : 'product'
  if (type === 'category') {
    const found = CategoryLineSchema.safeParse(value)
    if (found.success) yield { kind: 'category', line, category: CategoryInputSchema.parse(found.data) }
    else yield { kind: 'bad', line, reason: reasonOf(found.error) }
  } else if (type === 'location') {
    const found = LocationLineSchema.safeParse(value)
    if (found.success) yield { kind: 'location', line, location: LocationSchema.parse(found.data) }
    else yield { kind: 'bad', line, reason: reasonOf(found.error) }
  } else yield* productEntries(value, line, currency)
}

function* productEntries(value: unknown, line: number, currency: Currency): Generator<SourceEntry> {
  const found = ProductLineSchema.safeParse(value)
  if (!found.success) {
    yield { kind: 'bad', line, reason: reasonOf(found.error) }
    return
  }
  const given = found.data
  const implied: CategoryInput[] = []
  const categories = (given.categories.length > 0 ? given.categories : ['Other']).map((text) => {
    if (CategoryIdSchema.safeParse(text).success) return text
    const path = categoriesOfPath(
      text
        .split('>')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    implied.push(...path)
    return path.at(-1)?.id ?? ''
  })
  const names = new Map<string, Set<string>>()
  for (const { options } of given.variants)
    for (const [name, option] of Object.entries(options))
      names.set(name, (names.get(name) ?? new Set()).add(option))
  const product = ProductSchema.safeParse({
    ...given,
    id: given.id ?? slugOf(given.title),
    description: given.description ?? '',
    brand: given.brand ?? '',
    images: given.images ?? [],
    options: given.options ?? [...names].map(([name, values]) => ({ name, values: [...values] })),
    currency: given.currency ?? given.variants[0]?.price.currency ?? currency,
    categories,
  })
  if (!product.success) {
    yield { kind: 'bad', line, reason: reasonOf(product.error) }
    return
  }
  for (const category of implied) yield { kind: 'category', line, category, implied: true }
  const stock = given.variants.flatMap(({ sku, stock: units }) => {
    if (units === undefined) return []
    return [{ sku, quantities: typeof units === 'number' ? { [defaultLocation.id]: units } : units }]
  })
  yield { kind: 'product', line, product: product.data, stock }
}
