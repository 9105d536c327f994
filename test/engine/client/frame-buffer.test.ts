import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { frameLength } from '../../../engine/src/client/answer-message.ts'
import { FrameBuffer } from '../../../engine/src/client/frame-buffer.ts'

function frame(body: Uint8Array): Buffer {
  const bytes = Buffer.concat([Buffer.of(2, 3, 0, 0, 0, 0, 0, 0), body])
  bytes.writeUIntBE(body.length, 2, 6)
  return bytes
}

describe('frames', () => {
  it('come out whole, however the bytes come in', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 })
    const cuts = fc.array(fc.nat(800), { maxLength: 30 })
    fc.assert(
      fc.property(bodies, cuts, (sent, at) => {
        const frames = sent.map(frame)
        const bytes = Buffer.concat(frames)
        const got: Buffer[] = []
        const buffer = new FrameBuffer()
        const ends = [...at.map((one) => Math.min(one, bytes.length)).sort((a, b) => a - b), bytes.length]
        let start = 0
        for (const end of ends) {
          const chunk = Buffer.from(bytes.subarray(start, end))
          buffer.add(chunk, frameLength, (from, begin, stop) =>
            got.push(Buffer.from(from.subarray(begin, stop))),
          )
          start = end
        }
        expect(got).toEqual(frames)
      }),
    )
  })

  it('are put together once: bytes copied grow with the frame, not with its chunks', () => {
    const whole = frame(Buffer.alloc(4 * 1024 * 1024, 7))
    const concat = vi.spyOn(Buffer, 'concat')
    const buffer = new FrameBuffer()
    let frames = 0
    for (let at = 0; at < whole.length; at += 1000)
      buffer.add(whole.subarray(at, at + 1000), frameLength, (from, start, end) => {
        expect(end - start).toBe(whole.length)
        expect(from[end - 1]).toBe(7)
        frames++
      })
    const copied = concat.mock.results.reduce((sum, { value }) => sum + (value as Buffer).length, 0)
    concat.mockRestore()
    expect(frames).toBe(1)
    expect(copied).toBeLessThan(2 * whole.length)
  })
})
