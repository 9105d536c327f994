/**
 * A regime is the id of its view (A3) in the form in which records keep it: the view's number, and behind it twenty
 * bits of a hash of leader and incarnation, since views on two sides of a split may have the same number. Later views
 * of one side have greater regimes. Two leaders of one cluster with the same twenty bits would need the same number
 * too, on two sides of one split.
 */
import { crc32 } from 'node:zlib'
import type { ViewId } from './view-id.ts'

export type Regime = number

const hashes = 2 ** 20

export function regimeOf({ number, leader, incarnation }: ViewId): Regime {
  return number * hashes + (crc32(`${leader}.${incarnation}`) % hashes)
}

/** For people: the number of its view. */
export function viewNumberOf(regime: Regime): number {
  return Math.floor(regime / hashes)
}
