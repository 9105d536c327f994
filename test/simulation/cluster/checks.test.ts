import { describe, expect, it } from 'vitest'
import { checkNothingLost, checkReads, checkWhole } from '../../../engine/src/simulator/cluster-checks.ts'
import type { Operation, Read } from '../../../engine/src/simulator/cluster-clients.ts'

function operation(word: string, change: Partial<Operation> = {}): Operation {
  return { kind: 'count', key: 'c', word, began: 1, ended: 2, outcome: 'ok', log: undefined, ...change }
}

function read(text: string | undefined, change: Partial<Read> = {}): Read {
  return { key: 'c', began: 10, ended: 11, text, quietSince: 0, ...change }
}

const note = (word: string, began: number, change: Partial<Operation> = {}) =>
  operation(word, { kind: 'put', key: 'n', began, ended: began + 1, ...change })

describe('what is seen of a record is one version whole', () => {
  const history = [operation('1.', { log: '1.' }), operation('2.', { log: '1.2.' }), operation('3.')]

  it.each([undefined, '1.', '1.2.', '1.2.3.', '1.3.'])('passes %s', (text) => {
    expect(checkWhole(history, [['c', text]])).toEqual([])
  })

  it.each([
    ['half a version', '2.', 'left 1.2.'],
    ['an operation twice', '1.2.2.', 'twice'],
    ['a mixture of two versions', '3.2.', 'left 1.2.'],
    ['what nobody wrote', '1.9.', 'nobody wrote'],
    ['bytes that are torn', '1.2', 'nobody wrote'],
    ['a version on top of another one than it was', '3.1.', 'left 1.'],
  ])('finds %s', (_what, text, found) => {
    expect(checkWhole(history, [['c', text]]).join()).toContain(found)
  })

  it('finds what was refused and happened all the same, and what another record holds', () => {
    const refused = [operation('1.'), operation('2.', { outcome: 'refused' }), operation('3.')]
    expect(checkWhole(refused, [['c', '1.2.3.']])).toHaveLength(1)
    expect(checkWhole([operation('1.', { key: 'd' })], [['c', '1.']])).toHaveLength(1)
  })
})

describe('nothing acknowledged is lost', () => {
  const history = [operation('1.'), operation('2.'), operation('3.', { outcome: 'in doubt' })]

  it('passes what is there, with or without what was in doubt', () => {
    expect(checkNothingLost(history, new Map([['c', '1.2.']]))).toEqual([])
    expect(checkNothingLost(history, new Map([['c', '1.2.3.']]))).toEqual([])
  })

  it('finds a lost count, and a lost record', () => {
    expect(checkNothingLost(history, new Map([['c', '1.3.']])).join()).toContain('lost: 2.')
    expect(checkNothingLost(history, new Map([['c', undefined]]))).toHaveLength(2)
  })

  it('finds a note that an acknowledged one replaced, and a deleted one that is back', () => {
    const notes = [note('1.', 1), note('2.', 5)]
    expect(checkNothingLost(notes, new Map([['n', '2.']]))).toEqual([])
    expect(checkNothingLost(notes, new Map([['n', '1.']])).join()).toContain('lost: n is 1.')
    const deleted = [note('1.', 1), note('2.', 5, { kind: 'delete' })]
    expect(checkNothingLost(deleted, new Map([['n', undefined]]))).toEqual([])
    expect(checkNothingLost(deleted, new Map([['n', '1.']]))).toHaveLength(1)
  })

  it('passes either of two that were under way together, and a delete in doubt that came late', () => {
    const together = [note('1.', 1, { ended: 9 }), note('2.', 5)]
    expect(checkNothingLost(together, new Map([['n', '1.']]))).toEqual([])
    const late = [note('1.', 1, { kind: 'delete', outcome: 'in doubt' }), note('2.', 5)]
    expect(checkNothingLost(late, new Map([['n', undefined]]))).toEqual([])
  })
})

describe('a read in a quiet time', () => {
  const history = [operation('1.'), operation('2.', { began: 5, ended: 6 }), note('3.', 5)]

  it('shows what was acknowledged before it began', () => {
    expect(checkReads(history, [read('1.2.'), read('3.', { key: 'n' })], false)).toEqual([])
    expect(checkReads(history, [read('1.')], false).join()).toContain('stale')
    expect(checkReads(history, [read(undefined, { key: 'n' })], false).join()).toContain('stale')
  })

  it('need not show what was acknowledged while it went on, nor when it was not quiet', () => {
    expect(checkReads(history, [read('1.', { began: 5.5 })], false)).toEqual([])
    expect(checkReads(history, [read(undefined, { quietSince: undefined })], false)).toEqual([])
  })

  it('after splits shows what was acknowledged since it became quiet', () => {
    expect(checkReads(history, [read('2.', { quietSince: 4 })], true)).toEqual([])
    expect(checkReads(history, [read('1.', { quietSince: 4 })], true).join()).toContain('stale')
    expect(checkReads(history, [read(undefined, { key: 'n', quietSince: 4 })], true)).toHaveLength(1)
    expect(checkReads(history, [read(undefined, { key: 'n', quietSince: 7 })], true)).toEqual([])
  })
})
