import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectionOver } from '../../../shop-api/src/start/engine-connection.ts'
import { RealCluster } from '../../cluster/support/real-cluster.ts'
import { runFlashSale } from '../concurrency/flash-sale.ts'

const [buyers, units] = [1000, 100]
const namespaces = [
  { name: 'shop', durability: 'flush', memoryMiB: 64 },
  { name: 'stock', durability: 'commit', memoryMiB: 64, consistency: 'strong' },
] as const
/** Between two deaths, and how long the dead one is away. */
const aliveMs = 4000
const deadMs = 2500
/** Then the sale goes on in peace: on a slow machine the buyers would never be done. */
const mostDeaths = 6

let cluster: RealCluster

beforeEach(async () => {
  cluster = await RealCluster.start({ size: 3, namespaces })
})
afterEach(() => cluster.close())

describe('a flash sale on a cluster whose nodes die', () => {
  test(`of ${units} units exactly as many are sold to ${buyers} buyers, and the law holds all the time`, async () => {
    let isOver = false
    let onOpen = (): void => undefined
    const opened = new Promise<void>((resolve) => (onOpen = resolve))
    const dying = (async () => {
      await opened
      let deaths = 0
      for (; !isOver && deaths < mostDeaths; deaths++) {
        await sleep(aliveMs)
        const victim = cluster.node(deaths % 3)
        await victim.kill()
        await sleep(deadMs)
        await victim.start()
        await cluster.whenStable()
      }
      return deaths
    })()
    const engine = async () => connectionOver(await cluster.connect())
    const sale = runFlashSale({ buyers, units, holdMs: 3000, patienceMs: 150_000, engine, onOpen }).finally(
      () => {
        isOver = true
      },
    )
    const [result, deaths] = await Promise.all([sale, dying])
    expect(deaths).toBeGreaterThan(1)
    expect(result.breaches).toEqual([])
    expect(result).toMatchObject({ sold: units, placed: units, unitsOrdered: units, charges: units })
    expect(result.lateDuplicates).toBeGreaterThan(0)
    expect(result.samples).toBeGreaterThan(units)
  })
})
