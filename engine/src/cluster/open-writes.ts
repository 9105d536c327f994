import type { OpenWrite } from './clustered-namespace.ts'
import { covers, type Past } from './past.ts'

/** Writes that views which are over have left without an answer, by partition (C3 of README.md). */
export class OpenWrites {
  readonly #writes = new Map<number, readonly OpenWrite[]>()

  get partitions(): Iterable<number> {
    return this.#writes.keys()
  }

  has(partition: number): boolean {
    return this.#writes.has(partition)
  }

  /** Takes those of a partition out, in lists of one record each, oldest first. */
  takeByRecord(partition: number): OpenWrite[][] {
    const byRecord = new Map<string, OpenWrite[]>()
    for (const write of this.#writes.get(partition) ?? []) {
      const key = write.version.digest.toString('latin1')
      const known = byRecord.get(key)
      if (known) known.push(write)
      else byRecord.set(key, [write])
    }
    this.#writes.delete(partition)
    return [...byRecord.values()]
  }

  add(partition: number, writes: readonly OpenWrite[]): void {
    this.#keep(partition, [...(this.#writes.get(partition) ?? []), ...writes])
  }

  /** Answers those that a past covers which all replicas have. */
  answer(partition: number, past: Past): void {
    const open = this.#writes.get(partition)
    if (!open) return
    const left = open.filter((unanswered) => {
      if (!covers(past, unanswered.version)) return true
      unanswered.acknowledge()
      return false
    })
    this.#keep(partition, left)
  }

  /** Lets go of those whose clients have stopped waiting. */
  expire(now: number): void {
    for (const [partition, open] of [...this.#writes])
      this.#keep(
        partition,
        open.filter(({ deadline }) => deadline > now),
      )
  }

  #keep(partition: number, left: readonly OpenWrite[]): void {
    if (left.length > 0) this.#writes.set(partition, left)
    else this.#writes.delete(partition)
  }
}
