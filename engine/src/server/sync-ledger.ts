/**
 * Tickets for answers that must not leave before the disk has something. One namespace counts positions of its own,
 * an answer may wait for several namespaces, and a connection wants one number that grows; so each wait gets the
 * next ticket, and a ticket is synced when it and all before it are. Namespaces of one node share a disk as a rule, so
 * a ticket seldom waits for another namespace's sync. One that had to be given up takes those behind it with it: a
 * connection waits for the last ticket of many answers, and none of them may leave when one of them cannot.
 *
 * How many tickets are open is bounded by what connections may hold back: a held answer has one, and answers that
 * wait for the same positions share it.
 */
import type { Syncs } from './service.ts'

/** What of a store the ledger asks. */
export interface SyncedStore {
  readonly synced: number
  whenSynced(position: number, callback: (failed: boolean) => void): void
}

interface Wait {
  /** Stores it still waits for. */
  open: number
  failed: boolean
  readonly callbacks: ((failed: boolean) => void)[]
}

export class SyncLedger implements Syncs {
  readonly #stores: readonly SyncedStore[]
  /** By ticket, from `#done + 1` on. */
  #waits: Wait[] = []
  #done = 0
  /** Positions the last ticket waits for. */
  readonly #last: number[]
  /** Positions the answer that is being made waits for; 0 = not for this store. */
  readonly #needs: number[]
  #needed = false

  constructor(stores: readonly SyncedStore[]) {
    this.#stores = stores
    this.#last = stores.map(() => 0)
    this.#needs = stores.map(() => 0)
  }

  /** The answer that is being made must wait for this position of the store with this number; 0 = for nothing. */
  need(store: number, position: number): void {
    if (position <= this.#needs[store]! || position <= this.#stores[store]!.synced) return
    this.#needs[store] = position
    this.#needed = true
  }

  /** The ticket for all that was needed since the last call, 0 for nothing. */
  take(): number {
    if (!this.#needed) return 0
    this.#needed = false
    const issued = this.#done + this.#waits.length
    const shared = this.#waits.length > 0 && this.#needs.every((need, i) => need <= this.#last[i]!)
    if (!shared) this.#issue()
    this.#needs.fill(0)
    return shared ? issued : issued + 1
  }

  isSynced(ticket: number): boolean {
    return ticket <= this.#done
  }

  whenSynced(ticket: number, callback: (failed: boolean) => void): void {
    if (this.isSynced(ticket)) callback(false)
    else this.#waits[ticket - this.#done - 1]!.callbacks.push(callback)
  }

  #issue(): void {
    const wait: Wait = { open: 1, failed: false, callbacks: [] }
    this.#waits.push(wait)
    for (const [i, position] of this.#needs.entries()) {
      this.#last[i] = position
      if (position === 0) continue
      wait.open++
      this.#stores[i]!.whenSynced(position, (failed) => this.#close(wait, failed))
    }
    this.#close(wait, false)
  }

  #close(wait: Wait, failed: boolean): void {
    wait.open--
    if (failed) wait.failed = true
    let count = 0
    while (count < this.#waits.length && this.#waits[count]!.open === 0) count++
    if (count === 0) return
    const closed = this.#waits.splice(0, count)
    this.#done += count
    // All is marked before anyone is called: who is called may ask for tickets that have nothing to do with these.
    let broken = false
    for (const each of closed) each.failed = broken ||= each.failed
    if (broken) for (const each of this.#waits) each.failed = true
    for (const each of closed) for (const callback of each.callbacks) callback(each.failed)
  }
}
