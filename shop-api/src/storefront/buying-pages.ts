import { html } from 'hono/html'
import type { CartView } from '../carts/cart.ts'
import { formatMoney, type Money } from '../catalog/money.ts'
import type { Order } from '../orders/order.ts'
import { artUrl } from './art.ts'
import { note, type Html } from './layout.ts'

type LineView = CartView['lines'][number]

/** Categories by SKU, for the drawings of lines. */
export type CategoriesBySku = ReadonlyMap<string, string>

function lineView(line: LineView, categories: CategoriesBySku, now: number): Html {
  const minutes = Math.max(1, Math.ceil((Date.parse(line.hold.deadline) - now) / 60_000))
  const held = line.hold.state === 'held'
  const title = line.variantTitle === 'Default' ? '' : line.variantTitle
  return html`<li class="line">
    <img src="${artUrl(line.productId, categories.get(line.sku) ?? '')}" alt="" width="96" height="96" />
    <div>
      <h3><a href="/shop/p/${line.productId}">${line.title}</a></h3>
      <span class="muted">${title}</span>
      <div class="stock ${held ? '' : 'none'}">
        ${held ? `Yours for ${minutes} min` : 'No longer reserved: press Update to take it again'}
      </div>
      <form method="post" action="/shop/cart/set">
        <input type="hidden" name="sku" value="${line.sku}" />
        <input
          type="number"
          name="quantity"
          value="${line.quantity}"
          min="1"
          max="99"
          aria-label="Quantity of ${line.title}"
        />
        <button class="button plain small">Update</button>
        <button class="button plain small" formaction="/shop/cart/remove" formnovalidate>Remove</button>
      </form>
    </div>
    <span class="price">${formatMoney(line.lineTotal)}</span>
  </li>`
}

export interface CartPageContent {
  readonly cart: CartView | undefined
  readonly categories: CategoriesBySku
  readonly now: number
  readonly problem: string | undefined
}

export function cartPage({ cart, categories, now, problem }: CartPageContent): Html {
  if (!cart || cart.lines.length === 0)
    return html`${note('bad', problem)}
      <div class="empty">
        <h1>Your cart is empty</h1>
        <a class="button" href="/shop/c/all">Look around</a>
      </div>`
  return html`<h1>Cart</h1>
    ${note('bad', problem)}
    <div class="columns">
      <ul class="lines">
        ${cart.lines.map((line) => lineView(line, categories, now))}
      </ul>
      <aside class="panel" aria-label="Sum">
        <dl class="sum">
          <dt>${cart.itemCount} ${cart.itemCount === 1 ? 'item' : 'items'}</dt>
          <dd>${cart.subtotal ? formatMoney(cart.subtotal) : ''}</dd>
        </dl>
        <span class="muted">Shipping and tax are added at checkout.</span>
        <a class="button" href="/shop/checkout">Check out</a>
      </aside>
    </div>`
}

export interface Sums {
  readonly subtotal: Money
  readonly shipping: Money
  readonly tax: Money
  readonly total: Money
}

function sumView(sums: Sums): Html {
  return html`<dl class="sum">
    <dt>Goods</dt>
    <dd>${formatMoney(sums.subtotal)}</dd>
    <dt>Shipping</dt>
    <dd>${sums.shipping.amount === 0 ? 'Free' : formatMoney(sums.shipping)}</dd>
    <dt>Tax</dt>
    <dd>${formatMoney(sums.tax)}</dd>
    <dt class="total">Total</dt>
    <dd class="total">${formatMoney(sums.total)}</dd>
  </dl>`
}

export interface CheckoutPageContent {
  readonly cart: CartView
  readonly sums: Sums
  /** Sent with the form, so that pressing the button twice buys once. */
  readonly idempotencyKey: string
  readonly values: Readonly<Record<string, string>>
  readonly problem: string | undefined
  /** What is wrong with a field, by its name. */
  readonly wrong?: Readonly<Record<string, string>>
}

export const fields = [
  { name: 'email', label: 'Email', type: 'email', autocomplete: 'email', half: false, max: 254 },
  { name: 'name', label: 'Name', type: 'text', autocomplete: 'name', half: false, max: 200 },
  {
    name: 'line1',
    label: 'Street and number',
    type: 'text',
    autocomplete: 'address-line1',
    half: false,
    max: 200,
  },
  {
    name: 'postalCode',
    label: 'Postal code',
    type: 'text',
    autocomplete: 'postal-code',
    half: true,
    max: 20,
  },
  { name: 'city', label: 'City', type: 'text', autocomplete: 'address-level2', half: true, max: 120 },
] as const

const countries = [
  ['US', 'United States'],
  ['CA', 'Canada'],
  ['GB', 'United Kingdom'],
  ['DE', 'Germany'],
  ['FR', 'France'],
  ['IN', 'India'],
  ['JP', 'Japan'],
  ['AU', 'Australia'],
] as const

const payments = [
  ['test-ok', 'Test card (is accepted)'],
  ['test-declined', 'Test card that is declined'],
] as const

type Field = (typeof fields)[number]

function fieldView(
  { name, label, type, autocomplete, half, max }: Field,
  value: string,
  wrong?: string,
): Html {
  return html`<label class="field ${half ? 'half' : ''}"
    >${label}
    <input
      type="${type}"
      name="${name}"
      autocomplete="${autocomplete}"
      maxlength="${max}"
      value="${value}"
      required
      ${wrong === undefined ? '' : html`aria-invalid="true" aria-describedby="wrong-${name}"`}
    />
    ${wrong === undefined ? '' : html`<span class="wrong" id="wrong-${name}">${wrong}</span>`}</label
  >`
}

export function checkoutPage(shown: CheckoutPageContent): Html {
  const { cart, sums, idempotencyKey, values, problem, wrong = {} } = shown
  return html`<h1>Check out</h1>
    ${note('bad', problem)}
    <form method="post" action="/shop/checkout" class="columns">
      <div class="panel form">
        <input type="hidden" name="key" value="${idempotencyKey}" />
        <input type="hidden" name="total" value="${sums.total.amount}" />
        ${fields.map((field) => fieldView(field, values[field.name] ?? '', wrong[field.name]))}
        <label class="field"
          >Country
          <select name="country" autocomplete="country">
            ${countries.map(([code, name]) => html`<option value="${code}" ${values.country === code ? 'selected' : ''}>${name}</option>`)}
          </select></label
        >
        <label class="field"
          >Payment
          <select name="paymentMethod">
            ${payments.map(([id, name]) => html`<option value="${id}">${name}</option>`)}
          </select></label
        >
      </div>
      <aside class="panel" aria-label="Your order">
        <h2>Your order</h2>
        <ul class="muted">
          ${cart.lines.map((line) => html`<li>${line.quantity} × ${line.title}</li>`)}
        </ul>
        ${sumView(sums)}
        <button class="button">Pay ${formatMoney(sums.total)}</button>
      </aside>
    </form>`
}

const states = {
  placed: ['good', 'Thank you. Your order is placed.'],
  processing: ['', 'Your order is being worked on. This page shows the result when you load it again.'],
  cancelled: ['bad', 'This order was cancelled; nothing was charged.'],
} as const

export function orderPage(order: Order): Html {
  const [kind, text] = states[order.status]
  const { name, line1, line2, postalCode, city, country } = order.address
  return html`<h1>Order ${order.number}</h1>
    <div class="section">${note(kind, text)}</div>
    <div class="columns">
      <ul class="lines">
        ${order.lines.map(
          (line) =>
            html`<li class="panel">
              <div class="sum">
                <h3>${line.quantity} × ${line.title}</h3>
                <span class="price">${formatMoney(line.lineTotal)}</span>
              </div>
              <span class="muted">${line.variantTitle === 'Default' ? line.sku : line.variantTitle}</span>
            </li>`,
        )}
      </ul>
      <aside class="panel" aria-label="Sum and address">
        ${sumView(order)}
        <address class="muted">
          ${[name, line1, line2, `${postalCode} ${city}`, country].filter(Boolean).map((part) => html`${part}<br />`)}
        </address>
        <span class="muted">We write to ${order.email}</span>
      </aside>
    </div>`
}

export function problemPage(title: string, detail: string): Html {
  return html`<div class="empty">
    <h1>${title}</h1>
    <p class="muted">${detail}</p>
    <a class="button" href="/">To the start page</a>
  </div>`
}
