import type {
  HeldStock,
  HoldOutcome,
  HoldRequest,
  InitialStock,
  StockPort,
} from '../../../shop-api/src/carts/stock-port.ts'

export const HOLD_MS = 900_000

/** One location, one number per SKU, and the holds: what carts may expect of the stock service. */
export class MemoryStock implements StockPort {
  readonly left = new Map<string, number>()
  readonly holds = new Map<string, HeldStock & { ended: boolean }>()
  readonly now: () => number
  /** Called before each hold; may wait for others. */
  beforeHold: (request: HoldRequest) => Promise<void> = () => Promise.resolve()

  constructor(now: () => number) {
    this.now = now
  }

  async hold(request: HoldRequest): Promise<HoldOutcome> {
    await this.beforeHold(request)
    const { holdId, sku, quantity, replaces } = request
    const known = this.holds.get(holdId)
    if (known) return known.ended ? { kind: 'ended' } : { kind: 'held', hold: known }
    const replaced = replaces && this.holds.get(replaces.holdId)
    const freed = replaced && !replaced.ended ? replaced.quantity : 0
    const available = (this.left.get(sku) ?? 0) + freed
    if (available < quantity) return { kind: 'sold-out', available: available - freed }
    if (replaced) replaced.ended = true
    this.left.set(sku, available - quantity)
    const hold = { holdId, location: 'here', quantity, deadline: this.now() + HOLD_MS, ended: false }
    this.holds.set(holdId, hold)
    return { kind: 'held', hold }
  }

  async release(sku: string, { holdId }: HeldStock): Promise<void> {
    await Promise.resolve()
    const known = this.holds.get(holdId)
    if (!known || known.ended) return
    known.ended = true
    this.left.set(sku, (this.left.get(sku) ?? 0) + known.quantity)
  }

  async available(skus: readonly string[]): Promise<ReadonlyMap<string, number>> {
    await Promise.resolve()
    return new Map(skus.map((sku) => [sku, this.left.get(sku) ?? 0]))
  }

  async createStock({ sku, quantity }: InitialStock): Promise<void> {
    await Promise.resolve()
    this.left.set(sku, (this.left.get(sku) ?? 0) + quantity)
  }

  get heldUnits(): number {
    return [...this.holds.values()].reduce((sum, hold) => sum + (hold.ended ? 0 : hold.quantity), 0)
  }
}
