import type { CategoryInput } from '../catalog/category.ts'
import { slugOf } from '../catalog/product.ts'

/**
 * The categories of a path of names, from the top down: `['Apparel', 'Shirts']` gives `apparel` and, below it,
 * `apparel-shirts`. Names that leave nothing for an id get their code points.
 */
export function categoriesOfPath(path: readonly string[]): CategoryInput[] {
  const categories: CategoryInput[] = []
  for (const name of path) {
    const parent = categories.at(-1)?.id
    const own = slugOf(name) || [...name].map((character) => character.codePointAt(0)!.toString(16)).join('-')
    const whole = parent === undefined ? own : `${parent}-${own}`
    const id = whole === 'all' ? 'all-goods' : whole.slice(0, 120).replace(/-+$/, '')
    categories.push(parent === undefined ? { id, name } : { id, name, parent })
  }
  return categories
}
