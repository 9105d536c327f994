/**
 * Has every partition that this node leads do the truncations that the cluster knows of, each once: its master numbers
 * it like a write, and it is done here when all replicas have it. What an earlier master began and nobody has is begun
 * anew; what a copy has been through says its disk.
 */
import type { StrongPartition } from './partition.ts'
import type { CopyDisk } from './copy-disk.ts'
import { truncationFor } from './truncation.ts'

/** Partitions that are looked at in one tick. */
const atOnce = 32

export interface TruncatingOptions<Content> {
  readonly machine: (partition: number) => StrongPartition<Content>
  readonly disk: (partition: number) => CopyDisk<Content>
  /** The partition may have something to say. */
  readonly touch: (partition: number) => void
}

export class Truncating<Content> {
  readonly #options: TruncatingOptions<Content>
  /** By set, '' for all: the number of the last one. */
  readonly #known = new Map<string, number>()
  /** Partitions led here that may not have done them. */
  readonly #open = new Set<number>()

  constructor(options: TruncatingOptions<Content>) {
    this.#options = options
  }

  /** Every partition that is led here has done what is known. */
  get isOver(): boolean {
    return this.#open.size === 0
  }

  /** Answers whether it is news, so that `begin` is to follow. */
  know(set: string, number: number): boolean {
    if (number <= Math.max(this.#known.get(set) ?? 0, this.#known.get('') ?? 0)) return false
    this.#known.set(set, number)
    if (set === '') for (const [other, its] of this.#known) if (its < number) this.#known.delete(other)
    return true
  }

  /** The partitions that this node leads in its view. */
  begin(led: Iterable<number>): void {
    this.#open.clear()
    if (this.#known.size > 0) for (const partition of led) this.#open.add(partition)
  }

  tick(): void {
    let left = Math.min(atOnce, this.#open.size)
    for (const partition of this.#open) {
      if (left-- === 0) return
      this.#open.delete(partition)
      if (!this.#advance(partition)) this.#open.add(partition)
    }
  }

  /** Whether the partition has done all of them. */
  #advance(partition: number): boolean {
    const { machine, disk, touch } = this.#options
    const led = machine(partition)
    if (!led.isServing) return false
    const { truncations } = disk(partition)
    let isDone = true
    for (const [set, number] of this.#known) {
      const done = truncationFor(truncations, set, number)
      if (done && led.hasAcknowledged(done.position)) continue
      isDone = false
      if (!done) led.truncate(set, number, () => undefined)
    }
    touch(partition)
    return isDone
  }
}
