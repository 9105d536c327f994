/** A run of consecutive positions or ranks. */
export interface Range {
  start: number
  count: number
}

/**
 * A range as calls give it, brought inside 0...size: a negative start counts from the end, what lies before the
 * first element is cut off and lost from the count, a missing or negative count means "to the end".
 */
export function rangeWithin(start: number, count: number, size: number): Range {
  return absoluteRange(start < 0 ? start + size : start, count, size)
}

/** Like `rangeWithin` for a start that is a position already, though perhaps before the first. */
export function absoluteRange(start: number, count: number, size: number): Range {
  if (count < 0) count = Infinity
  if (start < 0) {
    count = Math.max(0, count + start)
    start = 0
  }
  if (start > size) start = size
  return { start, count: Math.min(count, size - start) }
}

/** Position of one element that must exist, or -1. */
export function positionWithin(index: number, size: number): number {
  const position = index < 0 ? index + size : index
  return position >= 0 && position < size ? position : -1
}
