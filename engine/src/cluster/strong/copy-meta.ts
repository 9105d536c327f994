/**
 * How what decides about a copy changes. Most copies of a node have been through the same: equal changes of one meta
 * give one object, so that thousands of copies share a few, and are told and kept as few.
 */
import { compareViewIds, noView, sameView, type ViewId } from '../view-id.ts'
import type { Durability } from './activation.ts'
import type { Activation, CopyMeta } from './copy-disk.ts'
import type { Rosters } from './roster.ts'

/** Of a folder that has never been in a view: all that was acknowledged by then, nothing, is there. */
export const blankMeta: CopyMeta = {
  rosters: undefined,
  activations: [],
  claims: [noView],
  served: noView,
  unclean: false,
  closed: true,
}

/** By the meta before and by what changes it. */
class Known<Change extends object> {
  readonly #known = new WeakMap<CopyMeta, WeakMap<Change, CopyMeta>>()

  of(meta: CopyMeta, change: Change, make: () => CopyMeta): CopyMeta {
    let changes = this.#known.get(meta)
    if (!changes) this.#known.set(meta, (changes = new WeakMap()))
    let made = changes.get(change)
    if (!made) changes.set(change, (made = make()))
    return made
  }
}

const completed = new Known<Activation>()
const activated = new Known<Activation>()
const servings = new Known<ViewId>()
const claims = new Known<ViewId>()
const uncleans = new Known<Activation>()
const closings = new Known<CopyMeta>()

/** The activation is written; a complete copy claims its regime. */
export function withActivation(
  meta: CopyMeta,
  { activation, rosters }: { readonly activation: Activation; readonly rosters: Rosters },
  isComplete: boolean,
): CopyMeta {
  return (isComplete ? completed : activated).of(meta, activation, () => {
    const kept = meta.activations.filter(({ regime }) => compareViewIds(regime, meta.served) >= 0)
    const claims = meta.claims.filter((regime) => compareViewIds(regime, meta.served) >= 0)
    return {
      rosters,
      activations: [...kept, activation],
      claims: isComplete ? [...claims, activation.regime] : claims,
      served: meta.served,
      unclean: meta.unclean && !isComplete,
      closed: false,
    }
  })
}

/** The regime is known to have served. */
export function withServed(meta: CopyMeta, regime: ViewId): CopyMeta {
  return servings.of(meta, regime, () => ({ ...meta, served: regime }))
}

/** A fill has ended: the copy is complete as of this regime (rule F4). */
export function withClaim(meta: CopyMeta, regime: ViewId): CopyMeta {
  return claims.of(meta, regime, () => ({ ...meta, claims: [...meta.claims, regime], unclean: false }))
}

/** After a start: a stop that was not clean ends completeness, unless the disk has everything (rules D1, D2). */
export function recovered(meta: CopyMeta, durability: Durability): CopyMeta {
  const last = meta.activations.at(-1)
  const lost = !meta.closed && durability === 'flush' && last !== undefined && !last.synced
  return lost ? uncleans.of(meta, last, () => ({ ...meta, unclean: true })) : meta
}

/** Everything is synced, and nothing was done since. */
export function closed(meta: CopyMeta): CopyMeta {
  return closings.of(meta, meta, () => ({ ...meta, closed: true }))
}

export function isServed(meta: CopyMeta, regime: ViewId): boolean {
  return sameView(meta.served, regime)
}
