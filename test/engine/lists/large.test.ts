import { describe, expect, it } from 'vitest'
import { modifyCollection, readCollection } from '../../../engine/src/operations/collection.ts'
import { MAX_DEPTH } from '../../../engine/src/values/msgpack-item.ts'
import { at, modify, read } from '../values/call.ts'
import type { Value } from '../values/pack.ts'
import { answerOf, pack, particle, slice } from '../values/pack.ts'

/** Sizes at which a careless implementation would stop the event loop or run out of stack. */

const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.from([0x90])])

/** Milliseconds that one call may hold the event loop here; far above what it takes, far below quadratic. */
const PATIENCE = 3000

function timed(work: () => unknown): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

describe('deep nesting', () => {
  it('reads and changes what lies 999 levels down', () => {
    const bin = particle(20, nested(999))
    const path = Array.from({ length: 999 }, () => [16, 0]).flat()
    expect(read(bin, at(path, 16))).toBe(answerOf(0))
    const deep = Buffer.concat([Buffer.alloc(999, 0x91), Buffer.from([0x91, 7])])
    expect(modify(bin, at(path, 1, 7))).toEqual([answerOf(1), `20:${deep.toString('hex')}`])
  })

  it('compares values down to the bound and refuses deeper ones', () => {
    const bin = particle(20, Buffer.concat([Buffer.from([0x91]), nested(MAX_DEPTH - 2)]))
    const search = (depth: number) => [0x93, 22, 5, ...nested(depth)]
    expect(readCollection(bin, slice(Buffer.from(search(MAX_DEPTH - 2))))).toMatchObject({ type: 1 })
    const hostile = particle(20, Buffer.concat([Buffer.from([0x91]), nested(100_000)]))
    expect(() => readCollection(hostile, slice(Buffer.from(search(100_000))))).toThrow(/too deep/)
    const append = slice(Buffer.concat([Buffer.from([0x92, 1]), nested(100_000)]))
    expect(() => modifyCollection(undefined, append)).toThrow(/can be stored/)
  })
})

describe('paths made to hurt', () => {
  const wide = pack(new Array<Value>(100_000).fill(1))
  const levels = (step: Value[]) => Array.from({ length: 1000 }, () => step).flat()
  const unordered = particle(20, Buffer.concat([Buffer.alloc(1000, 0x91), wide]))
  const marked = Buffer.from([0x92, 0xc7, 0, 1])
  const inOrder = particle(20, Buffer.concat([...Array.from({ length: 1000 }, () => marked), wide]))

  it.each<[string, () => unknown, string | number | undefined]>([
    ['by rank', () => read(unordered, at(levels([17, 0]), 16)), 4],
    ['through ordered lists', () => modify(inOrder, at(levels([16, 0]), 1, 1)), 4],
    ['by index', () => read(unordered, at(levels([16, -1]), 16)), answerOf(100_000)],
    ['creating', () => modify(undefined, at([levels([80, 0]), levels([80, 0])].flat(), 1, 1)), 4],
    ['padding', () => modify(undefined, at(levels([144, 100_000]), 1, 1)), 4],
  ])('%s end in good time', (_what, work, outcome) => {
    let answer: unknown
    expect(timed(() => (answer = work()))).toBeLessThan(PATIENCE)
    expect(answer).toBe(outcome)
  })
})

describe('large collections', () => {
  const size = 100_000
  const numbers = Array.from({ length: size }, (_, i) => (i * 7919) % size)
  const bin = particle(20, pack(numbers))
  const oneAgain = new Array<Value>(size).fill(1)
  const ones = particle(20, pack(oneAgain))
  const map = particle(19, pack(new Map(numbers.toSorted((a, b) => a - b).map((n) => [n, n % 1000]))))

  it.each<[string, () => unknown]>([
    ['a list of values', () => readCollection(bin, slice(pack([23, 7, numbers])))],
    ['one value over and over', () => readCollection(ones, slice(pack([23, 5, oneAgain])))],
    ['unique items', () => modifyCollection(bin, slice(pack([2, numbers, 0, 13])))],
    ['sorting', () => modifyCollection(bin, slice(pack([13, 2])))],
    ['a list of keys', () => modifyCollection(map, slice(pack([81, 7, numbers])))],
    ['values of a map', () => readCollection(map, slice(pack([108, 3, numbers])))],
    ['merging', () => modifyCollection(map, slice(pack([68, new Map(numbers.map((n) => [n, 1]))])))],
  ])('%s of 100,000 do not hold the event loop', (_what, work) => {
    expect(timed(work)).toBeLessThan(PATIENCE)
  })

  it('refuses an answer that would multiply, instead of building it', () => {
    const equal = particle(20, pack([0, 1]))
    const same = modifyCollection(equal, slice(pack([2, new Array<Value>(20_000).fill(1)]))).bin!
    const inOrder = modifyCollection(same, slice(pack([0, 1]))).bin!
    const wanted = slice(pack([23, 7, new Array<Value>(20_000).fill(1)]))
    expect(() => readCollection(inOrder, wanted)).toThrow(/bytes/)
  })
})
