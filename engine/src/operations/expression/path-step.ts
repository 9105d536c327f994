/** One step of a path: which elements of a collection it chooses. */
import type { Collection } from '../../values/collection.ts'
import { collectionAt } from '../../values/collection.ts'
import { compareItems } from '../../values/item-order.ts'
import { headerLength, headerSize, skipItem } from '../../values/msgpack-item.ts'
import { childAt, PathType } from '../collection-child.ts'
import type { PathItem } from '../collection-call.ts'
import { borrow, valueStart } from '../collection-table.ts'
import { keysBelow } from '../map-key.ts'
import { type Element, type Expression, malformed, type Scope } from './expression-node.ts'

const listTypes = new Set<number>([PathType.LIST_INDEX, PathType.LIST_RANK, PathType.LIST_VALUE])
const mapTypes = new Set<number>([
  PathType.MAP_INDEX,
  PathType.MAP_RANK,
  PathType.MAP_KEY,
  PathType.MAP_VALUE,
])

/** Types of path items that plain calls do not have. */
export const PathItemType = {
  CHILDREN: 0x04,
  KEYS: 0x2a,
  FILTER: 0x204,
  /** Those with a plain value. */
  plain: new Set<number>([...listTypes, ...mapTypes, 0x2a]),
}

export interface PathStep {
  readonly type: number
  /** What chosen elements have to fulfil. */
  readonly filters: readonly Expression[]
  /** The plain value, and the buffer in which it lies. */
  readonly item?: PathItem
  readonly buffer?: Buffer
}

export function elementAt(collection: Collection, starts: Uint32Array, index: number): Element {
  const { isMap } = collection
  const key = isMap ? starts[2 * index]! : starts[index]!
  const value = valueStart(collection, starts, index)
  return { collection, index, key, value, end: isMap ? starts[2 * index + 2]! : starts[index + 1]! }
}

/**
 * Marks in a table the elements that a step chooses: 1 each. Throws ResultError 4 for a step of the other kind of
 * collection, for a filter that is unknown, which `noFail` takes as false, and when paths have done too much.
 */
export function chosenBy(
  step: PathStep,
  collection: Collection,
  starts: Uint32Array,
  context: { readonly scope: Scope; readonly noFail: boolean },
): Uint32Array {
  spend(collection, context.scope)
  const chosen = borrow(collection.count)
  chosen.fill(step.type === PathItemType.CHILDREN ? 1 : 0, 0, collection.count)
  if (step.item) choosePlain(step.item, step.buffer!, collection, starts, chosen)
  for (const filter of step.filters)
    for (let i = 0; i < collection.count; i++)
      if (chosen[i] === 1) chosen[i] = holds(filter, elementAt(collection, starts, i), context) ? 1 : 0
  return chosen
}

function spend({ count, start, end }: Collection, { pathWork }: Scope): void {
  pathWork.left -= count + ((end - start) >> 4)
  if (pathWork.left < 0) malformed('a path that looks at too much')
}

function holds(
  filter: Expression,
  element: Element,
  { scope, noFail }: { readonly scope: Scope; readonly noFail: boolean },
): boolean {
  const value = filter.run({ ...scope, element })
  if (typeof value === 'boolean') return value
  return noFail ? false : malformed('a filter that is unknown')
}

function choosePlain(
  item: PathItem,
  buffer: Buffer,
  collection: Collection,
  starts: Uint32Array,
  chosen: Uint32Array,
): void {
  if (collection.isMap !== !listTypes.has(item.type)) malformed('a path item of the other kind')
  if (item.type === PathItemType.KEYS) {
    let at = item.value + headerLength(buffer[item.value]!)
    for (let left = headerSize(buffer, item.value); left > 0; left--) {
      const place = keysBelow(collection, starts, buffer, at)
      const isThere =
        place < collection.count && compareItems(collection.buffer, starts[2 * place]!, buffer, at) === 0
      if (isThere) chosen[place] = 1
      at = skipItem(buffer, at, item.valueEnd)
    }
    return
  }
  const at = childAt(collection, item, buffer)
  if (at < 0) return
  for (let i = 0; i < collection.count; i++) if (valueStart(collection, starts, i) === at) chosen[i] = 1
}

/** The element's value where it is a collection. */
export function collectionIn({ collection, value, end }: Element): Collection | undefined {
  return collectionAt(collection.buffer, value, end)
}
