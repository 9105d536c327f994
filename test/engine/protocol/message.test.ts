import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RequestMessage } from '../../../engine/src/protocol/message.ts'
import { BatchReader } from '../../../engine/src/server/dispatch-batch.ts'
import { field } from '../server/messages.ts'
import { bodies, mutatedBody } from '../server/mutated-frames.ts'

const spans = [
  ['namespaceStart', 'namespaceEnd'],
  ['setStart', 'setEnd'],
  ['keyStart', 'keyEnd'],
  ['digestAt', 'digestEnd'],
  ['filterStart', 'filterEnd'],
  ['batchStart', 'batchEnd'],
  ['opsStart', 'opsEnd'],
] as const

/** What parsing finds, offsets counted from where the body starts; fails when one lies outside of the body. */
function found(message: RequestMessage, start: number, end: number): Record<string, unknown> {
  const places: Record<string, unknown> = {}
  for (const [from, to] of spans) {
    if (message[from] < 0) continue
    expect(message[from]).toBeGreaterThanOrEqual(start)
    expect(message[to]).toBeGreaterThanOrEqual(message[from])
    expect(message[to]).toBeLessThanOrEqual(end)
    places[from] = message[from] - start
    places[to] = message[to] - start
  }
  const { info1, info2, info3, info4, generation, ttl, transactionTtl, opCount } = message
  return { ...places, info1, info2, info3, info4, generation, ttl, transactionTtl, opCount }
}

/** Everything that is read of a body, rows of a batch included. */
function parsed(body: Buffer, before: Buffer, behind: Buffer): unknown[] {
  const message = new RequestMessage()
  const buffer = Buffer.concat([before, body, behind])
  const start = before.length
  const end = start + body.length
  if (!message.parse(buffer, start, end)) return ['refused']
  const seen = [found(message, start, end)]
  const reader = new BatchReader()
  if (!reader.open(message)) return seen
  for (let row = 0; row < reader.count && reader.next(message); row++) {
    seen.push({ index: reader.index, ...found(message, start, end) })
  }
  return seen
}

const NOTHING = Buffer.alloc(0)
const BATCH = 8
/** Where the field of a batch stands, and its first row. */
const FIELD = 22
const FIRST_ROW = FIELD + 10

describe('a message', () => {
  it('is refused when it is cut anywhere, whatever stands behind it', () => {
    for (const body of bodies)
      for (let length = 0; length < body.length; length++)
        for (const behind of [NOTHING, body.subarray(length), Buffer.alloc(300)])
          expect(parsed(body.subarray(0, length), NOTHING, behind), `${length} of ${body.length}`).toEqual([
            'refused',
          ])
  })

  it('is refused when bytes follow its last op', () => {
    for (const body of bodies)
      expect(parsed(Buffer.concat([body, Buffer.alloc(1)]), NOTHING, NOTHING)).toEqual(['refused'])
  })

  it('takes the first of a field that stands twice', () => {
    for (const [from, to] of spans.slice(0, 6)) {
      const id = {
        namespaceStart: 0,
        setStart: 1,
        keyStart: 2,
        digestAt: 4,
        filterStart: 43,
        batchStart: 41,
        opsStart: -1,
      }[from]
      const header = Buffer.alloc(22)
      header.writeUInt16BE(2, 18)
      const message = new RequestMessage()
      const body = Buffer.concat([header, field(id, Buffer.from('first')), field(id, Buffer.from('another'))])
      expect(message.parse(body, 0, body.length)).toBe(true)
      expect(body.toString('latin1', message[from], message[to]), from).toBe('first')
    }
  })

  it('with a batch that is cut anywhere has the rows before the cut, and no other', () => {
    for (const body of bodies.filter((each) => each[1] === BATCH)) {
      const [, ...rows] = parsed(body, NOTHING, NOTHING)
      const seen = new Set<number>()
      for (let length = FIRST_ROW; length < body.length; length++) {
        const cut = Buffer.from(body.subarray(0, length))
        cut.writeUInt32BE(length - FIELD - 4, FIELD)
        for (const behind of [NOTHING, body.subarray(length)]) {
          const [, ...left] = parsed(cut, NOTHING, behind)
          expect(left).toEqual(rows.slice(0, left.length))
          seen.add(left.length)
        }
      }
      expect(seen.size).toBe(rows.length)
    }
  })

  it('is read from its own bytes alone, also when it is mutated', () => {
    const around = fc.constantFrom(NOTHING, Buffer.alloc(400, 0), Buffer.alloc(400, 0xff), ...bodies)
    fc.assert(
      fc.property(mutatedBody, around, around, (body, before, behind) => {
        expect(parsed(body, before, behind)).toEqual(parsed(body, NOTHING, NOTHING))
      }),
      { numRuns: 5000 },
    )
  })
})
