import {
  doubleItem,
  headerLength,
  headerSize,
  integerHigh,
  integerItem,
  integerLow,
  itemKind,
  ItemKind,
  markerFlags,
  MAX_DEPTH,
  skipItem,
} from './msgpack-item.ts'
import { ResultCode, ResultError } from './result-code.ts'

/**
 * The total order of values, by which ordered collections lie, ranks are counted and values are found: nil < bool
 * < integer < string < list < map < bytes < double < GeoJSON; infinity lies above all, a wildcard equals
 * everything and, in a list, all that remains there. Source: protocol notes, msgpack values, section 5.
 *
 * Two cursors run over both items at once, so equal parts are read one time only, however deep they lie.
 */

let left: Buffer = Buffer.alloc(0)
let right: Buffer = left
let leftAt = 0
let rightAt = 0

/** Negative, zero or positive as the item at `a` sorts before, with or after the one at `b`. Both must be whole. */
export function compareItems(a: Buffer, aAt: number, b: Buffer, bAt: number): number {
  const first = a[aAt]!
  const second = b[bAt]!
  if (first < 0x80 && second < 0x80) return first - second
  if (first > 0xa0 && first < 0xc0 && second > 0xa0 && second < 0xc0 && a[aAt + 1] === b[bAt + 1]) {
    return compareShort(a, aAt, b, bAt)
  }
  left = a
  right = b
  leftAt = aAt
  rightAt = bAt
  return compareNext(0)
}

/** Two string-like items of up to 31 bytes with the same particle type: what most keys are. */
function compareShort(a: Buffer, aAt: number, b: Buffer, bAt: number): number {
  const aLength = a[aAt]!
  const bLength = b[bAt]!
  const shared = (aLength < bLength ? aLength : bLength) & 0x1f
  for (let i = 2; i <= shared; i++) {
    const difference = a[aAt + i]! - b[bAt + i]!
    if (difference !== 0) return difference
  }
  return aLength - bLength
}

function compareNext(depth: number): number {
  const kind = itemKind(left, leftAt)
  const other = itemKind(right, rightAt)
  if (kind !== other) {
    if (kind < ItemKind.EXTENSION && other < ItemKind.EXTENSION) return kind - other
    return compareOutside(kind, other)
  }
  switch (kind) {
    case ItemKind.INTEGER:
      return compareIntegers()
    case ItemKind.STRING:
    case ItemKind.BYTES:
    case ItemKind.GEOJSON:
      return compareBytes()
    case ItemKind.LIST:
      return compareLists(depth + 1)
    case ItemKind.MAP:
      return compareMaps(depth + 1)
    case ItemKind.DOUBLE:
      return compareDoubles()
    case ItemKind.BOOL:
      return left[leftAt++]! - right[rightAt++]!
    default:
      return passBoth()
  }
}

/** Items of different kinds of which one is an extension, infinity or a wildcard. */
function compareOutside(kind: number, other: number): number {
  if (kind === ItemKind.WILDCARD || other === ItemKind.WILDCARD) return passBoth()
  if (kind === ItemKind.EXTENSION || other === ItemKind.EXTENSION) return passBoth()
  return kind - other
}

function passBoth(): number {
  leftAt = skipItem(left, leftAt, left.length)
  rightAt = skipItem(right, rightAt, right.length)
  return 0
}

function compareIntegers(): number {
  const a = integerItem(left, leftAt)
  const b = integerItem(right, rightAt)
  if (a !== b) return a < b ? -1 : 1
  const high = integerHigh(left, leftAt) - integerHigh(right, rightAt)
  if (high !== 0) return high
  const difference = integerLow(left, leftAt) - integerLow(right, rightAt)
  if (difference !== 0) return difference
  return passBoth()
}

function compareDoubles(): number {
  const a = doubleItem(left, leftAt)
  const b = doubleItem(right, rightAt)
  if (a < b) return -1
  if (a > b) return 1
  return passBoth()
}

/** Below this length a loop is faster than the call into the runtime. */
const SHORT = 24

function compareBytes(): number {
  const aHeader = headerLength(left[leftAt]!)
  const bHeader = headerLength(right[rightAt]!)
  const aLength = headerSize(left, leftAt)
  const bLength = headerSize(right, rightAt)
  const a = leftAt + aHeader
  const b = rightAt + bHeader
  const shared = Math.min(aLength, bLength)
  if (shared > SHORT) {
    const result = left.compare(right, b, b + shared, a, a + shared)
    if (result !== 0) return result
  } else {
    for (let i = 0; i < shared; i++) {
      const difference = left[a + i]! - right[b + i]!
      if (difference !== 0) return difference
    }
  }
  leftAt = a + aLength
  rightAt = b + bLength
  return aLength - bLength
}

function compareLists(depth: number): number {
  checkDepth(depth)
  let aCount = headerSize(left, leftAt)
  let bCount = headerSize(right, rightAt)
  leftAt += headerLength(left[leftAt]!)
  rightAt += headerLength(right[rightAt]!)
  if (aCount > 0 && markerFlags(left, leftAt, left.length) >= 0) {
    leftAt = skipItem(left, leftAt, left.length)
    aCount--
  }
  if (bCount > 0 && markerFlags(right, rightAt, right.length) >= 0) {
    rightAt = skipItem(right, rightAt, right.length)
    bCount--
  }
  while (aCount > 0 && bCount > 0) {
    if (isWildcard(left, leftAt) || isWildcard(right, rightAt)) {
      leftAt = skipItems(left, leftAt, aCount)
      rightAt = skipItems(right, rightAt, bCount)
      return 0
    }
    const result = compareNext(depth)
    if (result !== 0) return result
    aCount--
    bCount--
  }
  return aCount - bCount
}

function compareMaps(depth: number): number {
  checkDepth(depth)
  let aCount = headerSize(left, leftAt)
  let bCount = headerSize(right, rightAt)
  leftAt += headerLength(left[leftAt]!)
  rightAt += headerLength(right[rightAt]!)
  if (aCount > 0 && markerFlags(left, leftAt, left.length) >= 0) {
    leftAt = skipItems(left, leftAt, 2)
    aCount--
  }
  if (bCount > 0 && markerFlags(right, rightAt, right.length) >= 0) {
    rightAt = skipItems(right, rightAt, 2)
    bCount--
  }
  if (aCount !== bCount) return aCount - bCount
  for (let items = 2 * aCount; items > 0; items--) {
    const result = compareNext(depth)
    if (result !== 0) return result
  }
  return 0
}

function isWildcard(buffer: Buffer, at: number): boolean {
  return buffer[at] === 0xd4 && itemKind(buffer, at) === ItemKind.WILDCARD
}

function skipItems(buffer: Buffer, at: number, count: number): number {
  for (let i = 0; i < count; i++) at = skipItem(buffer, at, buffer.length)
  return at
}

function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new ResultError(ResultCode.PARAMETER, 'value nested too deep')
}
