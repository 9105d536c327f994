import type { FaultLog } from './fault-log.ts'

/** Something that has work to do between requests. */
export interface BackgroundWork {
  /** Works for at most `budgetMs`; true when there is more to do now. */
  runSlice(now: number, budgetMs: number): boolean
}

/** No request waits longer than this for background work. */
const SLICE_MS = 1
/** How often work that had nothing to do is asked again, in ms. */
const IDLE_MS = 100

/** Runs background work in short slices, letting the event loop serve requests between any two. */
export class Background {
  readonly #work: readonly BackgroundWork[]
  readonly #clock: () => number
  readonly #faults: FaultLog
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  #next = 0

  constructor(work: readonly BackgroundWork[], clock: () => number, faults: FaultLog) {
    this.#work = work
    this.#clock = clock
    this.#faults = faults
    this.#later()
  }

  stop(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }

  /** One slice of one of the works in turn. */
  #slice(idle: number): void {
    const work = this.#work[this.#next++ % this.#work.length]!
    if (this.#run(work)) idle = 0
    else idle++
    if (idle >= this.#work.length) this.#later()
    else this.#immediate = setImmediate(() => this.#slice(idle))
  }

  /** Work that fails counts as done, so it is tried again, but not at once. */
  #run(work: BackgroundWork): boolean {
    try {
      return work.runSlice(this.#clock(), SLICE_MS)
    } catch (error) {
      this.#faults.report('background work', error)
      return false
    }
  }

  #later(): void {
    if (this.#work.length === 0) return
    this.#timer = setTimeout(() => this.#slice(0), IDLE_MS)
  }
}
