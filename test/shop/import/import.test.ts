import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ProductSchema } from '../../../shop-api/src/catalog/product.ts'
import { outlineOf } from '../../../shop-api/src/import/catalog-outline.ts'
import { generatedCatalog } from '../../../shop-api/src/import/generator.ts'
import { importReport } from '../../../shop-api/src/import/import-report.ts'
import { importCatalog } from '../../../shop-api/src/import/importer.ts'
import { openCatalogSource } from '../../../shop-api/src/import/open-source.ts'
import { plainTextOf } from '../../../shop-api/src/import/plain-text.ts'
import type { CatalogSource, SourceEntry } from '../../../shop-api/src/import/source.ts'
import { available } from '../../support/requirement.ts'
import { Face } from '../support/face.ts'

const folder = mkdtempSync(join(tmpdir(), 'larder-import-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function sourceOf(name: string, text: string): Promise<CatalogSource> {
  writeFileSync(join(folder, name), text)
  return openCatalogSource(join(folder, name), 'USD')
}

async function entriesOf(source: CatalogSource): Promise<SourceEntry[]> {
  const entries: SourceEntry[] = []
  for await (const entry of source.entries(() => {})) entries.push(entry)
  return entries
}

const outline = (source: CatalogSource) => outlineOf(source, () => {})

const older = `Handle,Title,Body (HTML),Vendor,Type,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Inventory Qty,Variant Price,Variant Compare At Price,Image Src,Status
tee,Plain tee,"<p>Soft &amp; plain.</p>
<p>Cotton.</p>",Acme,Shirts,TRUE,Size,S,Colour,Red,TEE-S,4,19.90,25,https://example.com/tee.jpg,active
tee,,,,,,,M,,Red,TEE-M,-2,19.90,,,
tee,,,,,,,,,,,,,,https://example.com/tee-2.jpg,
mug,Mug,,Acme,,TRUE,Title,Default Title,,,,,12,,,active
gone,Gone,,Acme,,TRUE,Title,Default Title,,,G,1,12,,,draft
`

describe('a Shopify CSV', () => {
  it('groups rows by handle into products with variants', async () => {
    const source = await sourceOf('older.csv', older)
    const entries = await entriesOf(source)
    const products = entries.filter((entry) => entry.kind === 'product')
    expect(products.map(({ product }) => product.id)).toEqual(['tee', 'mug'])
    const [tee, mug] = products
    expect(tee!.product).toMatchObject({
      title: 'Plain tee',
      description: 'Soft & plain.\n\nCotton.',
      brand: 'Acme',
      categories: ['shirts'],
      options: [
        { name: 'Size', values: ['S', 'M'] },
        { name: 'Colour', values: ['Red'] },
      ],
      variants: [
        { sku: 'TEE-S', title: 'S / Red', price: { amount: 1990 }, compareAtPrice: { amount: 2500 } },
        { sku: 'TEE-M', title: 'M / Red' },
      ],
    })
    expect(tee!.product.images.map(({ url }) => url)).toEqual([
      'https://example.com/tee.jpg',
      'https://example.com/tee-2.jpg',
    ])
    expect(tee!.stock.map(({ quantities }) => quantities['main-warehouse'])).toEqual([4, 0])
    expect(mug!.product.variants).toMatchObject([{ sku: 'MUG', title: 'Default', options: {} }])
    expect((await outline(source)).skipped).toEqual([{ line: 7, reason: 'gone: its status is draft' }])
  })

  it('takes the newer header names', async () => {
    const text =
      '\uFEFFURL handle,Title,Description,Vendor,Product category,Option1 name,Option1 value,SKU,Inventory quantity,Price\n' +
      'lamp,Lamp,Bright,Acme,Home > Lighting,Finish,Brass,L-1,7,"1,049.00"\n'
    const source = await sourceOf('newer.csv', text)
    const product = (await entriesOf(source)).find((entry) => entry.kind === 'product')
    expect(product?.product).toMatchObject({
      categories: ['home-lighting'],
      variants: [{ price: { amount: 104_900 } }],
    })
    expect((await outline(source)).tree.nodes.get('home-lighting')?.path.map(({ name }) => name)).toEqual([
      'Home',
      'Lighting',
    ])
  })

  it('reports each bad row with its line', async () => {
    const text = `Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty,Option1 Name,Option1 Value
a,A,SKU-A,1.999,1,Size,S
a,,SKU-A2,5,many,Size,M

b,B,SKU-B,5,1,Size,S
c,"C
two lines",SKU-B,5,1,Size,S
b,,SKU-B2,5,1,,M
,No handle,X,1,1,,
d,D,SKU-D,,1,Size,S
`
    const found = await outline(await sourceOf('bad.csv', text))
    expect(found.problems.map(({ line }) => line).sort((x, y) => x - y)).toEqual([2, 3, 6, 8, 9, 10])
    const report = importReport('bad.csv', found)
    expect(report).toContain('line 2: the price "1.999" is not an amount in USD')
    expect(report).toContain('line 8: the product b began on line 5: its rows must follow each other')
    expect(report).toContain('line 6: the SKU SKU-B is on line 5 already')
    expect(report).toContain('6 bad rows, so nothing was imported')
  })

  it.each([
    ['not-shopify.csv', 'name,cost\nx,1\n', /is it a Shopify product CSV/],
    ['empty.csv', '', /empty/],
    ['open-quote.csv', 'Handle,Title,Variant Price\na,"A,1\n', /not CSV/],
  ])('says what is wrong with %s', async (name, text, message) => {
    expect((await outline(await sourceOf(name, text))).problems[0]!.reason).toMatch(message)
  })
})

describe('JSON Lines', () => {
  it('take products in the form of the API, categories, locations and stock', async () => {
    const lines = [
      { type: 'location', id: 'north', name: 'North', kind: 'warehouse', address: '' },
      { type: 'category', id: 'lamps', name: 'Lamps' },
      {
        title: 'Étagère No. 2',
        categories: ['lamps'],
        variants: [{ sku: 'E-2', price: { amount: 100, currency: 'EUR' }, stock: { north: 3 } }],
      },
      {
        id: 'b',
        title: 'B',
        categories: ['Home > Light'],
        variants: [{ sku: 'B', price: { amount: 5, currency: 'EUR' } }],
      },
    ]
    const source = await sourceOf('good.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'))
    const found = await outline(source)
    expect(found.problems).toEqual([])
    expect([...found.listings.keys()].sort()).toEqual(['all', 'home', 'home-light', 'lamps'])
    expect(found.listings.get('all')).toEqual(['b', 'etagere-no-2'])
    expect(found.skusWithoutStock).toBe(1)
  })

  it('report each bad line, and what does not fit together', async () => {
    const good = { title: 'T', variants: [{ sku: 'S', price: { amount: 1, currency: 'USD' } }] }
    const text = [
      '{',
      '[]',
      JSON.stringify({ title: 'x', variants: [] }),
      JSON.stringify(good),
      JSON.stringify(good),
      JSON.stringify({
        ...good,
        id: 'u',
        categories: ['unknown'],
        variants: [{ ...good.variants[0], sku: 'U', stock: { mars: 1 } }],
      }),
      JSON.stringify({ ...good, id: 'w', variants: [{ sku: 'W', price: { amount: 1.5, currency: 'USD' } }] }),
    ].join('\n')
    const found = await outline(await sourceOf('bad.jsonl', text))
    expect(found.problems.map(({ line }) => line).sort()).toEqual([1, 2, 3, 5, 6, 6, 7])
  })
})

describe('the import', () => {
  it('is not seen until it is whole', async () => {
    const face = new Face()
    await face.import(generatedCatalog(60))
    const before = await face.catalog.edition()
    let writes = 0
    face.records.beforeWrite = () =>
      ++writes > 100 ? Promise.reject(new Error('the engine died')) : Promise.resolve()
    await expect(face.import(generatedCatalog(200))).rejects.toThrow('the engine died')
    face.time += 60_000
    face.records.beforeWrite = () => Promise.resolve()
    expect(await face.catalog.edition()).toEqual(before)
    expect((await face.json<{ items: unknown[] }>('/products?limit=100')).body.items.length).toBe(
      before?.products,
    )
  })

  it('leaves the edition before it, and nothing of older ones', async () => {
    const face = new Face()
    for (const skus of [700, 300, 200]) await face.import(generatedCatalog(skus, skus))
    const editions = new Set(
      [...face.records.stored.keys()]
        .map((key) => key.split('/')[2])
        .filter((edition) => edition !== 'current'),
    )
    expect([...editions].sort()).toEqual(['2', '3'])
    const products = (await face.json<{ items: unknown[] }>('/products?limit=100')).body.items
    expect(products.length).toBe((await face.catalog.edition())?.products)
  })

  it('refuses a source with bad rows', async () => {
    const face = new Face()
    const source = await sourceOf('one-bad.jsonl', '{"title":"x"}')
    const { records, stock, now } = face
    const found = await outline(source)
    await expect(
      importCatalog(source, found, { records, stock, now, defaultStock: 1 }, () => {}),
    ).rejects.toThrow()
    expect(records.stored.size).toBe(0)
  })

  it('keeps records bounded for a large catalogue', async () => {
    const face = new Face()
    await face.import(generatedCatalog(10_000))
    const sizes = [...face.records.stored.values()].map(({ bins }) =>
      Object.values(bins).reduce<number>((sum, bin) => sum + Buffer.byteLength(String(bin)), 0),
    )
    expect(Math.max(...sizes)).toBeLessThan(64 * 1024)
    expect((await face.catalog.edition())?.skus).toBe(10_000)
  })
})

describe('the generated catalogue', () => {
  it('is the same for the same seed, another for another, and always valid', async () => {
    const one = await entriesOf(generatedCatalog(500, 7))
    expect(await entriesOf(generatedCatalog(500, 7))).toEqual(one)
    expect(await entriesOf(generatedCatalog(500, 8))).not.toEqual(one)
    expect((await outline(generatedCatalog(5000))).problems).toEqual([])
    for (const entry of one) if (entry.kind === 'product') ProductSchema.parse(entry.product)
  })
})

describe('descriptions', () => {
  it('lose their markup and scripts', () => {
    expect(
      plainTextOf(
        '<p>A&nbsp;<b>b</b> &#39;c&#x27; &lt;i&gt;</p><script>alert(1)</script><ul><li>x</li></ul>',
      ),
    ).toBe("A b 'c' <i>\n\nx")
  })
})

describe.runIf(available('shared-data', 'import of the shared open data'))('the shared open data', () => {
  it('gives products, the category tree and shops as stock locations', async () => {
    const shared = join(import.meta.dirname, '../../../../shared/data')
    const source = await openCatalogSource(shared, 'USD')
    const found = await outline(source)
    expect(found.problems).toEqual([])
    expect([found.products, found.locations.length]).toEqual([101, 1566])
    expect(found.tree.nodes.size).toBeGreaterThan(4584)
    const face = new Face()
    await face.import(source)
    expect((await face.json<{ items: unknown[] }>('/categories/footwear/products')).body.items.length).toBe(
      13,
    )
    expect((await face.json<{ items: unknown[] }>('/locations')).body.items.length).toBe(1566)
  })
})
