/**
 * Simulated time: events wait in a binary heap by (time, order of scheduling) and run one by one. Nothing else moves
 * the time, so a run is a function of its seed.
 */
interface Event {
  readonly time: number
  readonly order: number
  readonly run: () => void
}

export class Clock {
  #now = 0
  #order = 0
  readonly #heap: Event[] = []

  get now(): number {
    return this.#now
  }

  /** Runs it after this many milliseconds. */
  after(delay: number, run: () => void): void {
    this.#push({ time: this.#now + delay, order: this.#order++, run })
  }

  /** Runs all events up to this time, which is then the present. */
  runUntil(time: number): void {
    while (this.next <= time) this.step()
    this.#now = time
  }

  /** When the next event is due. */
  get next(): number {
    return this.#heap[0]?.time ?? Infinity
  }

  /** Runs the next event. */
  step(): void {
    const event = this.#pop()
    this.#now = event.time
    event.run()
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  #pop(): Event {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    let at = 0
    while (heap.length > 0) {
      let child = 2 * at + 1
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (child >= heap.length || !isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    if (heap.length > 0) heap[at] = last
    return first
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order)
}
