/**
 * Follows the master's stream in one view (rules W1, F1 to F4, D1, D2). Items are applied in order and without gaps;
 * an item that came before is only acknowledged again. A complete copy's state moves with every write, an incomplete
 * one's stays where it was until the fill has ended.
 */
import { type Regime, regimeOf } from '../regime.ts'
import { includesProcess } from './activation.ts'
import type { Digest } from './copy-disk.ts'
import { withClaim } from './copy-meta.ts'
import type { StreamItem, Write } from './message.ts'
import type { PartitionContext } from './partition-context.ts'
import { laterPosition, positionText, type Position } from './position.ts'
import { type Truncation, withTruncation } from './truncation.ts'

export class Replica<Content> {
  readonly #context: PartitionContext<Content>
  readonly #regime: Regime
  /** Its state is the master's, up to the last write. */
  #follows: boolean
  #applied = 0
  #acknowledged = 0
  /** The end of a fill that is not on disk yet; nothing from it on is acknowledged. */
  #unsyncedEnd: number | undefined
  #held: readonly Digest[] | undefined
  /** Sequence that all replicas are known to have acknowledged. */
  acknowledgedByAll = 0

  constructor(context: PartitionContext<Content>) {
    this.#context = context
    this.#regime = regimeOf(context.plan.activation.regime)
    this.#follows = includesProcess(context.plan.complete, context.self)
  }

  get follows(): boolean {
    return this.#follows
  }

  receive(first: number, items: readonly StreamItem<Content>[], acknowledged: number): void {
    const { plan } = this.#context
    this.acknowledgedByAll = Math.max(this.acknowledgedByAll, acknowledged)
    const before = this.#applied
    for (const [i, item] of items.entries()) {
      if (first + i !== this.#applied + 1) continue
      // A disk that refuses has not applied it: it is not to be acknowledged, and may come again.
      this.#apply(item)
      this.#applied++
    }
    const applied = this.#applied
    if (plan.activation.synced || this.#unsyncedEnd !== undefined) {
      this.#context.whenSynced('data', () => {
        if (this.#unsyncedEnd !== undefined && applied >= this.#unsyncedEnd) this.#unsyncedEnd = undefined
        this.#acknowledge(applied)
      })
    }
    if (!plan.activation.synced) this.#acknowledge(applied)
    else if (applied === before || this.#held) this.#acknowledge(this.#acknowledged)
  }

  #acknowledge(applied: number): void {
    const allowed = this.#unsyncedEnd === undefined ? applied : Math.min(applied, this.#unsyncedEnd - 1)
    this.#acknowledged = Math.max(this.#acknowledged, allowed)
    const held = this.#held && { held: this.#held }
    this.#context.send(this.#context.plan.master, { kind: 'acknowledge', item: this.#acknowledged, ...held })
  }

  #apply(item: StreamItem<Content>): void {
    const { disk } = this.#context
    switch (item.kind) {
      case 'write':
        return this.#write(item.write)
      case 'truncation':
        return this.#truncate(item.truncation)
      case 'fill':
        this.#held = item.point ? disk.digestsAbove(item.point) : []
        return disk.apply({ horizon: laterPosition(disk.horizon, item.horizon) })
      case 'records':
        this.#held = undefined
        return disk.apply({ entries: item.entries })
      case 'range': {
        this.#held = undefined
        const { after, upTo, entries } = item
        return disk.apply({ range: { after, upTo }, entries })
      }
      case 'filled': {
        this.#held = undefined
        const { lineage, truncations } = item
        disk.apply({ lineage, truncations, horizon: laterPosition(disk.horizon, item.horizon) })
        this.#follows = true
        this.#unsyncedEnd = this.#applied + 1
        return
      }
      case 'complete':
        return this.#claim()
    }
  }

  #write({ digest, version }: Write<Content>): void {
    this.#context.disk.apply({ entries: [[digest, version]], ...this.#moved(version.position) })
  }

  #truncate(truncation: Truncation): void {
    const { disk } = this.#context
    const truncations = withTruncation(disk.truncations, truncation)
    disk.apply({ truncations, ...this.#moved(truncation.position) })
  }

  /** How a numbered write moves the state. */
  #moved(position: Position): { readonly state?: Position } {
    const { state } = this.#context.disk.lineage
    const { regime, sequence } = position
    if (regime !== this.#regime) throw new Error(`a write of ${regime} in regime ${this.#regime}`)
    if (!this.#follows) return {}
    if (state.regime !== regime || state.sequence + 1 !== sequence)
      throw new Error(`write ${positionText(position)} after ${positionText(state)}`)
    return { state: position }
  }

  #claim(): void {
    const { disk, plan } = this.#context
    const { regime } = plan.activation
    disk.keep(withClaim(disk.meta, regime))
    this.#context.whenSynced('meta', () => undefined)
  }
}
