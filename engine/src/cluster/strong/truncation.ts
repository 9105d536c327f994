/**
 * Truncations of one partition (rule T1): each is a numbered write like any other, and hides what its set held at its
 * position. Which truncation it was is said by a number that grows with each of the namespace, so that one is done once.
 */
import { comparePositions, type Position } from './position.ts'

/** Versions of the set at or below the position count as deleted; without a name those of all sets. */
export interface Truncation {
  readonly set: string
  readonly number: number
  readonly position: Position
}

/** In a partition, as its copy has them; at most one of each set. */
export type Truncations = readonly Truncation[]

/** That truncation as it was done here, or a later one of the set or of all. */
export function truncationFor(truncations: Truncations, set: string, number: number): Truncation | undefined {
  return truncations.find((each) => (each.set === set || each.set === '') && each.number >= number)
}

/** With one more; those that it makes needless are left out. */
export function withTruncation(truncations: Truncations, added: Truncation): Truncations {
  const isNeedless = ({ set, number }: Truncation) =>
    set === added.set || (added.set === '' && number <= added.number)
  return [...truncations.filter((each) => !isNeedless(each)), added]
}

export function isTruncated(truncations: Truncations, set: string, position: Position): boolean {
  return truncations.some(
    (each) => (each.set === '' || each.set === set) && comparePositions(position, each.position) <= 0,
  )
}
