import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnswerMessage } from '../../../engine/src/client/answer-message.ts'

/** Two bins: n = 5, s = 'text'. */
const whole = Buffer.from(
  `16000000000000000007000000090000000300000002${'0000000d010100016e0000000000000005'}${'00000009010300017374657874'}`,
  'hex',
)

function read(bytes: Buffer, how: 'bins' | 'results' | 'skip', end = bytes.length): unknown {
  const message = new AnswerMessage()
  message.open(bytes, 0, end)
  const bins: Record<string, unknown> = {}
  if (how === 'bins') message.bins(bins)
  else if (how === 'results') message.results(bins, [])
  return how === 'skip' ? message.skip() : bins
}

describe('an answer', () => {
  it('is read in place', () => {
    expect(read(whole, 'bins')).toEqual({ n: 5, s: 'text' })
    expect(read(whole, 'skip')).toBe(whole.length)
    const message = new AnswerMessage()
    message.open(whole, 0, whole.length)
    expect(message).toMatchObject({ code: 0, generation: 7, voidTime: 9, row: 3, last: false })
  })

  it('that is cut off is an error, wherever the cut and whatever stands behind it', () => {
    for (const how of ['bins', 'results', 'skip'] as const)
      for (let length = 0; length < whole.length; length++)
        expect(() => read(Buffer.from(whole.subarray(0, length)), how), `${how} ${length}`).toThrow(
          RangeError,
        )
  })

  it('of any bytes is read or an error', () => {
    const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(whole)
        for (const { at, byte } of changes) bytes[at] = byte
        for (const how of ['bins', 'results', 'skip'] as const)
          try {
            const end = read(bytes, how)
            if (how === 'skip') expect(end).toBeLessThanOrEqual(bytes.length)
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError)
          }
      }),
      { numRuns: 3000 },
    )
  })
})
