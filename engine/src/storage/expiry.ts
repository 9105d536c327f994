/** Takes expired records out, once in a period, in slices. */
import { voidTimeAt } from '../values/void-time.ts'
import { PartitionPass } from './partition-pass.ts'
import type { RecordIndex } from './record-index.ts'
import type { Slice } from './slice.ts'

export class Expiry {
  /** Seconds between two passes; 0 = none. */
  readonly #period: () => number
  readonly #pass: PartitionPass
  /** In ms since 1970. */
  #began = -Infinity
  /** The second at which the pass that runs began, in seconds since 2010. */
  #at = 0

  /** `expire` takes the entry out if its void time, in seconds since 2010, is not after the one given. */
  constructor(index: RecordIndex, period: () => number, expire: (place: number, at: number) => boolean) {
    this.#period = period
    this.#pass = new PartitionPass(index, (place) => expire(place, this.#at))
  }

  /** Works until the slice is over, if a pass runs or is due at `now` (ms since 1970); true when more is to do now. */
  run(slice: Slice, now: number): boolean {
    const period = this.#period() * 1000
    // A clock that was set back must not put the next pass off.
    if (this.#pass.isOver && period > 0 && Math.abs(now - this.#began) >= period) {
      this.#began = now
      this.#at = voidTimeAt(now)
      this.#pass.begin()
    }
    return this.#pass.run(slice)
  }
}
