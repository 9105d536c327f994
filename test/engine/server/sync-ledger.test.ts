import { describe, expect, it } from 'vitest'
import { SyncLedger } from '../../../engine/src/server/sync-ledger.ts'

/** A store of which the test says what is synced. */
class Store {
  synced = 0
  #waiters: { position: number; callback: (failed: boolean) => void }[] = []

  whenSynced(position: number, callback: (failed: boolean) => void): void {
    if (position <= this.synced) callback(false)
    else this.#waiters.push({ position, callback })
  }

  sync(position: number, failed = false): void {
    if (!failed) this.synced = position
    const due = this.#waiters.filter((waiter) => waiter.position <= position)
    this.#waiters = this.#waiters.filter((waiter) => waiter.position > position)
    for (const { callback } of due) callback(failed)
  }
}

function setUp() {
  const stores = [new Store(), new Store()] as const
  const ledger = new SyncLedger(stores)
  const log: string[] = []
  const ticket = (...needs: [store: number, position: number][]): number => {
    for (const [store, position] of needs) ledger.need(store, position)
    const number = ledger.take()
    if (number > 0) ledger.whenSynced(number, (failed) => log.push(`${number}${failed ? ' failed' : ''}`))
    return number
  }
  return { stores, ledger, log, ticket }
}

describe('tickets', () => {
  it('are needed only for what is not synced', () => {
    const { stores, ticket } = setUp()
    expect(ticket()).toBe(0)
    expect(ticket([0, 0])).toBe(0)
    stores[0].sync(5)
    expect(ticket([0, 5])).toBe(0)
    expect(ticket([0, 6])).toBe(1)
  })

  it('wait for every namespace an answer wrote in', () => {
    const { stores, ledger, log, ticket } = setUp()
    expect(ticket([0, 3], [1, 7])).toBe(1)
    stores[0].sync(3)
    expect(ledger.isSynced(1)).toBe(false)
    stores[1].sync(6)
    expect(log).toEqual([])
    stores[1].sync(7)
    expect(log).toEqual(['1'])
    expect(ledger.isSynced(1)).toBe(true)
  })

  it('of namespaces with positions of their own are synced in the order they were given out', () => {
    const { stores, ledger, log, ticket } = setUp()
    expect(ticket([0, 1000])).toBe(1)
    expect(ticket([1, 1])).toBe(2)
    stores[1].sync(1)
    expect(ledger.isSynced(2)).toBe(false)
    stores[0].sync(1000)
    expect(log).toEqual(['1', '2'])
  })

  it('are shared by answers that wait for the same', () => {
    const { stores, log, ticket } = setUp()
    expect([ticket([0, 2]), ticket([0, 2]), ticket([0, 1]), ticket([0, 3])]).toEqual([1, 1, 1, 2])
    stores[0].sync(2)
    expect(log).toEqual(['1', '1', '1'])
  })

  it('are given up with those behind them when the disk fails: their answers may stand in one block', () => {
    const { stores, log, ticket } = setUp()
    ticket([0, 1])
    ticket([1, 1])
    ticket([1, 2])
    stores[1].sync(1)
    stores[0].sync(1, true)
    expect(log).toEqual(['1 failed', '2 failed'])
    stores[1].sync(2)
    expect(log).toEqual(['1 failed', '2 failed', '3 failed'])
    expect(ticket([1, 3])).toBe(4)
    stores[1].sync(3)
    expect(log.at(-1)).toBe('4')
  })
})
