import fc from 'fast-check'
import { expect, it } from 'vitest'
import { blankMeta, withServed } from '../../../engine/src/cluster/strong/copy-meta.ts'
import type { Lineage } from '../../../engine/src/cluster/strong/lineage.ts'
import { namespaceReport, ReportedCopies } from '../../../engine/src/cluster/strong/namespace-report.ts'

const metas = [blankMeta, withServed(blankMeta, { number: 3, leader: 'A1', incarnation: 'F' })]
const sequence = fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER), fc.nat(300))
const regime = fc.oneof(fc.nat(3), fc.maxSafeNat())

/** The end of each epoch is in its regime. */
const lineage: fc.Arbitrary<Lineage> = fc
  .array(fc.tuple(regime, sequence), { minLength: 1, maxLength: 9 })
  .map((points) => {
    const positions = points.map(([regime, sequence]) => ({ regime, sequence }))
    const epochs = positions.slice(1).map(({ regime }, i) => ({ regime, start: positions[i]! }))
    return { epochs, state: positions.at(-1)! }
  })

it('says of every copy what it has been through, as it is', () => {
  const copy = fc.record({ meta: fc.constantFrom(...metas), lineage })
  fc.assert(
    fc.property(fc.array(copy, { maxLength: 30 }), (copies) => {
      const read = new ReportedCopies(namespaceReport(copies, false))
      for (const [partition, { meta, lineage }] of copies.entries()) {
        expect(read.standings[read.standingOf(partition)]).toMatchObject({ served: meta.served })
        expect(read.stateOf(partition)).toEqual(lineage.state)
        expect(read.lineageOf(partition)).toEqual(lineage)
      }
    }),
  )
})

it('says what most have been through once', () => {
  const same: Lineage = {
    epochs: [{ regime: 2, start: { regime: 0, sequence: 0 } }],
    state: { regime: 2, sequence: 0 },
  }
  const copies = Array.from({ length: 4096 }, (_, sequence) => ({
    meta: blankMeta,
    lineage: { ...same, state: { regime: 2, sequence } },
  }))
  const { standings, lineages } = namespaceReport(copies, false)
  expect(standings).toHaveLength(1)
  expect(lineages.regimes).toEqual([[2, 0]])
  expect(lineages.sequences.length).toBeLessThan(3.2 * 4096)
})

it('refuses bytes that end too early', () => {
  const report = namespaceReport(
    [{ meta: blankMeta, lineage: { epochs: [], state: { regime: 0, sequence: 300 } } }],
    false,
  )
  const lineages = { ...report.lineages, sequences: report.lineages.sequences.subarray(0, 1) }
  expect(() => new ReportedCopies({ ...report, lineages })).toThrow('ends too early')
})
