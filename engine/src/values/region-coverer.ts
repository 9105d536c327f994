/**
 * The cells of the S2 hierarchy that cover a region: few, and together little larger than it. Starting with a handful
 * of cells around the region, the largest cell that is not wholly inside is split again and again, those with the
 * fewest children inside first, until another split would make too many; then four siblings become their parent.
 *
 * Which of several equal candidates is split first changes the answer, so the queue is the binary heap of the C++
 * library as it is commonly built, move by move: coverings come out as the real server has them. Cost: a few hundred
 * cells are tested against the region. Source: the description of the S2 region coverer (s2geometry.io) and the
 * recorded coverings.
 */

/** A region as the coverer sees it. Cells are S2 cell ids. */
export interface Coverable {
  contains(cell: bigint): boolean
  /** May say yes for a cell that comes within rounding of the region. */
  intersects(cell: bigint): boolean
  /** A few cells that cover the region, at any level. */
  bound(): readonly bigint[]
}

/** The real server's `geo2dsphere-within.max-cells` and `min-level`. */
const MAX_CELLS = 12
const MIN_LEVEL = 1
/** Its `max-level` of 20 does not show in what it stores: a circle of no size has cells of level 30 (hand-record 1746). */
const MAX_LEVEL = 30
const CHILDREN = 4

interface Candidate {
  readonly cell: bigint
  readonly level: number
  /** Goes into the covering as it is. */
  whole: boolean
  children: Candidate[]
  /** Higher is split first. */
  priority: number
}

/** The covering of a region, ascending. */
export function covering(region: Coverable): bigint[] {
  const result: bigint[] = []
  const queue: Candidate[] = []
  const seeds = [...region.bound()].sort(ascending)
  for (const cell of seeds) add(candidate(region, cell), region, result, queue)
  while (queue.length > 0) {
    const next = pop(queue)
    const { level, children } = next
    const splits =
      level < MIN_LEVEL ||
      children.length === 1 ||
      result.length + queue.length + children.length <= MAX_CELLS
    if (splits) for (const child of children) add(child, region, result, queue)
    else result.push(next.cell)
  }
  return joined(result)
}

function candidate(region: Coverable, cell: bigint): Candidate | undefined {
  if (!region.intersects(cell)) return undefined
  const level = levelOf(cell)
  const whole = level >= MIN_LEVEL && (level === MAX_LEVEL || region.contains(cell))
  return { cell, level, whole, children: [], priority: 0 }
}

function add(entry: Candidate | undefined, region: Coverable, result: bigint[], queue: Candidate[]): void {
  if (!entry) return
  if (!entry.whole) {
    for (const cell of childrenOf(entry.cell)) {
      const child = candidate(region, cell)
      if (child) entry.children.push(child)
    }
    if (entry.children.length === 0) return
    const wholes = entry.children.filter(({ whole }) => whole).length
    if (wholes < CHILDREN || entry.level < MIN_LEVEL) {
      entry.priority = -((entry.level * CHILDREN + entry.children.length) * CHILDREN + wholes)
      push(queue, entry)
      return
    }
  }
  result.push(entry.cell)
}

function push(heap: Candidate[], entry: Candidate): void {
  heap.push(entry)
  rise(heap, heap.length - 1, entry)
}

function rise(heap: Candidate[], at: number, entry: Candidate): void {
  for (
    let parent = (at - 1) >> 1;
    at > 0 && heap[parent]!.priority < entry.priority;
    parent = (at - 1) >> 1
  ) {
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = entry
}

/** The hole at the top sinks to the bottom along the larger children, then the last entry rises from there. */
function pop(heap: Candidate[]): Candidate {
  const top = heap[0]!
  const last = heap.pop()!
  const length = heap.length
  if (length === 0) return top
  let at = 0
  for (let right = 2; right <= length; right = 2 * at + 2) {
    const larger = right === length || heap[right]!.priority < heap[right - 1]!.priority ? right - 1 : right
    heap[at] = heap[larger]!
    at = larger
  }
  rise(heap, at, last)
  return top
}

/** Sorted, without cells that lie in others, four siblings as their parent. */
function joined(cells: bigint[]): bigint[] {
  const out: bigint[] = []
  for (let cell of cells.sort(ascending)) {
    if (out.length > 0 && holds(out.at(-1)!, cell)) continue
    while (out.length > 0 && holds(cell, out.at(-1)!)) out.pop()
    while (out.length >= CHILDREN - 1 && levelOf(cell) > 0) {
      const parent = parentOf(cell)
      const siblings = childrenOf(parent)
      if (cell !== siblings[3] || out.slice(-3).some((other, i) => other !== siblings[i])) break
      out.length -= CHILDREN - 1
      cell = parent
    }
    out.push(cell)
  }
  return out
}

const ascending = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0)

/** A cell's id ends in a one and two zeroes for each level below it. */
const lowestBit = (cell: bigint): bigint => cell & -cell

function levelOf(cell: bigint): number {
  let level = MAX_LEVEL
  for (let bit = lowestBit(cell); bit > 1n; bit >>= 2n) level--
  return level
}

function holds(outer: bigint, inner: bigint): boolean {
  const reach = lowestBit(outer) - 1n
  return inner >= outer - reach && inner <= outer + reach
}

function parentOf(cell: bigint): bigint {
  const bit = lowestBit(cell) << 2n
  return (cell & -bit) | bit
}

function childrenOf(cell: bigint): readonly bigint[] {
  const bit = lowestBit(cell)
  const step = bit >> 2n
  const first = cell - bit + step
  return [first, first + 2n * step, first + 4n * step, first + 6n * step]
}
