import { describe, expect, it } from 'vitest'
import { largestGiven, PeerFlow } from '../../../engine/src/cluster/peer-flow.ts'
import { blankMeta } from '../../../engine/src/cluster/strong/copy-meta.ts'
import { Fill } from '../../../engine/src/cluster/strong/fill.ts'
import { firstLineage, noLineage } from '../../../engine/src/cluster/strong/lineage.ts'
import { OutgoingStream } from '../../../engine/src/cluster/strong/outgoing-stream.ts'
import { StrongDisk } from '../../../engine/src/simulator/strong-disk.ts'

const target = { id: 'A2', incarnation: 'y', start: '1' }
const content = 'c'.repeat(50_000)
const pieceBytes = 64 * 1024 + content.length

/** A fill of a blank copy, with so many records to send. */
function filling(flow: PeerFlow, records: number) {
  const disk = new StrongDisk({ later: () => undefined }, blankMeta, firstLineage)
  for (let i = 0; i < records; i++) {
    const version = { position: { regime: 0, sequence: i + 1 }, content }
    disk.apply({ entries: [[String(i).padStart(4, '0'), version]] })
  }
  const stream = new OutgoingStream<string>((bytes) => flow.give(target.id, bytes))
  const context = {
    disk,
    mayFill: ({ id }: { readonly id: string }) => flow.takesGifts(id),
    weigh: (text: string) => text.length,
  }
  return { stream, fill: new Fill<string>(context, target, stream, noLineage) }
}

describe('the fills of one replica', () => {
  it('have no more bytes on the way than one peer may, in all partitions together, and go on when some arrive', () => {
    const flow = new PeerFlow()
    const fills = Array.from({ length: 8 }, () => filling(flow, 60))
    const sent = new Map(fills.map((each) => [each, 0]))
    const onTheWay = () =>
      fills.reduce((sum, each) => {
        const { items } = each.stream.take() ?? { items: [] }
        const records = items.reduce((n, item) => n + ('entries' in item ? item.entries.length : 0), 0)
        sent.set(each, sent.get(each)! + records)
        return sum + records * content.length
      }, 0)
    for (let turn = 0; turn < 40; turn++) {
      for (let i = 0; i < 20; i++) for (const { fill } of fills) fill.advance()
      const bytes = onTheWay()
      expect(bytes).toBeLessThan(largestGiven + pieceBytes)
      if (turn < 5) expect(bytes).toBeGreaterThan(largestGiven / 2)
      for (const { stream, fill } of fills) {
        stream.acknowledge(stream.next - 1)
        fill.settle()
      }
    }
    expect(fills.map(({ fill }) => fill.isRecorded)).toEqual(fills.map(() => true))
    expect([...sent.values()]).toEqual(fills.map(() => 60))
    expect(flow.takesGifts(target.id)).toBe(true)
  })
})
