import { type Client, ClientError, connect, type Node, startNode } from '@larder/engine'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'

interface Product {
  readonly name: string
  readonly price: number
}

function parse(bins: Readonly<Record<string, unknown>>): Product {
  const { name, price } = bins
  if (typeof name !== 'string' || typeof price !== 'number')
    throw new Error('name is text and price a number')
  return { name, price }
}

let node: Node
let client: Client

beforeAll(async () => {
  node = await startNode({ port: 0 })
  client = await connect({ node })
})

afterAll(async () => {
  await client.close()
  await node.close()
})

describe('records of one form', () => {
  it('are written, changed, read and removed as such', async () => {
    const products = client.records({ namespace: 'test', set: 'product', parse })
    await products.put('laptop', { name: 'Laptop', price: 99 })
    await products.update('laptop', { price: 95 })
    const found = await products.get('laptop', { batched: true })
    expectTypeOf(found!.bins).toEqualTypeOf<Product>()
    expect(found).toMatchObject({ bins: { name: 'Laptop', price: 95 }, generation: 2 })
    const many = await products.getMany(['none', 'laptop'])
    expect(many.map((record) => record?.bins.name)).toEqual([undefined, 'Laptop'])
    await expect(products.update('none', { price: 1 })).rejects.toMatchObject({ reason: 'NOT_FOUND' })
    expect(await products.remove('laptop')).toBe(true)
    expect(await products.get('laptop')).toBeUndefined()
  })

  it('are an error that says why where they have another form', async () => {
    const products = client.records({ namespace: 'test', set: 'product', parse })
    await client.put(products.keyOf('bad'), { name: 5, price: 1 })
    const error = await products.get('bad').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ClientError)
    expect(error).toMatchObject({
      reason: 'FORM',
      message: expect.stringContaining('name is text') as string,
    })
    await products.put('bad', { name: 'good', price: 1 })
    expect((await products.get('bad'))!.bins).toEqual({ name: 'good', price: 1 })
  })
})
