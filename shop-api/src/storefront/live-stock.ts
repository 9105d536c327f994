/** The one script of the storefront, as the browser gets it. */
export const liveStockScript = `// Keeps the stock shown on a product page fresh. The page is whole without it.
const shown = [...document.querySelectorAll('[data-stock]')]
const product = document.querySelector('[data-product]')?.getAttribute('data-product')

async function refresh() {
  if (document.hidden) return
  const answer = await fetch(\`/shop/stock/\${encodeURIComponent(product)}\`)
  if (!answer.ok) return
  const { stock } = await answer.json()
  for (const element of shown) {
    const now = stock[element.getAttribute('data-stock')]
    if (!now || element.textContent === now.text) continue
    element.textContent = now.text
    element.className = \`stock \${now.level}\`
    const choice = element.parentElement.querySelector('input')
    if (choice) choice.disabled = now.level === 'none'
  }
}

if (product && shown.length > 0) setInterval(() => void refresh().catch(() => {}), 5000)
`
