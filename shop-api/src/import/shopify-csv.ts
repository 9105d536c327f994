import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { CsvError, parse } from 'csv-parse'
import type { Currency } from '../catalog/money.ts'
import { shopifyHeader, type ShopifyHeader } from './shopify-columns.ts'
import { shopifyProduct, type NumberedRow } from './shopify-product.ts'
import type { CatalogSource, SourceEntry } from './source.ts'

/** Longest row of a CSV file; a quote that is never closed is noticed here. */
const ROW_MAX_BYTES = 1_048_576
const PRODUCT_MAX_ROWS = 1000

interface CsvRecord {
  readonly record: string[]
  readonly info: { readonly lines: number; readonly bytes: number }
}

/**
 * A Shopify product CSV: one row per variant, the rows of a product in succession under its Handle, further
 * images on rows of their own. Products that are drafts, archived or unpublished are left out.
 */
export async function shopifyCsv(file: string, currency: Currency): Promise<CatalogSource> {
  const { size } = await stat(file)
  return { name: basename(file), total: size, entries: (progress) => csvEntries(file, currency, progress) }
}

async function* csvEntries(
  file: string,
  currency: Currency,
  progress: (bytes: number) => void,
): AsyncGenerator<SourceEntry> {
  const parser = createReadStream(file).pipe(
    parse({ bom: true, info: true, relax_column_count: true, max_record_size: ROW_MAX_BYTES }),
  )
  let header: ShopifyHeader | undefined
  let line = 1
  let group: NumberedRow[] = []
  const ended = new Map<string, number>()
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
      const startsAt = line
      line = info.lines + 1
      progress(info.bytes)
      if (!header) {
        header = shopifyHeader(record)
        if (!header.ok) {
          yield { kind: 'bad', line: startsAt, reason: header.reason }
          return
        }
        continue
      }
      if (!header.ok || record.every((cell) => cell.trim() === '')) continue
      const row = header.row(record)
      if (row.handle === '') {
        yield { kind: 'bad', line: startsAt, reason: 'the row has no handle' }
        continue
      }
      if (group[0] && group[0].row.handle !== row.handle) {
        yield* productOf(group, currency)
        ended.set(group[0].row.handle, group[0].line)
        group = []
      }
      const before = ended.get(row.handle)
      if (before !== undefined) {
        const reason = `the product ${row.handle} began on line ${before}: its rows must follow each other`
        yield { kind: 'bad', line: startsAt, reason }
      } else if (group.length >= PRODUCT_MAX_ROWS)
        yield { kind: 'bad', line: startsAt, reason: `a product may have ${PRODUCT_MAX_ROWS} rows` }
      else group.push({ line: startsAt, row })
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    yield { kind: 'bad', line, reason: `from here on the file is not CSV: ${error.message}` }
    return
  }
  if (group.length > 0) yield* productOf(group, currency)
  else if (!header) yield { kind: 'bad', line: 1, reason: 'the file is empty' }
}

function* productOf(group: readonly NumberedRow[], currency: Currency): Generator<SourceEntry> {
  const { row } = group[0]!
  const status = row.status.toLowerCase()
  if ((status !== '' && status !== 'active') || row.published.toLowerCase() === 'false') {
    const reason = status && status !== 'active' ? `its status is ${status}` : 'it is not published'
    yield { kind: 'skipped', line: group[0]!.line, reason: `${row.handle}: ${reason}` }
  } else yield* shopifyProduct(group, currency)
}
