/**
 * A master takes in what other members hold and it does not (F1 of README.md): it asks each holder, piece by piece in
 * the order of digests, for the versions that its past does not cover. A holder keeps nothing of this in mind, so a
 * question that got no answer is asked again.
 */
import type { PartitionBody } from './data-message.ts'
import type { NodeId } from './node-id.ts'
import { type Ancestors, covers, cut, endOf, joined, type Past, without } from './past.ts'
import type { Regime } from './regime.ts'
import type { PartitionContext } from './partition-context.ts'
import { sameVersion, type HeldVersion, wins } from './stored-version.ts'

/** Milliseconds after which a question is asked again. */
const askAgainAfter = 400

/** What comes of taking in, for this node and its replicas. */
export interface TakeInEffects {
  /** Makes a version the next one of the regime; false when there is no room. */
  readonly install: (winner: HeldVersion) => boolean
  /** Writes of an older regime behind this sequence came to nothing. */
  readonly cut: (regime: Regime, end: number) => void
}

interface Holder {
  after: Buffer | undefined
  /** Undefined until its turn has come. */
  askedAt: number | undefined
}

export class TakeIn {
  readonly #context: PartitionContext
  readonly #effects: TakeInEffects
  /** Holders that have not been taken in yet. */
  readonly #holders = new Map<NodeId, Holder>()
  /** Where versions came from that were taken from one holder while others are left; by digest. */
  readonly #origins = new Map<string, HeldVersion>()
  /** Of regimes of which a version lost: how much of them is certainly there. */
  readonly #cuts = new Map<Regime, number>()
  /** Own past when it began: what it covered then. */
  readonly #past: Past
  readonly #ancestors: Ancestors
  #now = -Infinity

  constructor(context: PartitionContext, holders: readonly NodeId[], effects: TakeInEffects) {
    this.#context = context
    this.#effects = effects
    this.#past = context.copy.past
    this.#ancestors = context.copy.ancestors
    for (const id of holders) this.#holders.set(id, { after: undefined, askedAt: undefined })
  }

  begin(now: number): void {
    this.#now = now
    for (const [id, holder] of this.#holders)
      this.#context.flow.ask(id, () => this.#ask(this.#now, id, holder))
  }

  get isOver(): boolean {
    return this.#holders.size === 0
  }

  get left(): readonly NodeId[] {
    return [...this.#holders.keys()]
  }

  tick(now: number): void {
    this.#now = now
    for (const [id, holder] of this.#holders) {
      const { askedAt = Infinity } = holder
      if (now - askedAt >= askAgainAfter) this.#ask(now, id, holder)
    }
  }

  /** Takes an answer; true when that was the end of the last holder. */
  receive(now: number, from: NodeId, body: PartitionBody & { kind: 'taken' }): boolean {
    const holder = this.#holders.get(from)
    if (!holder || !sameDigest(holder.after, body.after)) return false
    const { past } = body
    const ancestors = new Map(body.ancestors)
    // What there is no room for is asked for again.
    if (!body.versions.every((version) => this.merge({ version, past, ancestors }))) return false
    this.#context.migrated.migrate_record_receives += body.versions.length
    if (body.next) {
      holder.after = body.next
      this.#ask(now, from, holder)
      return false
    }
    this.#holders.delete(from)
    this.#context.flow.asked(from)
    const { copy } = this.#context
    copy.past = this.#afterCuts(joined(copy.past, without(past, this.#context.regime)))
    this.#context.changed('soon')
    if (this.isOver) this.#origins.clear()
    return this.isOver
  }

  /**
   * Lets a holder's version and ours meet, and installs the winner as a version of this regime, so that all obey it;
   * false when there is no room for it.
   */
  merge(theirs: HeldVersion): boolean {
    const { store, regime } = this.#context
    const { digest } = theirs.version
    if (covers(this.#past, theirs.version)) return true
    const key = digest.toString('latin1')
    const found = store.find(digest)
    const origin = this.#origins.get(key)
    // A version of this regime was made when all holders had been asked, unless it was taken from one of them.
    if (found?.regime === regime && !origin) return true
    const mine = origin ?? (found && { version: found, past: this.#past, ancestors: this.#ancestors })
    if (mine && sameVersion(mine.version, theirs.version)) return true
    const { clocks } = this.#context
    const { latest } = clocks
    if (theirs.version.lastUpdate > latest) clocks.refuse(this.#now, theirs.version.lastUpdate)
    const winner = !mine || wins({ policy: store.conflictPolicy, latest }, theirs, mine) ? theirs : mine
    const loser = winner === mine ? theirs : mine
    if (loser && !covers(winner.past, loser.version)) this.#cut(loser.version.regime, winner.past)
    if (winner !== origin && !this.#effects.install(winner)) return false
    if (this.#holders.size > 1) this.#origins.set(key, winner)
    return true
  }

  /** A write was made to the record after all holders had been asked: what they hold is behind it. */
  overwritten(digest: Buffer): void {
    this.#origins.delete(digest.toString('latin1'))
  }

  /** Writes that came to nothing must not look as if they were covered: nobody may answer them any more (C3). */
  #cut(regime: Regime, winner: Past): void {
    const { copy, changed } = this.#context
    const end = Math.min(this.#cuts.get(regime) ?? Infinity, endOf(winner, regime) ?? -1)
    this.#cuts.set(regime, end)
    copy.past = cut(copy.past, regime, end)
    changed('now')
    this.#effects.cut(regime, end)
  }

  #afterCuts(past: Past): Past {
    let left = past
    for (const [regime, end] of this.#cuts) left = cut(left, regime, end)
    return left
  }

  #ask(now: number, id: NodeId, holder: Holder): void {
    holder.askedAt = now
    this.#context.send(id, { kind: 'take', past: this.#past, after: holder.after })
  }
}

function sameDigest(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.equals(b))
}
