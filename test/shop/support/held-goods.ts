import type { OrderHold, PinPort } from '../../../shop-api/src/checkout/checkout-ports.ts'

interface Entry {
  state: 'held' | 'committing' | 'sold' | 'released'
  order: number
}

/** The rules of holds over a map, for tests of checkout that are not about the engine. */
export class HeldGoods implements PinPort {
  readonly entries = new Map<string, Entry>()
  /** The next calls with these names answer `unsettled`. */
  readonly doubts: string[] = []

  hold(holdId: string): void {
    this.entries.set(holdId, { state: 'held', order: 0 })
  }

  #doubted(call: string): boolean {
    const at = this.doubts.indexOf(call)
    if (at >= 0) this.doubts.splice(at, 1)
    return at >= 0
  }

  async pin({ holdId }: OrderHold, order: number) {
    if (this.#doubted('pin')) return 'unsettled' as const
    const entry = this.entries.get(holdId)
    if (entry?.state === 'committing' && entry.order === order) return 'pinned' as const
    if (entry?.state !== 'held' || entry.order >= order) return 'ended' as const
    Object.assign(entry, { state: 'committing', order })
    return 'pinned' as const
  }

  async sell({ holdId }: OrderHold, order: number) {
    if (this.#doubted('sell')) return 'unsettled' as const
    const entry = this.entries.get(holdId)
    if (entry?.order !== order || entry.state === 'held' || entry.state === 'released') return 'lost' as const
    entry.state = 'sold'
    return 'sold' as const
  }

  async undo({ holdId }: OrderHold, order: number, keep: boolean) {
    if (this.#doubted('undo')) return 'unsettled' as const
    const entry = this.entries.get(holdId)
    const mine = entry?.state === 'committing' && entry.order === order
    if (!entry || (entry.state !== 'held' && !mine) || entry.order > order) return 'undone' as const
    Object.assign(entry, { state: keep ? 'held' : 'released', order })
    return 'undone' as const
  }
}
