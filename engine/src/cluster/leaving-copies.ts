/**
 * What a node is to let go of, in small steps: copies that it need not hold once all replicas are whole (F4 of
 * README.md), whose data goes when it is saved that they are none any more, so that no start takes what is left for a
 * copy; and copies that were away for too long, which are emptied before they take part again (C7).
 */
import type { CopyStore } from './copy-store.ts'
import type { Copy } from './partition-context.ts'
import { noAncestors, noPast } from './past.ts'

/** Versions forgotten in one go. */
const forgottenAtOnce = 64

export class LeavingCopies {
  readonly #store: CopyStore
  readonly #copies: readonly Copy[]
  readonly #changed: () => void
  /** Not needed once all replicas are whole; the one to be asked about first comes first. */
  readonly #surplus = new Set<number>()
  /** Whose data goes once it is saved that this node keeps no copy. */
  readonly #leaving = new Set<number>()
  #leavingSaved = false
  /** Which may hold records that were deleted meanwhile, and which of these are to be emptied. */
  readonly #stale = new Set<number>()
  readonly #emptying = new Set<number>()

  /** `changed`: what is to be saved of the copies is another. */
  constructor(store: CopyStore, copies: readonly Copy[], changed: () => void) {
    this.#store = store
    this.#copies = copies
    this.#changed = changed
  }

  /** All of them were away for longer than deletes are remembered. */
  wereLongAway(): void {
    for (const partition of this.#copies.keys()) this.#stale.add(partition)
  }

  get hasStale(): boolean {
    return this.#stale.size > 0
  }

  isStale(partition: number): boolean {
    return this.#stale.has(partition)
  }

  isEmptying(partition: number): boolean {
    return this.#emptying.has(partition)
  }

  /** Partitions of which this node holds something that it need not hold. */
  get count(): number {
    return this.#surplus.size + this.#leaving.size
  }

  get surplus(): Iterable<number> {
    return this.#surplus
  }

  beginView(): void {
    this.#surplus.clear()
  }

  /** In a view in which it takes part, or not; `counts`: the map knows it for one that holds something. */
  meet(partition: number, { takesPart, counts }: { takesPart: boolean; counts: boolean }): void {
    if (this.#stale.has(partition)) this.#meetStale(partition, counts)
    // What is left of what was being forgotten came from the master's copy, and meets it again.
    if (takesPart) this.#leaving.delete(partition)
    else if (this.#holdsAny(partition)) this.#surplus.add(partition)
  }

  /** The others are asked about first. */
  toEnd(partition: number): void {
    if (this.#surplus.delete(partition)) this.#surplus.add(partition)
  }

  /** All replicas are whole: what is surplus goes. */
  letGo(partition: number): void {
    if (!this.#surplus.delete(partition)) return
    knowNothing(this.#copies[partition]!)
    this.#leaving.add(partition)
    this.#leavingSaved = false
    this.#changed()
  }

  /** What is known of the copies is on disk. */
  saved(): void {
    this.#leavingSaved = true
  }

  /** A small step; answers about how many versions that took, 0 when there is nothing to forget now. */
  forgetSome(): number {
    for (const partition of this.#emptying) {
      if (this.#store.forget(partition, forgottenAtOnce)) return forgottenAtOnce
      this.#emptying.delete(partition)
      this.#stale.delete(partition)
      this.#changed()
      return forgottenAtOnce
    }
    if (!this.#leavingSaved) return 0
    for (const partition of this.#leaving) {
      if (!this.#store.forget(partition, forgottenAtOnce)) this.#leaving.delete(partition)
      return forgottenAtOnce
    }
    return 0
  }

  #meetStale(partition: number, counts: boolean): void {
    this.#emptying.delete(partition)
    if (counts || this.#store.isEmpty(partition)) {
      this.#stale.delete(partition)
      return
    }
    knowNothing(this.#copies[partition]!)
    this.#emptying.add(partition)
  }

  #holdsAny(partition: number): boolean {
    if (this.#leaving.has(partition)) return false
    return this.#copies[partition]!.past.regimes.length > 0 || !this.#store.isEmpty(partition)
  }
}

function knowNothing(copy: Copy): void {
  copy.past = noPast
  copy.ancestors = noAncestors
  copy.whole = false
}
