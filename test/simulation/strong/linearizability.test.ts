import { describe, expect, it } from 'vitest'
import { linearizability, type Operation } from '../../../engine/src/simulator/linearizability.ts'

const append = (token: string, value: string, invoked: number, returned?: number): Operation => ({
  kind: 'append',
  token,
  value,
  invoked,
  returned,
})
const remove = (invoked: number, returned?: number): Operation => ({ kind: 'delete', invoked, returned })
const read = (value: string | undefined, invoked: number, returned: number): Operation => ({
  kind: 'read',
  value,
  invoked,
  returned,
})
const verdict = (...operations: Operation[]) => linearizability(operations, undefined, 10_000)

describe('histories of one record', () => {
  it.each([
    ['one after the other', [append('a', 'a', 1, 2), read('a', 3, 4), remove(5, 6), read(undefined, 7, 8)]],
    ['a read beside a write that sees it', [append('a', 'a', 1, 4), read('a', 2, 3)]],
    ['a read beside a write that does not', [append('a', 'a', 1, 4), read(undefined, 2, 3)]],
    ['a write in doubt that was done', [append('a', 'a', 1), read('a', 2, 3)]],
    ['a write in doubt that was not', [append('a', 'a', 1), read(undefined, 2, 3), append('b', 'b', 4, 5)]],
    [
      'a write in doubt that was done late',
      [remove(1), append('a', 'a', 2, 3), read('a', 4, 5), read(undefined, 6, 7)],
    ],
  ])('linearizable: %s', (_, operations) => {
    expect(verdict(...operations)).toBe('linearizable')
  })

  it.each([
    ['a lost write', [append('a', 'a', 1, 2), read(undefined, 3, 4)]],
    ['a lost write under another', [append('a', 'a', 1, 2), append('b', 'b', 3, 4)]],
    ['a stale read', [append('a', 'a', 1, 2), append('b', 'ab', 3, 4), read('a', 5, 6)]],
    ['reads that go back', [append('a', 'a', 1, 9), read('a', 2, 3), read(undefined, 4, 5)]],
    ['a read of what was never written', [read('x', 1, 2)]],
    [
      'a delete that comes back',
      [append('a', 'a', 1, 2), remove(3, 4), read(undefined, 5, 6), read('a', 7, 8)],
    ],
    [
      'a write in doubt that was done twice',
      [append('a', 'a', 1), remove(2, 3), read('a', 4, 5), remove(6, 7), read('a', 8, 9)],
    ],
    ['a read before its write', [read('a', 1, 2), append('a', 'a', 3, 4)]],
  ])('not linearizable: %s', (_, operations) => {
    expect(verdict(...operations)).toBe('not linearizable')
  })

  it('begins with what was there', () => {
    expect(linearizability([append('b', 'ab', 1, 2)], 'a', 100)).toBe('linearizable')
    expect(linearizability([append('b', 'b', 1, 2)], 'a', 100)).toBe('not linearizable')
  })

  it('says so when it gives up', () => {
    const many = Array.from({ length: 20 }, (_, i) => remove(i))
    expect(linearizability([...many, read('x', 1, 50)], undefined, 100)).toBe('gave up')
    expect(
      linearizability(
        Array.from({ length: 31 }, () => remove(1)),
        undefined,
        100,
      ),
    ).toBe('gave up')
  })
})
