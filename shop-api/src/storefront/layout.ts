import { html } from 'hono/html'
import type { CategoryLink } from '../catalog/category.ts'

export type Html = ReturnType<typeof html>

export interface Frame {
  readonly title: string
  readonly departments: readonly CategoryLink[]
  readonly cartCount: number
  /** The department the page belongs to. */
  readonly current?: string | undefined
  readonly script?: string | undefined
}

export function page(frame: Frame, content: Html): Html {
  const link = ({ id, name }: CategoryLink) =>
    html`<a href="/shop/c/${id}" ${id === frame.current ? html`aria-current="page"` : ''}>${name}</a>`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${frame.title} · Larder</title>
        <link rel="icon" href="/shop/art/jar/larder.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/shop/style.css" />
        ${frame.script ? html`<script type="module" src="${frame.script}"></script>` : ''}
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header class="top">
          <div class="wrap">
            <a class="brand" href="/">Larder</a>
            <nav aria-label="Departments">${frame.departments.map(link)}</nav>
            <a class="basket" href="/shop/cart" aria-label="Cart, ${frame.cartCount} items"
              >Cart · ${frame.cartCount}</a
            >
          </div>
        </header>
        <main class="wrap" id="content">${content}</main>
        <footer class="foot">
          <div class="wrap">
            <span>Larder, a demonstration store: nothing is really sold or charged.</span>
            <a href="/docs">API documentation</a>
          </div>
        </footer>
      </body>
    </html>`
}

export function note(kind: 'bad' | 'good' | '', text: string | undefined): Html | '' {
  return text === undefined
    ? ''
    : html`<p class="note ${kind}" role="${kind === 'bad' ? 'alert' : 'status'}">${text}</p>`
}

export function crumbs(path: readonly CategoryLink[]): Html {
  return html`<nav class="crumbs" aria-label="You are here">
    <ol>
      <li><a href="/shop/c/all">All products</a></li>
      ${path.map(({ id, name }) => html`<li><a href="/shop/c/${id}">${name}</a></li>`)}
    </ol>
  </nav>`
}
