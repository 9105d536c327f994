import { expect, it } from 'vitest'
import { StrongCopies } from '../../../engine/src/cluster/strong/strong-copies.ts'
import { StrongNamespaces } from '../../../engine/src/cluster/strong/strong-namespaces.ts'
import { StrongRecords } from '../../../engine/src/cluster/strong/strong-records.ts'
import { Namespace } from '../../../engine/src/namespace/namespace.ts'
import { newView } from '../../../engine/src/storage/record.ts'
import { RecordStore } from '../../../engine/src/storage/record-store.ts'
import { partitions } from './strong-fixture.ts'

const standstill = 1000
const self = { id: 'A1', incarnation: 'F1', start: 's' }
const settings = {
  ...{ defaultTtl: 0, nsupPeriod: 0, allowTtlWithoutNsup: false, maxRecordSize: 1 << 20 },
  ...{ disallowNullSetname: false, rejectNonXdrWrites: false, rejectXdrWrites: false },
  defaultReadTouchTtlPct: 0,
  conflictResolutionPolicy: 'last-update-time' as const,
}

it('a strong namespace between two views is shown as in the last one, for the length of a standstill', async () => {
  const options = { clock: () => 0, stopwatch: () => 0, memoryLimit: 1 << 28, partitions, strong: true }
  const store = await RecordStore.open(options)
  const turn = (_: number, run: () => void): void => run()
  const copies = await StrongCopies.open({
    ...{ store, partitions, turn, file: undefined },
    onFault: () => undefined,
  })
  const namespace = new Namespace('stock', settings, store, () => 0, newView())
  const records = new StrongRecords(namespace, copies, partitions)
  const setup = { name: 'stock', store: records, durability: 'commit' as const, replicationFactor: 1 }
  const strong = new StrongNamespaces({ self, standstill, setups: [setup], send: () => undefined })
  const view = (number: number): void => {
    strong.leave()
    const report = strong.report()
    strong.enter({
      id: { number, leader: self.id, incarnation: self.incarnation },
      input: {
        nodes: [{ id: self.id, rack: 0, quiesced: false }],
        strong: strong.decide([self], () => report),
      },
    })
  }
  const shown = () => strong.rosterOf('stock')!
  expect(shown().unavailablePartitions).toBe(partitions)
  view(1)
  expect(strong.setRoster('stock', [{ id: self.id, incarnation: self.incarnation, rack: 0 }])).toBe(undefined)
  view(2)
  strong.tick(0)
  const inView = shown()
  expect(inView.unavailablePartitions).toBe(0)
  expect(inView.observed).toHaveLength(1)

  strong.leave()
  strong.tick(10)
  strong.tick(10 + standstill)
  expect(shown()).toEqual(inView)
  strong.tick(11 + standstill)
  expect(shown().unavailablePartitions).toBe(partitions)
  expect(shown().observed).toEqual([])
  await store.close()
})
