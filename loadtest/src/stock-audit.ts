interface Page {
  readonly items: readonly { readonly id: string }[]
  readonly nextCursor?: string | null
}

interface Stock {
  readonly locations: readonly {
    readonly available: number
    readonly held: number
    readonly onHand: number
    readonly sold: number
    readonly breaches: readonly string[]
  }[]
}

async function get<Body>(url: string): Promise<Body> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return (await response.json()) as Body
}

/** Reads every stock record of the store: units sold in all, and each place where the law of stock is broken. */
export async function auditStock(base: string): Promise<{ skus: number; sold: number; breaches: string[] }> {
  const result = { skus: 0, sold: 0, breaches: [] as string[] }
  for (let cursor: string | null | undefined = ''; cursor !== undefined && cursor !== null;) {
    const page: Page = await get(`${base}/products?limit=100${cursor ? `&cursor=${cursor}` : ''}`)
    for (const { id } of page.items) {
      const product = await get<{ variants: { sku: string }[] }>(`${base}/products/${id}`)
      for (const { sku } of product.variants) {
        result.skus++
        for (const record of (await get<Stock>(`${base}/stock/${encodeURIComponent(sku)}`)).locations) {
          result.sold += record.sold
          result.breaches.push(...record.breaches.map((breach) => `${sku}: ${breach}`))
          if (record.available < 0 || record.held < 0 || record.onHand !== record.available + record.held)
            result.breaches.push(`${sku}: ${JSON.stringify(record)}`)
        }
      }
    }
    cursor = page.nextCursor
  }
  return result
}
