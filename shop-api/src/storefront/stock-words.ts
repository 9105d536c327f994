/** Below this number the page says how many are left. */
const FEW = 10

export interface StockWords {
  readonly text: string
  readonly level: '' | 'few' | 'none'
}

export function stockWords(available: number): StockWords {
  if (available <= 0) return { text: 'Sold out', level: 'none' }
  if (available < FEW) return { text: `Only ${available} left`, level: 'few' }
  return { text: `In stock: ${available}`, level: '' }
}
