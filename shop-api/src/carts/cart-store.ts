import { hasReason, type RecordKey, type Records } from '../records.ts'
import { StoredCartSchema, type Cart, type StoredCart } from './cart.ts'

export const CART_TTL_SECONDS = 30 * 24 * 3600

const keyOf = (id: string): RecordKey => ({ namespace: 'shop', set: 'carts', key: id })

/** Keeps carts in `shop`; each write gives a cart 30 more days. */
export class CartStore {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  async find(id: string): Promise<Cart | undefined> {
    const found = await this.#records.get(keyOf(id))
    return (
      found && {
        ...StoredCartSchema.parse(JSON.parse(String(found.bins.json))),
        generation: found.generation,
      }
    )
  }

  async create(cart: StoredCart): Promise<Cart> {
    const policy = { ttl: CART_TTL_SECONDS, exists: 'create' } as const
    await this.#records.put(keyOf(cart.id), { json: JSON.stringify(cart) }, policy)
    return { ...cart, generation: 1 }
  }

  /** Writes the next version where the cart is still at `generation`; undefined when it is not. */
  async replace(generation: number, cart: StoredCart): Promise<Cart | undefined> {
    const policy = { ttl: CART_TTL_SECONDS, exists: 'update', generation } as const
    try {
      await this.#records.put(keyOf(cart.id), { json: JSON.stringify(StoredCartSchema.parse(cart)) }, policy)
      // The engine counts generations up by one; an exact read would cost a round trip for the same number.
      return { ...StoredCartSchema.parse(cart), generation: generation + 1 }
    } catch (error) {
      if (hasReason(error, 'GENERATION', 'NOT_FOUND')) return undefined
      throw error
    }
  }

  async remove(id: string): Promise<boolean> {
    return this.#records.remove(keyOf(id))
  }
}
