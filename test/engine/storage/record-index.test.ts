import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordIndex } from '../../../engine/src/storage/record-index.ts'

/** Digests of two partitions whose leading bits often agree, so that runs, ties and long tails come up. */
const digest = fc
  .tuple(fc.constantFrom(0, 1), fc.constantFrom(0, 0x10, 0x80, 0xf0), fc.constantFrom(0, 1, 255), fc.nat(255))
  .chain(([partition, high, third, last]) =>
    fc.constantFrom(0, 7, 255).map((fourth) => {
      const bytes = Buffer.alloc(20)
      bytes.set([partition, high, third, fourth, last & 0xf0])
      bytes[19] = last
      return bytes
    }),
  )
const step = fc.record({ digest, remove: fc.integer({ min: 0, max: 2 }).map((n) => n === 0) })

function check(steps: { digest: Buffer; remove: boolean }[]): void {
  const digests: Buffer[] = [Buffer.alloc(20)]
  const index = new RecordIndex(4096, (place, other, at) => digests[place]!.compare(other, at, at + 20))
  const model = new Map<string, number>()
  for (const { digest, remove } of steps) {
    const name = digest.toString('hex')
    const place = index.seek(digest, 0)
    expect(place).toBe(model.get(name) ?? 0)
    if (remove && place > 0) {
      index.delete()
      model.delete(name)
    } else if (!remove && place === 0) {
      const added = digests.push(digest) - 1
      index.insert(digest, 0, added)
      model.set(name, added)
    }
  }
  for (const [name, place] of model) expect(index.seek(Buffer.from(name, 'hex'), 0)).toBe(place)
  const found: string[] = []
  for (let partition = 0; partition < 2; partition++)
    for (let slot = 0; slot < index.size(partition); slot++) {
      const place = index.placeAt(partition, slot)
      if (place > 0) found.push(digests[place]!.toString('hex'))
    }
  expect(found).toEqual([...model.keys()].sort())
}

describe('the index', () => {
  it('finds what a map holds and passes over it in the order of the digest', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => check(steps)),
      { numRuns: process.env.LARDER_LONG === '1' ? 2000 : 200 },
    )
  })

  it('keeps under 64 bytes a record while it grows', () => {
    const digests: Buffer[] = [Buffer.alloc(20)]
    const index = new RecordIndex(4096, (place, other, at) => digests[place]!.compare(other, at, at + 20))
    let seed = 1
    for (let key = 1; key <= 200_000; key++) {
      const bytes = Buffer.alloc(20)
      for (let at = 0; at < 20; at += 4) {
        seed = (Math.imul(seed, 1664525) + 1013904223) | 0
        bytes.writeInt32LE(Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d), at)
      }
      digests.push(bytes)
      if (index.seek(bytes, 0) === 0) index.insert(bytes, 0, key)
    }
    expect(index.bytes / 200_000).toBeLessThan(64)
    for (let key = 1; key <= 200_000; key += 17) expect(index.seek(digests[key]!, 0)).toBe(key)
  })
})
