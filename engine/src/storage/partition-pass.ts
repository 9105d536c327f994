/** A pass over all slots of the index, a partition at a time and in slices, that takes out what its judge says. */
import type { RecordIndex } from './record-index.ts'
import type { Slice } from './slice.ts'

export class PartitionPass {
  readonly #index: RecordIndex
  /** Looks at one entry; true when it was taken out. */
  readonly #visit: (place: number) => boolean
  #partition: number

  constructor(index: RecordIndex, visit: (place: number) => boolean) {
    this.#index = index
    this.#visit = visit
    this.#partition = index.partitions
  }

  get isOver(): boolean {
    return this.#partition >= this.#index.partitions
  }

  begin(): void {
    this.#partition = 0
  }

  end(): void {
    this.#partition = this.#index.partitions
  }

  /** Works until the slice is over; true while partitions are left. */
  run(slice: Slice): boolean {
    while (!this.isOver && this.#visitAll(this.#partition, slice)) {
      this.#partition++
      if (slice.isOver) break
    }
    return !this.isOver
  }

  /**
   * From the last to the first: closing a gap moves only entries that have been seen already. False when the slice
   * was over before its end; then the partition is begun again, as requests may move its entries meanwhile. That
   * happens only after something was taken out, so there is an end to it.
   */
  #visitAll(partition: number, slice: Slice): boolean {
    let removed = false
    for (let slot = this.#index.size(partition) - 1; slot >= 0; slot--) {
      if (slot >= this.#index.size(partition)) continue
      const place = this.#index.placeAt(partition, slot)
      if (place === 0) continue
      if (this.#visit(place)) removed = true
      if (removed && slice.isOver) return false
    }
    return true
  }
}
