import { describe, expect, it } from 'vitest'
import { linearizability, type Operation } from '../../../engine/src/simulator/linearizability.ts'
import { checkable } from '../support/strong-records.ts'

const append = (token: string, value: string | undefined, invoked: number, returned?: number): Operation => ({
  ...{ kind: 'append', token, value, invoked, returned },
})
const read = (value: string | undefined, invoked: number, returned: number): Operation => ({
  ...{ kind: 'read', value, invoked, returned },
})
const verdict = (...operations: Operation[]) => linearizability(checkable(operations), undefined, 1000)

describe('a write in doubt, of which nobody was told what it made', () => {
  it('was done where somebody saw it, and not where nobody did', () => {
    const inDoubt = append('<1>', undefined, 1)
    expect(verdict(inDoubt, append('<2>', '<1><2>', 3, 4))).toBe('linearizable')
    expect(verdict(inDoubt, append('<2>', '<2>', 3, 4))).toBe('linearizable')
    expect(verdict(inDoubt, append('<2>', '<2>', 3, 4), read('<2><1>', 5, 6))).toBe('linearizable')
  })

  it('is a fault where it was seen and then not, or before it began', () => {
    const inDoubt = append('<1>', undefined, 1)
    expect(verdict(inDoubt, read('<1>', 2, 3), read(undefined, 4, 5))).toBe('not linearizable')
    expect(verdict(inDoubt, append('<2>', '<1><2>', 3, 4), read('<2>', 5, 6))).toBe('not linearizable')
    expect(verdict(read('<1>', -2, -1), inDoubt)).toBe('not linearizable')
  })
})
