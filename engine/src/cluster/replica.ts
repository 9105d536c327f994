/**
 * A member that is not the master of a partition: applies the master's stream in order, and tells the master what it
 * holds. What it does is all in answer to messages; questions that take long wait for their turn (`tell`).
 */
import { ResultError } from '../values/result-code.ts'
import type { PartitionBody, StreamEntry } from './data-message.ts'
import type { NodeId } from './node-id.ts'
import { type PartitionContext, wholePast } from './partition-context.ts'
import { covers, cut, noAncestors, withAncestors, without } from './past.ts'
import { type StoredVersion, weightOf } from './stored-version.ts'

/** Entries that are kept until their turn comes; more are dropped, and sent again. */
const mostAhead = 1024
/** Versions looked at for one answer, and bytes in it. */
const takeStep = 128
const takeBytes = 64 * 1024

export class Replica {
  readonly #context: PartitionContext
  readonly #master: NodeId
  #applied = 0
  /** Entries that came before their turn, by position. */
  readonly #ahead = new Map<number, StreamEntry>()

  constructor(context: PartitionContext, master: NodeId) {
    this.#context = context
    this.#master = master
  }

  receive(from: NodeId, body: PartitionBody): void {
    if (from !== this.#master) return
    switch (body.kind) {
      case 'stream':
        return this.#receiveStream(body.position, body.entries)
      case 'ask': {
        const { store, copy } = this.#context
        const { digest } = body
        this.#context.send(from, {
          kind: 'told',
          digest,
          version: store.find(digest),
          past: wholePast(copy),
          ancestors: [...copy.ancestors],
        })
      }
    }
  }

  #receiveStream(position: number, entries: readonly StreamEntry[]): void {
    const { store } = this.#context
    let at = position - 1
    for (const entry of entries) {
      at++
      const isNext = at === this.#applied + 1
      if (isNext && this.#ahead.size === 0 && this.#apply(entry)) this.#applied++
      else if (isNext || (at > this.#applied && this.#ahead.size < mostAhead)) this.#ahead.set(at, entry)
    }
    // In their order, and none left out.
    for (let next = this.#ahead.get(this.#applied + 1); next; next = this.#ahead.get(this.#applied + 1)) {
      if (!this.#apply(next)) break
      this.#ahead.delete(++this.#applied)
    }
    const applied = this.#applied
    const acknowledge = () => this.#context.send(this.#master, { kind: 'applied', position: applied })
    if (store.position === 0) return acknowledge()
    store.whenSynced(store.position, (failed) => {
      if (!failed) acknowledge()
    })
  }

  /** False when it cannot be applied now. */
  #apply(entry: StreamEntry): boolean {
    const { store, copy, regime } = this.#context
    if (entry.kind === 'begin') {
      copy.ancestors = withAncestors(copy.ancestors, regime, entry.regimes)
      this.#context.changed('soon')
      return true
    }
    if (entry.kind === 'cut') {
      copy.past = cut(copy.past, entry.regime, entry.end)
      this.#context.changed('now')
      return true
    }
    if (entry.kind === 'whole') {
      copy.ancestors = noAncestors
      copy.past = without(entry.past, regime)
      copy.whole = true
      copy.wholeNow = true
      this.#context.changed('soon')
      return true
    }
    const { version } = entry
    try {
      store.put(version)
      if (entry.kind === 'write') copy.applied = version.sequence
      else this.#context.migrated.migrate_record_receives++
      return true
    } catch (error) {
      if (error instanceof ResultError) return false
      throw error
    }
  }

  /** Answers one piece of what the master takes in; answers how many versions that took. */
  tell({ past, after }: PartitionBody & { kind: 'take' }): number {
    const { store, copy, partition, regime, migrated } = this.#context
    const versions: StoredVersion[] = []
    let seen = 0
    let bytes = 0
    let next: Buffer | undefined
    store.scan(partition, after, (version) => {
      seen++
      if (version.regime !== regime && !covers(past, version)) {
        versions.push(version)
        bytes += weightOf(version)
      } else migrated.migrate_records_skipped++
      const goesOn = seen < takeStep && bytes < takeBytes
      if (!goesOn) next = version.digest
      return goesOn
    })
    migrated.migrate_records_transmitted += versions.length
    this.#context.send(this.#master, {
      kind: 'taken',
      after,
      versions,
      next,
      past: wholePast(copy),
      ancestors: [...copy.ancestors],
    })
    return seen + 1
  }
}
