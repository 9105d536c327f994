import { z } from '@hono/zod-openapi'
import { CategoryIdSchema } from './product.ts'

/** The listing of everything; no category of a catalogue may have this id. */
export const ROOT_CATEGORY = 'all'
const CATEGORY_MAX_CHILDREN = 2000
const CATEGORY_MAX_DEPTH = 12

const CategoryLinkSchema = z.object({ id: CategoryIdSchema, name: z.string() })
export type CategoryLink = z.infer<typeof CategoryLinkSchema>

/** A category as an import file names it. */
export const CategoryInputSchema = z.object({
  id: CategoryIdSchema,
  name: z.string().trim().min(1).max(200),
  parent: CategoryIdSchema.optional(),
})
export type CategoryInput = z.infer<typeof CategoryInputSchema>

export const CategorySchema = z
  .object({
    id: CategoryIdSchema,
    name: z.string(),
    path: z
      .array(CategoryLinkSchema)
      .openapi({ description: 'From the top down to this category, without `all`' }),
    children: z.array(CategoryLinkSchema.extend({ productCount: z.int() })),
    productCount: z.int().openapi({ description: 'Products in it and in everything below it' }),
  })
  .openapi('Category')
export type Category = z.infer<typeof CategorySchema>

export interface CategoryNode extends CategoryLink {
  readonly path: readonly CategoryLink[]
  readonly children: CategoryNode[]
}

export type CategoryTree =
  | { readonly ok: true; readonly root: CategoryNode; readonly nodes: ReadonlyMap<string, CategoryNode> }
  | { readonly ok: false; readonly id: string; readonly reason: string }

/** Links categories into one tree under `all`, in the order given. Refuses loops, orphans and doubles. */
export function categoryTree(inputs: Iterable<CategoryInput>): CategoryTree {
  const byId = new Map<string, CategoryInput>([[ROOT_CATEGORY, { id: ROOT_CATEGORY, name: 'All products' }]])
  for (const input of inputs) {
    if (input.id === ROOT_CATEGORY)
      return { ok: false, id: input.id, reason: 'this id is taken by the listing of all' }
    if (byId.has(input.id)) return { ok: false, id: input.id, reason: 'the category is there twice' }
    byId.set(input.id, input)
  }
  const nodes = new Map<string, CategoryNode>()
  const root: CategoryNode = { id: ROOT_CATEGORY, name: 'All products', path: [], children: [] }
  nodes.set(ROOT_CATEGORY, root)

  for (const input of byId.values()) {
    const chain: CategoryInput[] = []
    let at: CategoryInput | undefined = input
    while (at && !nodes.has(at.id)) {
      chain.push(at)
      if (chain.length > CATEGORY_MAX_DEPTH)
        return {
          ok: false,
          id: input.id,
          reason: `deeper than ${CATEGORY_MAX_DEPTH} levels, or its parents form a loop`,
        }
      const parent: string = at.parent ?? ROOT_CATEGORY
      at = byId.get(parent)
      if (!at) return { ok: false, id: input.id, reason: `its parent ${parent} is not in the catalogue` }
    }
    for (const link of chain.reverse()) {
      const parent = nodes.get(link.parent ?? ROOT_CATEGORY)!
      const node = {
        id: link.id,
        name: link.name,
        path: [...parent.path, { id: link.id, name: link.name }],
        children: [],
      }
      nodes.set(link.id, node)
      parent.children.push(node)
      if (node.path.length > CATEGORY_MAX_DEPTH)
        return { ok: false, id: link.id, reason: `deeper than ${CATEGORY_MAX_DEPTH} levels` }
      if (parent.children.length > CATEGORY_MAX_CHILDREN)
        return { ok: false, id: parent.id, reason: `has more than ${CATEGORY_MAX_CHILDREN} children` }
    }
  }
  return { ok: true, root, nodes }
}
