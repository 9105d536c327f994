import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { TestServer } from './echo-server.ts'
import { serve } from './echo-server.ts'
import { frame, Wire } from './wire.ts'

const KIB = 1024
const MIB = 1024 * KIB

let server: TestServer
const wires: Wire[] = []

afterEach(async () => {
  for (const wire of wires.splice(0)) wire.close()
  await server.close()
})

async function open(): Promise<Wire> {
  const wire = await Wire.open(server.port)
  wires.push(wire)
  return wire
}

/** A request of so many bytes: who asks, and how many KiB to answer, all of them the asker's letter. */
function ask(letter: string, kib: number, bytes = 5): Buffer {
  const body = Buffer.alloc(bytes, letter)
  body.writeUInt32BE(kib, 1)
  return frame(3, body)
}

const answerOf = (body: Buffer): { bytes: Buffer } => ({
  bytes: frame(3, Buffer.alloc(body.readUInt32BE(1) * KIB, body[0])),
})

/** True when all payload bytes of the frames are this letter. */
const only = (frames: readonly Buffer[], letter: string): boolean =>
  frames.every((bytes) => bytes.subarray(8).every((byte) => byte === letter.charCodeAt(0)))

describe('a reader that stalls', () => {
  it('gets its own bytes, whole, later, while busy ones come and go', async () => {
    server = await serve(answerOf)
    const stalled = await open()
    stalled.socket.pause()
    const count = 200
    stalled.send(Buffer.concat(Array.from({ length: count }, () => ask('s', 256))))
    const busy = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (letter) => ({ letter, wire: await open() })),
    )
    for (let round = 0; round < 100; round++) {
      for (const { letter, wire } of busy) wire.send(Buffer.concat([ask(letter, 3), ask(letter, 40, 4000)]))
      for (const { letter, wire } of busy) {
        const answers = await wire.frames(2)
        expect(answers.map(({ length }) => length)).toEqual([8 + 3 * KIB, 8 + 40 * KIB])
        expect(only(answers, letter)).toBe(true)
      }
    }
    stalled.socket.resume()
    await stalled.until(() => stalled.bytes >= count * (8 + 256 * KIB), 20_000)
    const answers = await stalled.frames(count)
    expect(answers.length).toBe(count)
    expect(answers.every(({ length }) => length === 8 + 256 * KIB)).toBe(true)
    expect(only(answers, 's')).toBe(true)
  })

  it('is asked to wait: its requests stay unread, so what is owed stays bounded', async () => {
    let worked = 0
    server = await serve(
      (body) => {
        worked++
        return answerOf(body)
      },
      { queuedBytes: 256 * KIB },
    )
    const stalled = await open()
    stalled.socket.pause()
    for (let i = 0; i < 500; i++) stalled.send(ask('s', 64))
    await sleep(300)
    // The kernel takes some MiB; behind that the queue holds 256 KiB and one answer.
    const inKernel = 16 * MIB
    expect(worked).toBeLessThan((inKernel + 512 * KIB) / (64 * KIB))
    stalled.socket.resume()
    expect((await stalled.frames(500, 20_000)).length).toBe(500)
    expect(worked).toBe(500)
  })

  it('is cut off when the node has no room for what it is owed; others live on', async () => {
    server = await serve(answerOf, { queuedBytesTotal: MIB })
    const stalled = await open()
    stalled.socket.pause()
    stalled.send(ask('s', 32 * KIB))
    const other = await open()
    await sleep(100)
    other.send(ask('o', 1))
    expect(only(await other.frames(1), 'o')).toBe(true)
    expect(server.node.counters.connectionsCutOff).toBe(1)
    stalled.socket.resume()
    expect(await stalled.until(() => stalled.closed)).toBe(true)
    expect(stalled.bytes).toBeLessThan(32 * MIB)
  })
})
