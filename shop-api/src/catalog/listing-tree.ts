/**
 * A listing is the ids of a category's products in ascending order. It may hold millions, and a record may not,
 * so it is kept as a static B-tree, built once from the bottom: level 0 holds the ids, LISTING_FANOUT to a node;
 * a node of level n + 1 holds the first id of each of LISTING_FANOUT nodes of level n. Entry i of node j has its
 * child at node j * LISTING_FANOUT + i of the level below, so no pointers are stored, and the shape follows from
 * the number of ids alone. Finding the place of any id costs one read a level (three for 16 million products),
 * and so does going on after a cursor, which is nothing but the last id seen: it stays right when the catalogue
 * is imported anew with other products around it. A node is at most 256 ids of 120 bytes: about 31 kB.
 */
export const LISTING_FANOUT = 256

export interface ListingNode {
  readonly level: number
  readonly index: number
  readonly ids: readonly string[]
}

export type ReadNode = (level: number, index: number) => Promise<readonly string[]>

/** Number of levels of a listing of `count` ids; an empty one has none. */
export function listingHeight(count: number): number {
  if (count === 0) return 0
  let height = 1
  for (let nodes = Math.ceil(count / LISTING_FANOUT); nodes > 1; nodes = Math.ceil(nodes / LISTING_FANOUT))
    height++
  return height
}

/** All nodes of the listing of `ids`, which ascend and hold nothing twice. */
export function* listingNodes(ids: readonly string[]): Generator<ListingNode> {
  let below = ids
  for (let level = 0; below.length > 0; level++) {
    const firsts: string[] = []
    for (let start = 0; start < below.length; start += LISTING_FANOUT) {
      const slice = below.slice(start, start + LISTING_FANOUT)
      firsts.push(slice[0]!)
      yield { level, index: start / LISTING_FANOUT, ids: slice }
    }
    below = firsts.length > 1 ? firsts : []
  }
}

/** Number of leading entries that are <= id. */
function upperBound(ids: readonly string[], id: string): number {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ids[middle]! <= id) low = middle + 1
    else high = middle
  }
  return low
}

/** Up to `limit` ids greater than `after` (from the first one without it). */
export async function readListing(
  count: number,
  after: string | undefined,
  limit: number,
  readNode: ReadNode,
): Promise<string[]> {
  if (count === 0) return []
  let index = 0
  for (let level = listingHeight(count) - 1; level > 0; level--) {
    const firsts = await readNode(level, index)
    const entry = after === undefined ? 0 : Math.max(0, upperBound(firsts, after) - 1)
    index = index * LISTING_FANOUT + entry
  }
  const found: string[] = []
  const leaves = Math.ceil(count / LISTING_FANOUT)
  for (let from = after; found.length < limit && index < leaves; index++) {
    const ids = await readNode(0, index)
    const start = from === undefined ? 0 : upperBound(ids, from)
    found.push(...ids.slice(start, start + limit - found.length))
    from = undefined
  }
  return found
}
