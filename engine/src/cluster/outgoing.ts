/**
 * The ordered stream of one partition from its master to one replica. Entries are numbered from 1 and kept until the
 * replica has said that it applied them; what is not acknowledged in time is sent again from the first one on. A
 * replica applies them in this order, so loss, repetition and reordering change nothing. On a connection that keeps
 * order nothing is sent twice.
 */
import type { StreamEntry } from './data-message.ts'
import { weightOf } from './stored-version.ts'

/** Milliseconds without an acknowledgement after which entries are sent again. */
const resendAfter = 200
/** Entries of one message. */
const messageEntries = 64
/** Bytes that wait for an acknowledgement; above it nothing more is given out and writes are refused (code 18). */
const largestBacklog = 4 * 1024 * 1024
/** Of that, what giving out may take, so that writes always find room. */
const largestGiven = 256 * 1024

export class Outgoing {
  /** Sent or to be sent, the first one at position `#applied + 1`. */
  readonly #entries: StreamEntry[] = []
  readonly #waits: { position: number; run: () => void }[] = []
  #applied = 0
  #sent = 0
  #sentAt = -Infinity
  #bytes = 0

  get isFull(): boolean {
    return this.#bytes > largestBacklog
  }

  get takesGifts(): boolean {
    return this.#bytes < largestGiven
  }

  /** `applied` runs when the replica has applied it. */
  push(entry: StreamEntry, applied?: () => void): void {
    this.#entries.push(entry)
    this.#bytes += weightOfEntry(entry)
    if (applied) this.#waits.push({ position: this.#applied + this.#entries.length, run: applied })
  }

  applied(position: number): void {
    const count = Math.min(position - this.#applied, this.#entries.length)
    if (count <= 0) return
    for (const entry of this.#entries.splice(0, count)) this.#bytes -= weightOfEntry(entry)
    this.#applied += count
    this.#sent = Math.max(this.#sent, this.#applied)
    while (this.#waits.length > 0 && this.#waits[0]!.position <= this.#applied) this.#waits.shift()!.run()
  }

  /** Hands what is due to be sent to `send`. */
  flush(now: number, send: (position: number, entries: readonly StreamEntry[]) => void): void {
    if (this.#sent > this.#applied && now - this.#sentAt >= resendAfter) this.#sent = this.#applied
    while (this.#sent < this.#applied + this.#entries.length) {
      const from = this.#sent - this.#applied
      const entries = this.#entries.slice(from, from + messageEntries)
      send(this.#sent + 1, entries)
      this.#sent += entries.length
      this.#sentAt = now
    }
  }
}

function weightOfEntry(entry: StreamEntry): number {
  return 'version' in entry ? weightOf(entry.version) : 64
}
