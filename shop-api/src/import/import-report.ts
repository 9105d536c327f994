import type { CatalogOutline } from './catalog-outline.ts'

const LINES_SHOWN = 50

/** What the check of a source found, for a terminal: one line per bad row, then the sum. */
export function importReport(name: string, outline: CatalogOutline): string {
  const { products, skus, problemCount, problems, skipped, locations, tree } = outline
  const rows = problems.slice(0, LINES_SHOWN).map(({ line, reason }) => `  line ${line}: ${reason}`)
  if (problemCount > rows.length) rows.push(`  … and ${problemCount - rows.length} more`)
  const left = skipped.slice(0, LINES_SHOWN).map(({ line, reason }) => `  line ${line}: left out, ${reason}`)
  if (skipped.length > left.length) left.push(`  … and ${skipped.length - left.length} more left out`)
  const sum = `${products} products, ${skus} SKUs, ${tree.nodes.size - 1} categories, ${locations.length} stock locations`
  const verdict =
    problemCount === 0
      ? `${name}: ${sum}; no bad rows`
      : `${name}: ${problemCount} bad rows, so nothing was imported (of ${sum})`
  return [...rows, ...left, verdict].join('\n')
}
