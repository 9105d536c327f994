import { mkdirSync } from 'node:fs'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generatedCatalog } from '../../../shop-api/src/import/generator.ts'
import { startRealStore } from '../../shop/support/real-store.ts'
import { available } from '../../support/requirement.ts'

/** Set it to a folder to look at every page of the walk. */
const shots = process.env.LARDER_SCREENSHOTS
const programs = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

async function launch(): Promise<Browser> {
  for (const executablePath of programs)
    try {
      return await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    } catch (error) {
      if (!(error as Error).message.includes("doesn't exist")) throw error
    }
  throw new Error(`none of ${programs.join(', ')} is here`)
}

const visitors: [string, BrowserContextOptions][] = [
  ['desktop', { viewport: { width: 1280, height: 900 } }],
  ['phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
  ['phone without scripts', { viewport: { width: 390, height: 844 }, javaScriptEnabled: false }],
]

describe.runIf(available('chromium', 'the storefront in a browser'))('the storefront', () => {
  let browser: Browser
  let store: Awaited<ReturnType<typeof startRealStore>>

  beforeAll(async () => {
    store = await startRealStore(generatedCatalog(600))
    browser = await launch()
  })
  afterAll(async () => {
    await browser?.close()
    await store?.close()
  })

  async function visit<T>(options: BrowserContextOptions, walk: (page: Page) => Promise<T>): Promise<T> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const errors: string[] = []
    page.on('console', (message) => {
      // Browsers log a form that is refused (declined, not a quantity, no such page) as an error; the walk looks at those itself.
      const refused = /status of 4(02|04|09|22)/.test(message.text())
      if (message.type() === 'error' && !refused) errors.push(message.text())
    })
    page.on('pageerror', (error) => errors.push(error.message))
    try {
      const result = await walk(page)
      expect(errors).toEqual([])
      return result
    } finally {
      await context.close()
    }
  }

  async function openOneInStock(page: Page, category: string): Promise<void> {
    for (let card = 0; card < 10; card++) {
      await page.goto(`${store.url}/shop/c/${category}`)
      await page.locator('.card a').nth(card).click()
      if ((await page.getByRole('button', { name: 'Put into cart' }).count()) > 0) return
    }
    throw new Error(`nothing of ${category} is in stock`)
  }

  const stockShown = async (page: Page) =>
    Number(/\d+/.exec((await page.locator('.variant:has(input:checked) .stock').textContent()) ?? '')?.[0])

  it.each(visitors)('is browsed, and sells, on a %s', async (name, options) => {
    await visit(options, async (page) => {
      const look = async (what: string) => {
        // Only a page without scripts cannot be measured; its layout is that of the phone.
        if (options.javaScriptEnabled !== false)
          expect(
            await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
            what,
          ).toBeLessThanOrEqual(0)
        if (!shots) return
        mkdirSync(shots, { recursive: true })
        await page.screenshot({ path: `${shots}/${name.replaceAll(' ', '-')}-${what}.png`, fullPage: true })
      }
      await page.goto(store.url)
      await look('home')
      await page.getByRole('navigation', { name: 'Departments' }).getByText('Kitchen').click()
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Kitchen')
      await look('category')
      await page.getByRole('link', { name: 'More products' }).click()
      await page.locator('.card a').nth(1).click()
      const title = (await page.getByRole('heading', { level: 1 }).textContent())!
      const before = await stockShown(page)
      expect(before).toBeGreaterThan(1)
      await look('product')
      const productUrl = page.url()

      await page.getByLabel('Quantity').fill('2')
      await page.getByRole('button', { name: 'Put into cart' }).click()
      expect(await page.locator('.line h3').textContent()).toBe(title)
      expect(await page.locator('.line .stock').textContent()).toContain('Yours for 15 min')
      await look('cart')
      await page.goto(productUrl)
      expect(await stockShown(page)).toBe(before - 2)

      await page.getByRole('link', { name: /^Cart/ }).click()
      await page.getByLabel(/^Quantity of/).fill('1')
      await page.getByRole('button', { name: 'Update' }).click()
      expect(await page.locator('.basket').textContent()).toBe('Cart · 1')
      await page.getByRole('link', { name: 'Check out' }).click()
      await look('checkout')
      await fillAddress(page)
      await page.getByLabel('Payment').selectOption('test-declined')
      await page.getByRole('button', { name: /^Pay/ }).click()
      expect(await page.getByRole('alert').textContent()).toContain('declined')
      expect(await page.getByLabel('City').inputValue()).toBe('Bergen')
      await look('declined')
      await page.getByLabel('Payment').selectOption('test-ok')
      const total = (await page.getByRole('button', { name: /^Pay/ }).textContent())!.replace('Pay ', '')
      await page.getByRole('button', { name: /^Pay/ }).click()
      expect(await page.getByRole('status').textContent()).toContain('Your order is placed')
      expect(await page.locator('main').textContent()).toContain(total)
      await look('order')
      expect(await page.locator('.basket').textContent()).toBe('Cart · 0')
      await page.goto(productUrl)
      expect(await stockShown(page)).toBe(before - 1)
    })
  })

  it('freshens the stock of a page that is open', async () => {
    await visit({}, async (page) => {
      await page.clock.install()
      await openOneInStock(page, 'garden')
      const before = await stockShown(page)
      const sku = await page.locator('input[name=sku]:checked').inputValue()
      const send = { method: 'POST', headers: { 'content-type': 'application/json' } }
      const cart = (await (await fetch(`${store.url}/carts`, { method: 'POST' })).json()) as { id: string }
      await fetch(`${store.url}/carts/${cart.id}/lines`, {
        ...send,
        body: JSON.stringify({ sku, quantity: 1 }),
      })
      expect(await stockShown(page)).toBe(before)
      await page.clock.runFor(6000)
      await expect.poll(() => stockShown(page)).toBe(before - 1)
    })
  })

  it('refuses what is no quantity, on a page, and puts nothing into the cart', async () => {
    await visit({ javaScriptEnabled: false }, async (page) => {
      await openOneInStock(page, 'table')
      await page.evaluate('document.querySelector("input[name=quantity]").max = "9999"')
      await page.getByLabel('Quantity').fill('500')
      await page.getByRole('button', { name: 'Put into cart' }).click()
      expect(await page.getByRole('alert').textContent()).toContain('from 1 to 99')
      expect(await page.locator('.basket').textContent()).toBe('Cart · 0')
    })
  })

  it('marks the fields that are not right, and keeps what was typed', async () => {
    await visit({ javaScriptEnabled: false }, async (page) => {
      await openOneInStock(page, 'pantry')
      await page.getByRole('button', { name: 'Put into cart' }).click()
      await page.getByRole('link', { name: 'Check out' }).click()
      await page.evaluate('document.querySelector("main form").noValidate = true')
      await page.getByLabel('City').fill('Bergen')
      await page.getByLabel('Email').fill('ada')
      await page.getByRole('button', { name: /^Pay/ }).click()
      expect(await page.getByRole('alert').textContent()).toContain('fields that are marked')
      const marked = await page.locator('input[aria-invalid]').all()
      const names = await Promise.all(marked.map((input) => input.getAttribute('name')))
      expect(names).toEqual(['email', 'name', 'line1', 'postalCode'])
      expect(await page.locator('#wrong-email').textContent()).toContain('ada@example.com')
      expect(await page.getByLabel('City').inputValue()).toBe('Bergen')
    })
  })

  it('has a page for an address that nothing answers', async () => {
    await visit({}, async (page) => {
      for (const path of ['/nothing', '/shop/nothing', '/shop/p/nothing']) {
        expect((await page.goto(store.url + path))?.status()).toBe(404)
        expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('There is no such')
      }
      await page.getByRole('link', { name: 'To the start page' }).click()
      expect(new URL(page.url()).pathname).toBe('/')
    })
  })
})

async function fillAddress(page: Page): Promise<void> {
  const fields = {
    Email: 'ada@example.com',
    Name: 'Ada Moen',
    'Street and number': 'Torget 1',
    'Postal code': '5014',
  }
  for (const [label, value] of Object.entries(fields))
    await page.getByLabel(label, { exact: true }).fill(value)
  await page.getByLabel('City').fill('Bergen')
}
