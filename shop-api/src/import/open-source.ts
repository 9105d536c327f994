import { stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { z } from 'zod'
import type { Currency } from '../catalog/money.ts'
import { jsonLines } from './json-lines.ts'
import { openData } from './open-data.ts'
import { shopifyCsv } from './shopify-csv.ts'
import type { CatalogSource } from './source.ts'

/** A file that cannot be imported at all; the message is for the person who named it. */
export class SourceError extends Error {}

function reasonOf(error: unknown): string {
  const issue = error instanceof z.ZodError ? error.issues[0] : undefined
  if (issue) return `entry ${issue.path.join('.')}: ${issue.message}`
  return error instanceof Error ? error.message : String(error)
}

/** Opens what `--catalog` names: a .csv, .jsonl, .ndjson or .json file, or a folder with a catalog.json. */
export async function openCatalogSource(path: string, currency: Currency): Promise<CatalogSource> {
  const found = await stat(path).catch(() => undefined)
  if (!found) throw new SourceError(`There is no catalogue file ${path}`)
  try {
    if (found.isDirectory()) return await openData(join(path, 'catalog.json'), path)
    const extension = extname(path).toLowerCase()
    if (extension === '.csv') return await shopifyCsv(path, currency)
    if (extension === '.jsonl' || extension === '.ndjson') return await jsonLines(path, currency)
    if (extension === '.json') return await openData(path, undefined)
  } catch (error) {
    throw new SourceError(`${path} cannot be imported: ${reasonOf(error)}`)
  }
  throw new SourceError(`${path} is neither a Shopify product CSV (.csv) nor JSON Lines (.jsonl, .ndjson)`)
}
