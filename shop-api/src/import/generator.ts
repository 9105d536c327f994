import type { CategoryInput } from '../catalog/category.ts'
import type { Location } from '../catalog/location.ts'
import { slugOf, type Product, type Variant } from '../catalog/product.ts'
import { brands, departments, series, shelves, type Shelf } from './assortment.ts'
import { integerBetween, pick, seededRandom } from './seeded-random.ts'
import { defaultLocation, type CatalogSource, type SkuStock, type SourceEntry } from './source.ts'

export const BUNDLED_SKUS = 900
export const GENERATED_MAX_SKUS = 10_000_000

const generatedLocations: readonly Location[] = [
  { ...defaultLocation, address: '1 Canal Street' },
  {
    id: 'riverside-shop',
    name: 'Riverside shop',
    kind: 'shop',
    address: '12 Mill Lane',
    openingHours: 'Mon–Sat 9–18',
  },
  {
    id: 'harbour-shop',
    name: 'Harbour shop',
    kind: 'shop',
    address: '3 Quay Road',
    openingHours: 'Tue–Sun 10–19',
  },
]

/** Coprime to every number of names a shelf has, so that neighbours in the catalogue have unlike names. */
const STRIDE = 1_000_003

interface Name {
  readonly title: string
  readonly noun: string
  readonly kind: string
}

/** Name number `n` of a shelf; all names of a shelf differ. */
function nameOf(shelf: Shelf, n: number, start: number): Name {
  const names = shelf.nouns.length * shelf.kinds.length * series.length
  const mixed = Number((BigInt(n + start) * BigInt(STRIDE)) % BigInt(names))
  const noun = shelf.nouns[mixed % shelf.nouns.length]!
  const kind = shelf.kinds[Math.floor(mixed / shelf.nouns.length) % shelf.kinds.length]!
  const first = series[Math.floor(mixed / (shelf.nouns.length * shelf.kinds.length))]!
  const round = Math.floor(n / names)
  const title = `${first} ${kind} ${noun}`
  return { title: round === 0 ? title : `${title} No. ${round + 1}`, noun, kind }
}

function descriptionOf(name: Name, shelf: Shelf, brand: string, random: () => number): string {
  const opening = pick(random, [
    `Made for ${pick(random, shelf.uses)}.`,
    `We like it for ${pick(random, shelf.uses)}.`,
    `A ${name.kind.toLowerCase().replaceAll('-', ' ')} ${name.noun.toLowerCase()} for ${pick(random, shelf.uses)}.`,
  ])
  const middle = pick(random, [
    `${brand} makes it in small runs and checks every piece by hand.`,
    `It comes from ${brand}, who have made little else for twenty years.`,
    `${brand} keeps the design plain, so it goes with what you have.`,
  ])
  const end = pick(random, [
    'Packed in paper, without plastic.',
    'Sent from our own warehouse, usually the same day.',
    'If it is not right, send it back within 30 days.',
  ])
  return `${opening} ${middle} ${end}`
}

function variantsOf(shelf: Shelf, code: string, limit: number, random: () => number): Variant[] {
  const base = integerBetween(random, shelf.price[0], shelf.price[1]) * 100
  const count = Math.min(limit, integerBetween(random, 1, shelf.option.values.length))
  const reduced = random() < 0.15
  return shelf.option.values.slice(0, count).map((value, at) => {
    const amount = Math.round((base * (1 + shelf.step * at)) / 100) * 100 - pick(random, [0, 5, 10, 50])
    return {
      sku: `${code}-${slugOf(value).toUpperCase()}`,
      title: value,
      options: { [shelf.option.name]: value },
      price: { amount, currency: 'USD' },
      ...(reduced
        ? { compareAtPrice: { amount: Math.round((amount * 1.25) / 100) * 100, currency: 'USD' } }
        : {}),
    }
  })
}

function stockOf(variants: readonly Variant[], random: () => number): SkuStock[] {
  return variants.map(({ sku }) => {
    const quantities: Record<string, number> = {}
    const soldOut = random() < 0.03
    quantities[defaultLocation.id] = soldOut ? 0 : integerBetween(random, 3, 240)
    for (const location of generatedLocations.slice(1))
      if (random() < 0.4) quantities[location.id] = soldOut ? 0 : integerBetween(random, 1, 20)
    return { sku, quantities }
  })
}

/** Product number `index` of the catalogue with this seed, with at most `limit` SKUs. */
function generatedProduct(seed: number, index: number, limit: number) {
  const random = seededRandom(seed, index)
  const shelf = shelves[index % shelves.length]!
  const name = nameOf(shelf, Math.floor(index / shelves.length), (index % shelves.length) * 397)
  const brand = pick(random, brands)
  const code = `${shelf.id.replaceAll('-', '').slice(0, 3).toUpperCase()}${index.toString(36).toUpperCase().padStart(4, '0')}`
  const variants = variantsOf(shelf, code, limit, random)
  const product: Product = {
    id: slugOf(name.title),
    title: name.title,
    description: descriptionOf(name, shelf, brand, random),
    brand,
    categories: [shelf.id],
    options: [{ name: shelf.option.name, values: variants.map((variant) => variant.title) }],
    variants,
    images: [],
    currency: 'USD',
  }
  return { product, stock: stockOf(variants, random) }
}

/** A catalogue of exactly `skus` SKUs; the same seed and number give the same catalogue everywhere. */
export function generatedCatalog(skus: number, seed = 1): CatalogSource {
  const categories: CategoryInput[] = [
    ...departments,
    ...shelves.map((shelf) => ({ id: shelf.id, name: shelf.name, parent: shelf.department })),
  ]
  async function* entries(progress: (done: number) => void): AsyncGenerator<SourceEntry> {
    let line = 0
    for (const location of generatedLocations) yield { kind: 'location', line: ++line, location }
    for (const category of categories) yield { kind: 'category', line: ++line, category }
    let made = 0
    for (let index = 0; made < skus; index++) {
      const { product, stock } = generatedProduct(seed, index, skus - made)
      made += product.variants.length
      yield { kind: 'product', line: ++line, product, stock }
      progress(made)
    }
  }
  return { name: `generated catalogue of ${skus} SKUs (seed ${seed})`, total: skus, entries }
}
