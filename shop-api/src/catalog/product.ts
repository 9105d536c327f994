import { z } from '@hono/zod-openapi'
import { CurrencySchema, MoneySchema } from './money.ts'

/** Bounds of one product, so that its record stays far below the engine's largest record (1 MiB). */
const PRODUCT_MAX_VARIANTS = 250
const PRODUCT_MAX_OPTIONS = 5
const PRODUCT_MAX_CATEGORIES = 20
const DESCRIPTION_MAX_CHARACTERS = 20_000

/** Ids stand in URLs and in keys: lower-case words joined by hyphens. */
export const ProductIdSchema = z
  .string()
  .min(1)
  .max(120)
  .regex(/^[a-z0-9]+(?:[-_.][a-z0-9]+)*$/, 'must be lower-case words joined by hyphens')
  .openapi({ example: 'aurora-desk-lamp' })

export const CategoryIdSchema = ProductIdSchema.openapi({ example: 'home-lighting' })

export const SkuSchema = z
  .string()
  .min(1)
  .max(80)
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?$/, 'must be letters, digits and . _ / -')
  .openapi({ example: 'AURORA-DESK-LAMP-BRASS' })

const name = (max: number) => z.string().trim().min(1).max(max)

export const VariantSchema = z
  .object({
    sku: SkuSchema,
    title: name(200).openapi({ example: 'Brass / Large' }),
    options: z.record(name(60), name(120)).openapi({ example: { Finish: 'Brass' } }),
    price: MoneySchema,
    compareAtPrice: MoneySchema.optional(),
    barcode: z.string().max(40).optional(),
  })
  .openapi('Variant')
export type Variant = z.infer<typeof VariantSchema>

export const ProductSchema = z
  .object({
    id: ProductIdSchema,
    title: name(200),
    description: z.string().max(DESCRIPTION_MAX_CHARACTERS),
    brand: z.string().trim().max(120),
    categories: z
      .array(CategoryIdSchema)
      .min(1)
      .max(PRODUCT_MAX_CATEGORIES)
      .openapi({ description: 'The categories the product was put in; it is listed in their ancestors too' }),
    options: z
      .array(z.object({ name: name(60), values: z.array(name(120)).min(1) }))
      .max(PRODUCT_MAX_OPTIONS),
    variants: z.array(VariantSchema).min(1).max(PRODUCT_MAX_VARIANTS),
    images: z.array(z.object({ url: z.url().max(2000), alt: z.string().max(500) })).max(50),
    currency: CurrencySchema,
  })
  .openapi('Product')
export type Product = z.infer<typeof ProductSchema>

/** What a listing shows of a product. */
export const ProductCardSchema = z
  .object({
    id: ProductIdSchema,
    title: z.string(),
    brand: z.string(),
    category: CategoryIdSchema,
    priceFrom: MoneySchema,
    priceTo: MoneySchema,
    variantCount: z.int(),
    image: z.string().optional(),
  })
  .openapi('ProductCard')
export type ProductCard = z.infer<typeof ProductCardSchema>

/** What carts, stock and checkout need of one SKU. */
export const SkuRecordSchema = z.object({
  sku: SkuSchema,
  productId: ProductIdSchema,
  title: z.string(),
  variantTitle: z.string(),
  price: MoneySchema,
  category: CategoryIdSchema,
})
export type SkuRecord = z.infer<typeof SkuRecordSchema>

export function cardOf(product: Product): ProductCard {
  const byPrice = product.variants.map((variant) => variant.price).sort((a, b) => a.amount - b.amount)
  const image = product.images[0]?.url
  return {
    id: product.id,
    title: product.title,
    brand: product.brand,
    category: product.categories[0]!,
    priceFrom: byPrice[0]!,
    priceTo: byPrice.at(-1)!,
    variantCount: product.variants.length,
    ...(image === undefined ? {} : { image }),
  }
}

export function skuRecordsOf(product: Product): SkuRecord[] {
  return product.variants.map((variant) => ({
    sku: variant.sku,
    productId: product.id,
    title: product.title,
    variantTitle: variant.title,
    price: variant.price,
    category: product.categories[0]!,
  }))
}

/** A handle for a name: `Étagère No. 2` becomes `etagere-no-2`. Empty when nothing of the name can stand in it. */
export function slugOf(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 100)
    .replace(/^-+|-+$/g, '')
}
