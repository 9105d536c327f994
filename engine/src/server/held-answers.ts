/**
 * The answers of one connection that may not leave yet, in the order of their requests: those that wait for a disk
 * (by ticket), those that come later (deferred), and all that stand behind them. What was written into the shared
 * response buffer is copied aside once a read; what leaves together goes in one write.
 */
import type { AnswerHolder, DeferredAnswer } from './deferred-answer.ts'

/** Marks part of the shared buffer. */
interface Mark {
  readonly start: number
  /** Of a deferred answer; what waits for a ticket goes on until the next mark. */
  readonly end: number
  ticket: number
  readonly deferred: DeferredAnswer | undefined
}

interface Held {
  /** Shared with others of the same read. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly ticket: number
  readonly deferred: DeferredAnswer | undefined
}

/** The connection, as its held answers see it. */
export interface HeldAnswersOwner {
  isSynced(ticket: number): boolean
  /** To be followed by `release`. */
  whenSynced(ticket: number): void
  /** So many bytes more, or fewer, are held. */
  count(bytes: number): void
  /** `more`: another write follows before this call of the owner is over. */
  write(bytes: Buffer, more: boolean): void
  /** Some may leave: `release` is to be called before long. */
  wake(): void
  /** Whether the client takes what is sent. */
  takesMore(): boolean
  /** Whether nothing more should be held. */
  isFull(): boolean
}

const NOTHING = Buffer.alloc(0)

export class HeldAnswers implements AnswerHolder {
  readonly #owner: HeldAnswersOwner
  readonly #held: Held[] = []
  #marks: Mark[] = []
  #bytes = 0
  #deferred = 0
  /** Of what leaves now: neighbours go together. */
  #runBytes: Buffer = NOTHING
  #runStart = 0
  #runEnd = 0
  #written = 0

  constructor(owner: HeldAnswersOwner) {
    this.#owner = owner
  }

  /** All counted, with the requests that are kept for them. */
  get bytes(): number {
    return this.#bytes
  }

  /** How many are not known or not acknowledged. */
  get deferred(): number {
    return this.#deferred
  }

  /** How much of the shared buffer, filled up to `length`, may leave at once. */
  ready(length: number): number {
    if (this.#held.length > 0) return 0
    return this.#marks[0]?.start ?? length
  }

  /** What stands in the shared buffer from `start` on waits for the ticket. */
  waitFor(ticket: number, start: number): void {
    const last = this.#marks.at(-1)
    if (last && !last.deferred) last.ticket = Math.max(last.ticket, ticket)
    else this.#marks.push({ start, end: -1, ticket, deferred: undefined })
  }

  /** What was written of this answer stands there from `start` to `end`. */
  defer(deferred: DeferredAnswer, start: number, end: number): void {
    this.#deferred++
    this.#count(deferred.weight)
    deferred.heldBy(this)
    this.#marks.push({ start, end, ticket: deferred.ticket, deferred })
    if (deferred.ended) this.#owner.wake()
  }

  /** Takes over what stands in the shared buffer from `from` on. */
  take(buffer: Buffer, from: number, length: number): void {
    if (from === length && this.#marks.length === 0) return
    const bytes = from === length ? NOTHING : Buffer.from(buffer.subarray(from, length))
    const marks = this.#marks
    let at = from
    for (let i = 0; i < marks.length; i++) {
      const { start, end, ticket, deferred } = marks[i]!
      const next = deferred ? end : (marks[i + 1]?.start ?? length)
      if (at < start)
        this.#held.push({ bytes, start: at - from, end: start - from, ticket: 0, deferred: undefined })
      if (start < next || deferred)
        this.#held.push({ bytes, start: start - from, end: next - from, ticket, deferred })
      at = next
      if (ticket > 0 && !this.#owner.isSynced(ticket)) this.#owner.whenSynced(ticket)
    }
    if (at < length)
      this.#held.push({ bytes, start: at - from, end: length - from, ticket: 0, deferred: undefined })
    if (this.#marks.length > 0) this.#marks = []
    this.#count(bytes.length)
    this.#giveRoom()
  }

  /** Writes all that may leave; answers how many bytes. */
  release(): number {
    const held = this.#held
    this.#written = 0
    let freed = 0
    let count = 0
    for (; count < held.length; count++) {
      const { bytes, start, end, ticket, deferred } = held[count]!
      if (!this.#owner.isSynced(ticket)) break
      if (deferred) {
        freed += this.#writePieces(deferred)
        if (!deferred.ended) break
        freed += deferred.weight
        this.#deferred--
      }
      freed += end - start
      if (deferred?.instead) this.#write(deferred.instead, 0, deferred.instead.length)
      else this.#write(bytes, start, end)
    }
    this.#writeRun(false)
    if (count > 0) held.splice(0, count)
    if (freed > 0) this.#count(-freed)
    this.#giveRoom()
    return this.#written
  }

  /** The first one goes on where it has been waiting for room. */
  #giveRoom(): void {
    const first = this.#held[0]?.deferred
    if (first && !first.ended && this.#owner.takesMore()) first.onRoom?.()
  }

  clear(): void {
    const all = [...this.#held, ...this.#marks]
    this.#held.length = this.#marks.length = 0
    this.#count(-this.#bytes)
    this.#deferred = 0
    for (const { deferred } of all) deferred?.drop()
  }

  changed(bytes: number): void {
    if (bytes > 0) this.#count(bytes)
    this.#owner.wake()
  }

  /** The first one may always go on, or those behind it would hold it up that have filled what room there is. */
  hasRoom(answer: DeferredAnswer): boolean {
    return this.#held[0]?.deferred === answer ? this.#owner.takesMore() : !this.#owner.isFull()
  }

  #writePieces(deferred: DeferredAnswer): number {
    let bytes = 0
    for (const piece of deferred.takePieces()) {
      bytes += piece.length
      this.#write(piece, 0, piece.length)
    }
    return bytes
  }

  #write(bytes: Buffer, start: number, end: number): void {
    if (start === end) return
    this.#written += end - start
    if (bytes === this.#runBytes && start === this.#runEnd) {
      this.#runEnd = end
      return
    }
    this.#writeRun(true)
    this.#runBytes = bytes
    this.#runStart = start
    this.#runEnd = end
  }

  #writeRun(more: boolean): void {
    if (this.#runStart < this.#runEnd)
      this.#owner.write(this.#runBytes.subarray(this.#runStart, this.#runEnd), more)
    this.#runBytes = NOTHING
    this.#runStart = this.#runEnd = 0
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#owner.count(bytes)
  }
}
