import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { categoryTree } from '../../../shop-api/src/catalog/category.ts'
import {
  LISTING_FANOUT,
  listingHeight,
  listingNodes,
  readListing,
} from '../../../shop-api/src/catalog/listing-tree.ts'
import { formatMoney, parsePrice } from '../../../shop-api/src/catalog/money.ts'
import type { Product, ProductCard } from '../../../shop-api/src/catalog/product.ts'
import { generatedCatalog } from '../../../shop-api/src/import/generator.ts'
import { Face } from '../support/face.ts'

interface PageBody {
  items: ProductCard[]
  nextCursor: string | null
}

const idOf = (number: number) => `p${String(number).padStart(7, '0')}`

function treeOf(ids: readonly string[]) {
  const nodes = new Map([...listingNodes(ids)].map((node) => [`${node.level}/${node.index}`, node.ids]))
  let reads = 0
  const read = async (level: number, index: number) => {
    reads++
    return nodes.get(`${level}/${index}`) ?? []
  }
  return { nodes, read, reads: () => reads }
}

describe('the listing tree', () => {
  it('gives every page of every listing, from any place in it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 700 }),
        fc.integer({ min: 1, max: 60 }),
        fc.nat(800),
        async (count, limit, place) => {
          const ids = Array.from({ length: count }, (_, at) => idOf(at * 2))
          const after = idOf(place)
          const { read } = treeOf(ids)
          expect(await readListing(count, after, limit, read)).toEqual(
            ids.filter((id) => id > after).slice(0, limit),
          )
          expect(await readListing(count, undefined, limit, read)).toEqual(ids.slice(0, limit))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('bounds its nodes, and reads one a level', async () => {
    const count = LISTING_FANOUT * LISTING_FANOUT + 1
    const tree = treeOf(Array.from({ length: count }, (_, at) => idOf(at)))
    expect(Math.max(...[...tree.nodes.values()].map((ids) => ids.length))).toBe(LISTING_FANOUT)
    expect([0, 1, 256, 257, 65_536, count].map(listingHeight)).toEqual([0, 1, 1, 2, 2, 3])
    expect(await readListing(count, idOf(65_530), 3, tree.read)).toEqual([65_531, 65_532, 65_533].map(idOf))
    expect(tree.reads()).toBe(3)
  })
})

describe('paging', () => {
  it('shows every product once, in order, and ends', async () => {
    const face = new Face()
    await face.import(generatedCatalog(300))
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const path: string = `/products?limit=7${cursor === null ? '' : `&cursor=${cursor}`}`
      const { body } = await face.json<PageBody>(path)
      seen.push(...body.items.map((item) => item.id))
      cursor = body.nextCursor
    } while (cursor !== null)
    const edition = await face.catalog.edition()
    expect(seen.length).toBe(edition?.products)
    expect(seen).toEqual([...new Set(seen)].sort())
  })

  it('goes on in the right place after another import', async () => {
    const face = new Face()
    await face.import(generatedCatalog(100))
    const first = (await face.json<PageBody>('/products?limit=5')).body
    await face.import(generatedCatalog(200))
    const next = (await face.json<PageBody>(`/products?limit=5&cursor=${first.nextCursor}`)).body
    expect(next.items.every((item) => item.id > first.items.at(-1)!.id)).toBe(true)
    const all = (await face.json<PageBody>('/products?limit=100')).body.items.map((item) => item.id)
    const place = all.findIndex((id) => id > first.items.at(-1)!.id)
    expect(next.items.map((item) => item.id)).toEqual(all.slice(place, place + 5))
  })

  it('takes a cursor only where it was made', async () => {
    const face = new Face()
    await face.import()
    const { body } = await face.json<PageBody>('/products?limit=5')
    const other = await face.json<{ code: string }>(`/categories/pantry/products?cursor=${body.nextCursor}`)
    expect([other.status, other.body.code]).toEqual([400, 'invalid-cursor'])
  })
})

describe('categories', () => {
  it('list what is below them, and count it', async () => {
    const face = new Face()
    await face.import()
    const root = (await face.json<{ children: { id: string; productCount: number }[] }>('/categories')).body
    expect(root.children.map(({ id }) => id)).toContain('pantry')
    for (const { id, productCount } of root.children) {
      const { body } = await face.json<PageBody>(`/categories/${id}/products?limit=100`)
      expect(body.items.length).toBe(productCount)
    }
    const tea = (await face.json<{ path: { id: string }[] }>('/categories/tea')).body
    expect(tea.path.map(({ id }) => id)).toEqual(['pantry', 'tea'])
  })

  it('refuse loops, orphans and doubles', () => {
    const reason = (...inputs: { id: string; parent?: string }[]) => {
      const tree = categoryTree(inputs.map((input) => ({ name: input.id, ...input })))
      return tree.ok ? 'ok' : tree.reason
    }
    expect(reason({ id: 'a', parent: 'b' }, { id: 'b' })).toBe('ok')
    expect(reason({ id: 'a', parent: 'b' }, { id: 'b', parent: 'a' })).toMatch(/loop/)
    expect(reason({ id: 'a', parent: 'x' })).toMatch(/not in the catalogue/)
    expect(reason({ id: 'a' }, { id: 'a' })).toMatch(/twice/)
  })
})

describe('a product', () => {
  it('is answered whole', async () => {
    const face = new Face()
    await face.import()
    const { items } = (await face.json<PageBody>('/products?limit=1')).body
    const { body, headers } = await face.json<Product>(`/products/${items[0]!.id}`)
    expect(headers.get('content-type')).toBe('application/json')
    expect(body.variants.length).toBe(items[0]!.variantCount)
    expect(body.variants[0]!.price).toEqual(items[0]!.priceFrom)
  })
})

describe('money', () => {
  it.each([
    ['19.99', 1999],
    ['1,299', 129_900],
    ['$5', 500],
    ['0.1', 10],
    ['4.350', 435],
    ['0', 0],
    ['1.999', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['12,34', undefined],
    ['', undefined],
  ])('reads %j as %j', (text, amount) => {
    expect(parsePrice(text, 'USD')?.amount).toBe(amount)
  })

  it('knows currencies without decimals', () => {
    expect(parsePrice('1200', 'JPY')).toEqual({ amount: 1200, currency: 'JPY' })
    expect(parsePrice('1200.5', 'JPY')).toBeUndefined()
    expect(formatMoney({ amount: 1200, currency: 'JPY' })).toBe('¥1,200')
    expect(formatMoney({ amount: 129_905, currency: 'USD' })).toBe('$1,299.05')
  })
})
