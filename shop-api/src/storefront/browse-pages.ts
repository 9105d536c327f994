import { html } from 'hono/html'
import type { Category } from '../catalog/category.ts'
import { formatMoney } from '../catalog/money.ts'
import type { Product, ProductCard, Variant } from '../catalog/product.ts'
import { artUrl } from './art.ts'
import { crumbs, note, type Html } from './layout.ts'
import { stockWords } from './stock-words.ts'

function cardView(card: ProductCard): Html {
  const from = card.priceTo.amount > card.priceFrom.amount ? 'from ' : ''
  return html`<li>
    <article class="card">
      <img
        src="${card.image ?? artUrl(card.id, card.category)}"
        alt=""
        loading="lazy"
        width="400"
        height="400"
      />
      <div class="text">
        <span class="muted">${card.brand}</span>
        <h3><a href="/shop/p/${card.id}">${card.title}</a></h3>
        <span class="price">${from}${formatMoney(card.priceFrom)}</span>
      </div>
    </article>
  </li>`
}

export interface Shelf {
  readonly category: { readonly id: string; readonly name: string }
  readonly cards: readonly ProductCard[]
}

export function homePage(shelves: readonly Shelf[]): Html {
  const pictures = shelves.flatMap(({ cards }) => cards.slice(0, 1)).slice(0, 4)
  return html`<section class="hero">
      <div>
        <h1>Good things for the kitchen and the rest of the house</h1>
        <p>What you put into your cart is yours for 15 minutes. It cannot sell out while you check out.</p>
        <a class="button" href="/shop/c/all">See everything</a>
      </div>
      <div class="hero-art">
        ${pictures.map((card) => html`<img src="${card.image ?? artUrl(card.id, card.category)}" alt="" />`)}
      </div>
    </section>
    ${shelves.map(
      ({ category, cards }) =>
        html`<section>
          <div class="section">
            <h2>${category.name}</h2>
            <a href="/shop/c/${category.id}">All of ${category.name}</a>
          </div>
          <ul class="grid four">
            ${cards.map(cardView)}
          </ul>
        </section>`,
    )}
    ${shelves.length === 0 ? html`<div class="empty"><p>The catalogue is empty.</p></div>` : ''}`
}

export interface CategoryPageContent {
  readonly category: Category
  readonly cards: readonly ProductCard[]
  readonly nextCursor: string | undefined
  readonly isFirst: boolean
}

export function categoryPage({ category, cards, nextCursor, isFirst }: CategoryPageContent): Html {
  const children = category.children.filter((child) => child.productCount > 0)
  const products = category.productCount === 1 ? '1 product' : `${category.productCount} products`
  return html`${category.id === 'all' ? '' : crumbs(category.path)}
    <h1>${category.name}</h1>
    <p class="muted">${products}</p>
    ${
      children.length === 0
        ? ''
        : html`<ul class="chips" aria-label="Categories">
            ${children.map(
              ({ id, name, productCount }) =>
                html`<li>
                  <a href="/shop/c/${id}">${name} <span class="muted">${productCount}</span></a>
                </li>`,
            )}
          </ul>`
    }
    ${
      cards.length === 0
        ? html`<div class="empty">
            <p>Nothing here at the moment.</p>
            <a class="button" href="/shop/c/all">See everything</a>
          </div>`
        : html`<ul class="grid">
            ${cards.map(cardView)}
          </ul>`
    }
    <div class="more section">
      ${isFirst ? '' : html`<a class="button plain" href="/shop/c/${category.id}">Back to the start</a>`}
      ${nextCursor ? html`<a class="button plain" rel="next" href="/shop/c/${category.id}?cursor=${nextCursor}">More products</a>` : ''}
    </div>`
}

function variantView(variant: Variant, available: number, checked: boolean): Html {
  const { text, level } = stockWords(available)
  const was = variant.compareAtPrice
  const before = was && was.amount > variant.price.amount ? html`<s>${formatMoney(was)}</s>` : ''
  return html`<label class="variant">
    <input
      type="radio"
      name="sku"
      value="${variant.sku}"
      required
      ${checked ? 'checked' : ''}
      ${available > 0 ? '' : 'disabled'}
    />
    <span>${variant.title === 'Default' ? 'One size' : variant.title}</span>
    <span class="price">${formatMoney(variant.price)}${before}</span>
    <span class="stock ${level}" data-stock="${variant.sku}">${text}</span>
  </label>`
}

export interface ProductPageContent {
  readonly product: Product
  readonly category: Category | undefined
  readonly available: ReadonlyMap<string, number>
  readonly problem: string | undefined
}

export function productPage({ product, category, available, problem }: ProductPageContent): Html {
  const left = (variant: Variant) => available.get(variant.sku) ?? 0
  const first = product.variants.find((variant) => left(variant) > 0)
  const image = product.images[0]
  return html`${crumbs(category?.path ?? [])} ${note('bad', problem)}
    <article class="product" data-product="${product.id}">
      <img
        src="${image?.url ?? artUrl(product.id, product.categories[0]!)}"
        alt="${image?.alt ?? ''}"
        width="560"
        height="560"
      />
      <div class="about">
        <span class="muted">${product.brand}</span>
        <h1>${product.title}</h1>
        <p>${product.description}</p>
        <form method="post" action="/shop/cart/add">
          <fieldset>
            <legend>${product.options[0]?.name ?? 'Choose'}</legend>
            <div class="variants">
              ${product.variants.map((variant) => variantView(variant, left(variant), variant === first))}
            </div>
          </fieldset>
          <div class="buy section">
            <label class="field"
              >Quantity
              <input type="number" name="quantity" value="1" min="1" max="99" inputmode="numeric" required
            /></label>
            <button class="button" ${first ? '' : 'disabled'}>${first ? 'Put into cart' : 'Sold out'}</button>
          </div>
        </form>
      </div>
    </article>`
}
