/** What `dispatch` answers instead of a ticket when the answer comes later. */
export const DEFERRED = -1

/** What an answer that waits takes beside its bytes, about: so many of them count as this many bytes each. */
const OVERHEAD_BYTES = 256

/** Where answers wait for their turn. */
export interface AnswerHolder {
  /** It is over, or has `bytes` more that may leave. */
  changed(bytes: number): void
  /** Whether the next piece may be made. */
  hasRoom(answer: DeferredAnswer): boolean
}

/**
 * An answer that is not known, or may not leave, when its request has been worked on: it waits for replicas, for another
 * node, or for a view. What `dispatch` wrote of it stands until it is over; it then leaves, or `instead` does. An answer
 * of many pieces leaves piece by piece, and makes the next one when there is room.
 *
 * Whoever makes one sees to it that it ends, at the latest when the time of its request is over.
 */
export class DeferredAnswer {
  /** What of it must be synced beside, 0 = nothing. */
  ticket = 0
  /** A whole frame that leaves in place of what was written. */
  instead: Buffer | undefined
  /** Nobody waits for it any more. */
  onDropped: (() => void) | undefined
  /** The next piece may be made. */
  onRoom: (() => void) | undefined
  readonly #requestBytes: number
  #pieces: Buffer[] | undefined
  #ended = false
  #holder: AnswerHolder | undefined

  /** `requestBytes` are kept as long as it waits. */
  constructor(requestBytes = 0) {
    this.#requestBytes = requestBytes
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Bytes it takes, all counted. */
  get weight(): number {
    let bytes = OVERHEAD_BYTES + this.#requestBytes + (this.instead?.length ?? 0)
    if (this.#pieces) for (const piece of this.#pieces) bytes += piece.length
    return bytes
  }

  get hasRoom(): boolean {
    return this.#holder?.hasRoom(this) ?? false
  }

  /** Adds whole frames. */
  add(frames: Buffer): void {
    if (this.#ended) return
    ;(this.#pieces ??= []).push(frames)
    this.#holder?.changed(frames.length)
  }

  /** Nothing more comes. What comes after the end is ignored: time may be up before an answer is there. */
  end(instead?: Buffer): void {
    if (this.#ended) return
    this.#ended = true
    this.instead = instead
    this.onDropped = this.onRoom = undefined
    this.#holder?.changed(instead?.length ?? 0)
  }

  /** The pieces that have been made, which are the caller's now. */
  takePieces(): readonly Buffer[] {
    const pieces = this.#pieces ?? []
    this.#pieces = undefined
    return pieces
  }

  /** From now on `holder` is told. */
  heldBy(holder: AnswerHolder): void {
    this.#holder = holder
  }

  /** Lets go of it. */
  drop(): void {
    const { onDropped } = this
    this.#ended = true
    this.#holder = undefined
    this.#pieces = this.instead = this.onDropped = this.onRoom = undefined
    onDropped?.()
  }
}
