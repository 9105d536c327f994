/**
 * The ordered stream of one partition from its master to one replica. Entries are numbered from 1 and kept until the
 * replica has said that it applied them. When nothing is acknowledged in time, the first of them are sent again, and
 * the others behind them once that was answered: a peer that is only slow is not sent all of it again and again. A
 * replica applies them in this order, so loss, repetition and reordering change nothing.
 */
import type { StreamEntry } from './data-message.ts'
import { type StoredVersion, weightOf } from './stored-version.ts'

/** Milliseconds without an acknowledgement after which entries are sent again. */
const resendAfter = 200
/** Entries of one message. */
const messageEntries = 64
/** Bytes that wait for an acknowledgement; above it nothing more is given out and writes are refused (code 18). */
const largestBacklog = 4 * 1024 * 1024
/** Of that, what giving out may take, so that writes always find room. */
const largestGiven = 256 * 1024
/** Acknowledged entries that may lie at the front before the rest moves up. */
const largestGap = 1024

export class Outgoing {
  /** From `#gap` on those at position `#applied + 1` and behind, sent or to be sent. */
  readonly #entries: StreamEntry[] = []
  #gap = 0
  readonly #waits: { position: number; run: () => void }[] = []
  readonly #onGiven: (bytes: number) => void
  #applied = 0
  #sent = 0
  #sentAt = -Infinity
  /** Something was sent again, and nothing is sent behind it before it is answered. */
  #probing = false
  #bytes = 0

  /** `onGiven`: so many bytes more are given and not acknowledged, or less. */
  constructor(onGiven: (bytes: number) => void) {
    this.#onGiven = onGiven
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  get isFull(): boolean {
    return this.#bytes > largestBacklog
  }

  get takesGifts(): boolean {
    return this.#bytes < largestGiven
  }

  /** The first write that the replica has not applied, as far as is known. */
  get firstUnapplied(): StoredVersion | undefined {
    for (let i = this.#gap; i < this.#entries.length; i++) {
      const entry = this.#entries[i]!
      if (entry.kind === 'write') return entry.version
    }
    return undefined
  }

  /** `applied` runs when the replica has applied it. */
  push(entry: StreamEntry, applied?: () => void): void {
    this.#entries.push(entry)
    this.#bytes += weightOfEntry(entry)
    if (entry.kind === 'give') this.#onGiven(weightOfEntry(entry))
    if (applied) this.#waits.push({ position: this.#applied + this.#length, run: applied })
  }

  applied(position: number): void {
    const count = Math.min(position - this.#applied, this.#length)
    if (count <= 0) return
    for (let i = 0; i < count; i++) {
      const entry = this.#entries[this.#gap + i]!
      this.#bytes -= weightOfEntry(entry)
      if (entry.kind === 'give') this.#onGiven(-weightOfEntry(entry))
    }
    this.#gap += count
    if (this.#gap > largestGap || this.#length === 0) {
      this.#entries.splice(0, this.#gap)
      this.#gap = 0
    }
    this.#applied += count
    this.#probing = false
    this.#sent = Math.max(this.#sent, this.#applied)
    const over = this.#waits.findIndex((wait) => wait.position > this.#applied)
    for (const { run } of this.#waits.splice(0, over < 0 ? this.#waits.length : over)) run()
  }

  /** Hands what is due to be sent to `send`. */
  flush(now: number, send: (position: number, entries: readonly StreamEntry[]) => void): void {
    if (this.#sent > this.#applied && now - this.#sentAt >= resendAfter) {
      this.#sent = this.#applied
      this.#probing = true
    }
    while (this.#sent < this.#applied + this.#length && !(this.#probing && this.#sent > this.#applied)) {
      const from = this.#gap + this.#sent - this.#applied
      const entries = this.#entries.slice(from, from + messageEntries)
      send(this.#sent + 1, entries)
      this.#sent += entries.length
      this.#sentAt = now
    }
  }

  get #length(): number {
    return this.#entries.length - this.#gap
  }
}

function weightOfEntry(entry: StreamEntry): number {
  return 'version' in entry ? weightOf(entry.version) : 64
}
