/** Metadata of two sides that meet (S1 of cluster/README.md). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isMetadata,
  type MetadataEntry,
  SystemMetadata,
} from '../../../engine/src/cluster/system-metadata.ts'

const of = { namespace: fc.constantFrom('a', 'b'), set: fc.constantFrom('', 's') }
const small = fc.nat({ max: 3 })
const truncation = fc.record({
  kind: fc.constant('truncation' as const),
  ...of,
  undone: small,
  before: small,
})
const setting = fc
  .record({ kind: fc.constant('setting' as const), ...of, name: fc.constantFrom('x', 'y'), at: small })
  .chain((entry) =>
    // A node sets a thing once at a moment.
    fc.constantFrom('A1', 'A2', 'A10').map((by) => ({ ...entry, by, value: `${entry.at} ${by}` })),
  )
const entries: fc.Arbitrary<MetadataEntry[]> = fc.array(fc.oneof(truncation, setting), { maxLength: 8 })

function merged(...parts: (readonly MetadataEntry[])[]): string[] {
  const metadata = new SystemMetadata([])
  for (const part of parts) metadata.merge(part)
  return metadata.entries.map((entry) => JSON.stringify(entry, Object.keys(entry).sort())).sort()
}

describe('metadata', () => {
  it('merges in any order, any number of times, to the same', () => {
    fc.assert(
      fc.property(entries, entries, entries, (a, b, c) => {
        const all = merged(a, b, c)
        expect(merged(c, b, a)).toEqual(all)
        expect(merged(b, a, b, c, a)).toEqual(all)
        const side = new SystemMetadata([])
        side.merge(b)
        side.merge(c)
        expect(merged(a, side.entries)).toEqual(all)
      }),
    )
  })

  it('lets a setting follow what it replaces, however far the clock is behind', () => {
    const metadata = new SystemMetadata([])
    const change = { namespace: 'a', set: '', name: 'x', value: 'old' }
    metadata.merge([{ kind: 'setting', ...change, at: 9000, by: 'A2' }])
    const next = metadata.nextSetting({ ...change, value: 'new' }, 100, 'A1')
    expect(next).toMatchObject({ at: 9001, by: 'A1' })
    expect(metadata.merge([next])).toEqual([next])
    expect(metadata.merge([next])).toEqual([])
    expect(metadata.nextSetting({ ...change, name: 'y' }, 100, 'A1').at).toBe(100)
  })

  it('is known by its form when it is read from disk', () => {
    fc.assert(fc.property(entries, (all) => isMetadata(JSON.parse(JSON.stringify(all)))))
    const setting = { kind: 'setting', namespace: 'a', set: '', name: 'x', value: 'v', at: 1, by: 'A1' }
    for (const key of ['namespace', 'set', 'name', 'value', 'at', 'by'])
      expect(isMetadata([{ ...setting, [key]: undefined }]), key).toBe(false)
    expect(isMetadata([{ ...setting, kind: 'other' }])).toBe(false)
  })
})
