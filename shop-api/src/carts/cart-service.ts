import { randomBytes } from 'node:crypto'
import type { CatalogStore } from '../catalog/catalog-store.ts'
import { Problem } from '../http/problem.ts'
import { CartIdSchema, LINES_MAX, QUANTITY_MAX, ifMatchAllows, type Cart, type CartLine } from './cart.ts'
import type { CartStore } from './cart-store.ts'
import type { HeldStock, HoldOutcome, StockPort } from './stock-port.ts'

/** Rounds a request makes before it gives way to the others that change the same cart. */
const ATTEMPTS_MAX = 8

export interface CartServiceOptions {
  readonly carts: CartStore
  readonly catalog: Pick<CatalogStore, 'findSku'>
  readonly stock: Pick<StockPort, 'hold' | 'release'>
  readonly now: () => number
  readonly newId?: () => string
}

const cartNotFound = (id: string) =>
  new Problem('cart-not-found', `There is no cart ${id}, or it has expired`)

const cartBusy = (id: string) =>
  new Problem('cart-busy', `The cart ${id} is changed by several requests at once; try again`)

function refuseUnheld(outcome: HoldOutcome, sku: string, quantity: number): void {
  if (outcome.kind === 'sold-out')
    throw new Problem('sold-out', `${quantity} of ${sku} were asked for and ${outcome.available} are left`, {
      members: { sku, requested: quantity, available: outcome.available },
    })
  if (outcome.kind === 'unsettled')
    throw new Problem(
      'stock-unsettled',
      'It is not known yet whether the stock was taken; send the request again',
      {
        headers: { 'retry-after': String(outcome.retryAfterSeconds) },
      },
    )
}

/** Decides the quantity a line should have from the one it has (0 without a line). */
type Wanted = (present: number) => number

/**
 * Carts whose lines hold stock. Adding takes the units first and writes the cart after, by its generation, so the
 * cart never shows what it does not hold; a process that dies in between leaves a hold that lapses.
 *
 * The hold id is cart, line and the revision that the change would make. Two copies of one request read the same
 * revision, name the same hold, and so take the units once. One of them writes the cart; the other fails by its
 * generation, reads again, and finds its own hold written there. Should two unlike requests meet on a revision,
 * the hold's quantity tells, and the one it is not right for moves the cart to a fresh revision.
 */
export class CartService {
  readonly #carts: CartStore
  readonly #catalog: Pick<CatalogStore, 'findSku'>
  readonly #stock: Pick<StockPort, 'hold' | 'release'>
  readonly #now: () => number
  readonly #newId: () => string

  constructor(options: CartServiceOptions) {
    this.#carts = options.carts
    this.#catalog = options.catalog
    this.#stock = options.stock
    this.#now = options.now
    this.#newId = options.newId ?? (() => randomBytes(16).toString('base64url'))
  }

  async create(): Promise<Cart> {
    return this.#carts.create({ id: this.#newId(), revision: 0, updatedAt: this.#now(), lines: [] })
  }

  /** @throws Problem cart-not-found */
  async read(id: string): Promise<Cart> {
    const cart = await this.#carts.find(id)
    if (!cart) throw cartNotFound(id)
    return cart
  }

  async #readForChange(id: string, ifMatch: string | undefined): Promise<Cart> {
    const cart = await this.read(id)
    this.#checkVersion(cart, ifMatch)
    return cart
  }

  #checkVersion(cart: Cart, ifMatch: string | undefined): void {
    if (ifMatch !== undefined && !ifMatchAllows(ifMatch, cart))
      throw new Problem('cart-changed', `The cart ${cart.id} has changed since; read it again`)
  }

  /** Adds units of a SKU, to its line where it has one. */
  addLine(id: string, sku: string, quantity: number, ifMatch?: string): Promise<Cart> {
    return this.#change(id, sku, (present) => present + quantity, ifMatch)
  }

  /** Makes a line hold exactly this quantity; the same call again changes nothing, but renews a lapsed hold. */
  setLine(id: string, sku: string, quantity: number, ifMatch?: string): Promise<Cart> {
    return this.#change(id, sku, () => quantity, ifMatch)
  }

  async #change(id: string, sku: string, wanted: Wanted, ifMatch: string | undefined): Promise<Cart> {
    const known = await this.#catalog.findSku(sku)
    if (!known) throw new Problem('sku-not-found', `There is no SKU ${sku}`)
    let mine: HeldStock | undefined
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const cart = await this.#carts.find(id)
      const line = cart?.lines.find((each) => each.sku === sku)
      if (cart && mine && line?.hold.holdId === mine.holdId) return cart
      if (mine) await this.#stock.release(sku, mine)
      mine = undefined
      if (!cart) throw cartNotFound(id)
      this.#checkVersion(cart, ifMatch)
      const quantity = wanted(line?.quantity ?? 0)
      this.#checkBounds(cart, line, quantity, known.price.currency)
      if (line && line.quantity === quantity && line.hold.deadline > this.#now()) return cart

      const revision = cart.revision + 1
      const outcome = await this.#stock.hold({
        holdId: `${cart.id}.${sku}.${revision}`,
        sku,
        quantity,
        replaces: line?.hold,
      })
      refuseUnheld(outcome, sku, quantity)
      const next = { ...cart, revision, updatedAt: this.#now() }
      if (outcome.kind !== 'held' || outcome.hold.quantity !== quantity) {
        await this.#carts.replace(cart.generation, next)
        continue
      }
      mine = outcome.hold
      const { productId, title, variantTitle, price: unitPrice } = known
      const changed: CartLine = { sku, productId, title, variantTitle, quantity, unitPrice, hold: mine }
      const lines = line
        ? cart.lines.map((each) => (each.sku === sku ? changed : each))
        : [...cart.lines, changed]
      const written = await this.#carts.replace(cart.generation, { ...next, lines })
      // A hold at another location has not taken over the units of the one before.
      if (written && line && line.hold.location !== mine.location) await this.#stock.release(sku, line.hold)
      if (written) return written
    }
    if (mine) await this.#stock.release(sku, mine)
    throw cartBusy(id)
  }

  #checkBounds(cart: Cart, line: CartLine | undefined, quantity: number, currency: string): void {
    if (quantity > QUANTITY_MAX)
      throw new Problem(
        'quantity-limit',
        `The line would hold ${quantity} units; at most ${QUANTITY_MAX} may be in it`,
      )
    if (!line && cart.lines.length >= LINES_MAX)
      throw new Problem('cart-full', `The cart has ${cart.lines.length} lines; more do not fit`)
    const first = cart.lines[0]
    if (first && first.unitPrice.currency !== currency)
      throw new Problem(
        'currency-mismatch',
        `The cart is in ${first.unitPrice.currency}, the SKU in ${currency}`,
      )
  }

  async removeLine(id: string, sku: string, ifMatch?: string): Promise<Cart> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const cart = await this.#readForChange(id, ifMatch)
      const line = cart.lines.find((each) => each.sku === sku)
      if (!line) throw new Problem('line-not-found', `The cart ${id} has no line with SKU ${sku}`)
      const lines = cart.lines.filter((each) => each.sku !== sku)
      const next = { ...cart, revision: cart.revision + 1, updatedAt: this.#now(), lines }
      const written = await this.#carts.replace(cart.generation, next)
      if (!written) continue
      await this.#stock.release(sku, line.hold)
      return written
    }
    throw cartBusy(id)
  }

  /** Ends a cart and gives back what it holds. */
  async remove(id: string, ifMatch?: string): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const cart = await this.#readForChange(id, ifMatch)
      const next = { ...cart, revision: cart.revision + 1, updatedAt: this.#now(), lines: [] }
      if (!(await this.#carts.replace(cart.generation, next))) continue
      for (const { sku, hold } of cart.lines) await this.#stock.release(sku, hold)
      await this.#carts.remove(id)
      return
    }
    throw cartBusy(id)
  }

  /** The lines with their holds, for checkout; undefined when there is no such cart. */
  async linesForCheckout(id: string): Promise<readonly CartLine[] | undefined> {
    return CartIdSchema.safeParse(id).success ? (await this.#carts.find(id))?.lines : undefined
  }

  /** Takes the lines of these holds out of the cart, which have become an order; what was added since stays. */
  async removeBought(id: string, holdIds: readonly string[]): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const cart = await this.#carts.find(id)
      if (!cart) return
      const lines = cart.lines.filter((line) => !holdIds.includes(line.hold.holdId))
      if (lines.length === cart.lines.length) return
      const next = { ...cart, revision: cart.revision + 1, updatedAt: this.#now(), lines }
      if (await this.#carts.replace(cart.generation, next)) return
    }
    throw cartBusy(id)
  }
}
