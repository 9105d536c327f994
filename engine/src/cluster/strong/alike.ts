/**
 * What most partitions say in the same words while a view begins. Each is one object, so a message says it once, with
 * the numbers of the partitions.
 */
import type { StrongBody } from './message.ts'
import { origin } from './position.ts'

export const written = { kind: 'written' } as const
export const serving = { kind: 'serving' } as const
export const nothingHeld = { kind: 'held', digests: [] } as const
export const nothingToGive = {
  kind: 'unit',
  unit: { whole: false, entries: [], horizon: origin, truncations: [] },
} as const

const alike: ReadonlySet<object> = new Set([written, serving, nothingHeld, nothingToGive])

export function isAlike(body: StrongBody<unknown>): boolean {
  return alike.has(body)
}
