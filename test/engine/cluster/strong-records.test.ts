import { describe, expect, it } from 'vitest'
import { firstLineage } from '../../../engine/src/cluster/strong/lineage.ts'
import { StrongRecords } from '../../../engine/src/cluster/strong/strong-records.ts'
import { Namespace } from '../../../engine/src/namespace/namespace.ts'
import { newNamespaceSettings } from '../../../engine/src/namespace/namespace-config.ts'
import { SimulatedDisk } from '../../../engine/src/simulator/disk.ts'
import {
  deleteRequest,
  putRequest,
  readAnswer,
  readRequest,
  type RecordName,
} from '../../../engine/src/simulator/request-body.ts'
import { newView } from '../../../engine/src/storage/record.ts'
import { ResultCode } from '../../../engine/src/values/result-code.ts'
import { digestOf, folder, open, partitions, type Run, type Setting } from './strong-fixture.ts'

const setting: Setting = { durability: 'flush', segmentBytes: 1 << 16 }
const partition = 3
const now = 1_700_000_000_000
const regime = 0

const newDisk = (): SimulatedDisk => new SimulatedDisk({ random: () => 0 })

const restarted = (disk: SimulatedDisk): SimulatedDisk => disk.losePower({ random: () => 0 })

const nameOf = (key: number): RecordName => ({
  namespace: 'n',
  set: 's',
  digest: Buffer.from(digestOf(partition, key), 'latin1'),
})

function recordsOf({ store, copies }: Run): StrongRecords {
  const settings = newNamespaceSettings({ defaultTtl: 100, nsupPeriod: 1, allowTtlWithoutNsup: true })
  return new StrongRecords(new Namespace('n', settings, store, () => now, newView()), copies, partitions)
}

async function founded(disk: SimulatedDisk): Promise<Run & { records: StrongRecords }> {
  const run = await open(disk, setting)
  for (let each = 0; each < partitions; each++) run.copies.disk(each).apply({ lineage: firstLineage })
  return { ...run, records: recordsOf(run) }
}

const synced = ({ copies }: Run): Promise<void> =>
  new Promise((resolve) => copies.disk(partition).whenSynced('data', resolve))

describe('requests on a strong namespace', () => {
  it('are numbered as their master says, and move the state', async () => {
    const disk = newDisk()
    const run = await founded(disk)
    const copy = run.copies.disk(partition)
    const at = (sequence: number) => ({ regime, sequence })
    expect(run.records.run(putRequest(nameOf(1), 'one'), partition, at(1)).wrote).toBe(true)
    expect(copy.find(digestOf(partition, 1))?.position).toEqual(at(1))
    expect(run.records.run(putRequest(nameOf(2), 'two'), partition, at(2)).wrote).toBe(true)
    const read = run.records.run(readRequest(nameOf(1)), partition, at(3))
    expect([read.wrote, readAnswer(read.answer)]).toEqual([false, { code: ResultCode.OK, text: 'one' }])
    expect(run.records.run(deleteRequest(nameOf(3)), partition, at(3)).wrote).toBe(false)
    expect(run.records.run(deleteRequest(nameOf(1)), partition, at(3)).wrote).toBe(true)
    expect(copy.find(digestOf(partition, 1))).toEqual({ position: at(3), content: undefined })
    expect(copy.lineage).toEqual({ ...firstLineage, state: at(3) })
    await synced(run)
    const again = await open(restarted(disk), setting)
    const found = again.copies.disk(partition)
    expect(found.lineage).toEqual({ ...firstLineage, state: at(3) })
    expect(found.digestsAbove({ regime, sequence: 1 }).sort()).toEqual(
      [digestOf(partition, 1), digestOf(partition, 2)].sort(),
    )
  })

  it('do not see what a truncation of the partition hides', async () => {
    const { copies, records } = await founded(newDisk())
    const copy = copies.disk(partition)
    records.run(putRequest(nameOf(1), 'one'), partition, { regime, sequence: 1 })
    const position = { regime, sequence: 2 }
    copy.apply({ truncations: [{ set: '', number: 1, position }], state: position })
    const code = (request: Buffer) =>
      readAnswer(records.run(request, partition, { regime, sequence: 3 }).answer).code
    expect(code(readRequest(nameOf(1)))).toBe(ResultCode.NOT_FOUND)
    expect(code(deleteRequest(nameOf(1)))).toBe(ResultCode.NOT_FOUND)
    expect(copies.expired(partition, now + 200_000, 9)).toEqual([])
    expect(code(putRequest(nameOf(1), 'new'))).toBe(ResultCode.OK)
    expect(copy.find(digestOf(partition, 1))?.content?.generation).toBe(1)
    expect(code(readRequest(nameOf(1)))).toBe(ResultCode.OK)
  })

  it('leave expired records for the master to delete', async () => {
    const { store, copies, records } = await founded(newDisk())
    for (let key = 1; key <= 3; key++)
      records.run(putRequest(nameOf(key), 'x'), partition, { regime, sequence: key })
    expect(copies.expired(partition, now + 99_000, 9)).toEqual([])
    expect(copies.expired(partition, now + 101_000, 2)).toHaveLength(2)
    for (let tick = 0; tick < 100; tick++) store.runSlice(now + 200_000 + tick * 10_000, 1)
    expect(copies.disk(partition).digestsAfter(undefined, 9)).toHaveLength(3)
  })
})

describe('copies whose files are damaged', () => {
  async function damaged(change: (content: Buffer) => void): Promise<Run> {
    const disk = newDisk()
    const run = await founded(disk)
    for (let key = 1; key <= 3; key++) {
      run.records.run(putRequest(nameOf(key), 'word'), partition, { regime, sequence: key })
      await synced(run)
    }
    await run.store.close()
    const next = restarted(disk)
    next.damage(`${folder}/00000001.log`, change)
    return open(next, setting)
  }

  const incomplete = ({ copies }: Run): number[] =>
    Array.from({ length: partitions }, (_, i) => i).filter((i) => {
      const { meta, lineage } = copies.disk(i)
      expect(meta.unclean).toBe(lineage.epochs.length === 0)
      return meta.unclean
    })

  it('are not complete where the record is known', async () => {
    const run = await damaged((content) => content.write('x', content.indexOf('word')))
    expect(incomplete(run)).toEqual([partition])
    expect(run.copies.disk(partition).digestsAfter(undefined, 9)).toHaveLength(2)
    run.copies.disk(partition).apply({ range: { after: undefined, upTo: undefined }, entries: [] })
    expect(run.copies.disk(partition).digestsAfter(undefined, 9)).toEqual([])
  })

  it('are none of them complete where nobody can say what is gone', async () => {
    const run = await damaged((content) =>
      content.fill(7, content.indexOf('word') - 60, content.indexOf('word')),
    )
    expect(incomplete(run)).toHaveLength(partitions)
  })

  it('cannot be told from older ones without the file that says what they are', async () => {
    const disk = newDisk()
    const run = await founded(disk)
    await run.copies.close()
    await run.store.close()
    const next = restarted(disk)
    await next.remove(`${folder}/copies`)
    await expect(open(next, setting)).rejects.toThrow('is missing')
  })
})
