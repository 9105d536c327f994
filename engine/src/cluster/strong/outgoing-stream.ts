import type { StreamItem } from './message.ts'

/** What one replica has not acknowledged yet, in order. Said again from the start when nothing is heard for a while. */
export class OutgoingStream<Content> {
  readonly #items: StreamItem<Content>[] = []
  /** Of each item: its bytes, where it is a piece of a fill. */
  readonly #given: number[] = []
  readonly #onGiven: (bytes: number) => void
  /** Number of the first item that is left. */
  #first = 1
  /** Number of the last item that was said. */
  #said = 0
  /** The first that was left, and had been said, at the last repetition. */
  #stuck = 0
  #acknowledgedSequence = 0

  /** `onGiven`: so many bytes more of fills are said or to be said and not acknowledged, or fewer. */
  constructor(onGiven: (bytes: number) => void) {
    this.#onGiven = onGiven
  }

  /** The last write that the replica has acknowledged. */
  get acknowledgedSequence(): number {
    return this.#acknowledgedSequence
  }

  /** Number of the first item that was not said. */
  get next(): number {
    return this.#said + 1
  }

  /** Items that are not acknowledged. */
  get length(): number {
    return this.#items.length
  }

  /** Answers the item's number. `given` bytes of it are a piece of a fill. */
  push(item: StreamItem<Content>, given = 0): number {
    this.#given.push(given)
    if (given > 0) this.#onGiven(given)
    return this.#first + this.#items.push(item) - 1
  }

  isAcknowledged(item: number): boolean {
    return item < this.#first
  }

  /** Everything up to that item; answers whether it was news. */
  acknowledge(item: number): boolean {
    const count = Math.min(item - this.#first + 1, this.#items.length)
    if (count <= 0) return false
    for (const gone of this.#items.splice(0, count)) {
      if (gone.kind === 'write') this.#acknowledgedSequence = gone.write.version.position.sequence
      else if (gone.kind === 'truncation') this.#acknowledgedSequence = gone.truncation.position.sequence
    }
    const given = this.#given.splice(0, count).reduce((sum, bytes) => sum + bytes, 0)
    if (given > 0) this.#onGiven(-given)
    this.#first += count
    this.#said = Math.max(this.#said, this.#first - 1)
    return true
  }

  /** What has not been said yet. */
  take(): { readonly first: number; readonly items: readonly StreamItem<Content>[] } | undefined {
    const first = this.#said + 1
    const items = this.#items.slice(first - this.#first)
    if (items.length === 0) return undefined
    this.#said += items.length
    return { first, items }
  }

  /** What was said before the last call, and has led to nothing since, is to be said again. */
  repeat(): void {
    const isSaid = this.#said >= this.#first
    if (isSaid && this.#stuck === this.#first) this.#said = this.#first - 1
    else this.#stuck = isSaid ? this.#first : 0
  }
}
