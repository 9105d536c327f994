/** A pass over all slots of the index, a partition at a time and in slices, that takes out what its judge says. */
import type { RecordIndex } from './record-index.ts'
import type { Slice } from './slice.ts'

export class PartitionPass {
  readonly #index: RecordIndex
  /** Looks at one entry and takes it out if it is time. */
  readonly #visit: (place: number) => void
  #partition: number

  constructor(index: RecordIndex, visit: (place: number) => void) {
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
    while (!this.isOver) {
      this.#visitAll(this.#partition++)
      if (slice.isOver) break
    }
    return !this.isOver
  }

  /** From the last to the first: closing a gap moves only entries that have been seen already. */
  #visitAll(partition: number): void {
    for (let slot = this.#index.size(partition) - 1; slot >= 0; slot--) {
      if (slot >= this.#index.size(partition)) continue
      const place = this.#index.placeAt(partition, slot)
      if (place !== 0) this.#visit(place)
    }
  }
}
