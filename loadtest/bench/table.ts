/** Prints rows under their headings, numbers right-aligned. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')
  console.log(`  ${line(headings)}`)
  for (const row of rows) console.log(`  ${line(row)}`)
  console.log()
}

export const thousands = (value: number) => Math.round(value).toLocaleString('en-GB')
export const fixed = (value: number, digits = 1) => value.toFixed(digits)
export const percent = (share: number) => `${Math.round(share * 100)} %`
export const ratio = (value: number) => `${value.toFixed(2)}×`

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]!
}
