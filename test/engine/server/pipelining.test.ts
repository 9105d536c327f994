import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Answer, TestServer } from './echo-server.ts'
import { serve } from './echo-server.ts'
import { frame, Wire } from './wire.ts'

let server: TestServer | undefined
const wires: Wire[] = []

afterEach(async () => {
  for (const wire of wires.splice(0)) wire.close()
  await server?.close()
})

async function start(answer: Answer, limits = {}): Promise<Wire> {
  server = await serve(answer, limits)
  return open()
}

async function open(): Promise<Wire> {
  const wire = await Wire.open(server!.port)
  wires.push(wire)
  return wire
}

const echo: Answer = (body) => ({ bytes: frame(3, body) })
const request = (i: number): Buffer => frame(3, `request ${i}`)

describe('requests written together', () => {
  it('are answered in their order, messages, info and admin mixed', async () => {
    const wire = await start(echo)
    wire.send(Buffer.concat([request(1), frame(1, 'build\n'), frame(2, ''), frame(4, 'zz'), request(2)]))
    const answers = await wire.frames(5)
    expect(answers.map((answer) => answer[1])).toEqual([3, 1, 2, 3, 3])
    expect([answers[0], answers[4]]).toEqual([request(1), request(2)])
  })

  it('are answered the same however they are cut, byte by byte included', async () => {
    const wire = await start(echo)
    const stream = Buffer.concat([request(1), frame(3, ''), frame(1, 'build\n'), request(2)])
    for (const byte of stream) {
      wire.send(Buffer.from([byte]))
      await sleep(1)
    }
    expect(await wire.frames(4)).toEqual([request(1), frame(3, ''), frame(1, 'build\t8.1.2.0\n'), request(2)])
  })

  it('of many sizes arrive whole, cut at any place', async () => {
    const wire = await start(echo)
    const sent: Buffer[] = []
    for (let i = 0; i < 400; i++) sent.push(frame(3, Buffer.alloc((i * 7919) % 3000, i)))
    const stream = Buffer.concat(sent)
    for (let at = 0, step = 1; at < stream.length; at += step, step = ((step * 31) % 5000) + 1)
      wire.send(stream.subarray(at, at + step))
    expect(Buffer.concat(await wire.frames(400)).equals(stream)).toBe(true)
  })

  it('leave in one write', async () => {
    const wire = await start(echo)
    const write = vi.spyOn(Socket.prototype, 'write')
    try {
      wire.send(Buffer.concat(Array.from({ length: 16 }, (_, i) => request(i))))
      expect((await wire.frames(16)).length).toBe(16)
      const { port } = server!
      expect(
        write.mock.contexts.filter((socket) => socket instanceof Socket && socket.localPort === port).length,
      ).toBe(1)
    } finally {
      write.mockRestore()
    }
  })
})

describe('a large request', () => {
  it('that comes in small pieces is copied a bounded number of times', async () => {
    const wire = await start((body) => ({ bytes: frame(3, Buffer.from(String(body.length))) }))
    const bytes = 24 * 1024 * 1024
    const started = performance.now()
    wire.send(frame(3, Buffer.alloc(bytes)))
    const [answer] = await wire.frames(1, 20_000)
    expect(answer!.toString('utf8', 8)).toBe(String(bytes))
    // Copying all of what is there with every read of 64 KiB would move 4.6 GB.
    expect(performance.now() - started).toBeLessThan(1500)
  })

  it('counts from its first byte', async () => {
    let took = 0
    const wire = await start((body, arrived) => {
      took = performance.now() - arrived
      return { bytes: frame(3, body) }
    })
    const whole = request(1)
    wire.send(whole.subarray(0, 3))
    await sleep(120)
    wire.send(whole.subarray(3))
    await wire.frames(1)
    expect(took).toBeGreaterThan(100)
  })

  it('beyond what the node has room for is cut off, others live on', async () => {
    const wire = await start(echo, { partialBytesTotal: 1024 * 1024 })
    const other = await open()
    wire.send(frame(3, Buffer.alloc(4 * 1024 * 1024)))
    expect(await wire.until(() => wire.closed)).toBe(true)
    other.send(request(1))
    expect(await other.frames(1)).toEqual([request(1)])
    expect(server!.node.counters.connectionsCutOff).toBe(1)
  })
})

describe('answers that wait for the disk', () => {
  /** Bodies "w5" wait for ticket 5. */
  const writes: Answer = (body) => ({
    bytes: frame(3, body),
    ticket: body[0] === 0x77 ? Number(body.toString('utf8', 1)) : 0,
  })

  it('leave when it is synced, and what follows them leaves after them', async () => {
    const wire = await start(writes)
    wire.send(Buffer.concat([frame(3, 'r1'), frame(3, 'w1'), frame(3, 'r2')]))
    expect(await wire.frames(1)).toEqual([frame(3, 'r1')])
    wire.send(Buffer.concat([frame(3, 'r3'), frame(3, 'w2'), frame(3, 'r4')]))
    expect(await wire.frames(1, 100)).toEqual([])
    server!.syncs.sync(1)
    expect(await wire.frames(2)).toEqual([frame(3, 'w1'), frame(3, 'r2')])
    server!.syncs.sync(2)
    expect(await wire.frames(3)).toEqual([frame(3, 'r3'), frame(3, 'w2'), frame(3, 'r4')])
  })

  it('do not hold up other connections', async () => {
    const wire = await start(writes)
    const other = await open()
    wire.send(frame(3, 'w1'))
    await sleep(30)
    other.send(frame(3, 'r'))
    expect(await other.frames(1)).toEqual([frame(3, 'r')])
    expect(wire.bytes).toBe(0)
  })

  it('never leave when the disk failed: the connection ends, so the client knows it is in doubt', async () => {
    const wire = await start(writes)
    wire.send(frame(3, 'w1'))
    await sleep(30)
    server!.syncs.fail()
    expect(await wire.until(() => wire.closed)).toBe(true)
    expect(wire.bytes).toBe(0)
  })

  it('are bounded in bytes: above the bound the input is left unread', async () => {
    let worked = 0
    const wire = await start(
      (body, arrived) => {
        worked++
        return writes(body, arrived)
      },
      { queuedBytes: 10_000 },
    )
    const bodies = Array.from({ length: 500 }, (_, i) => frame(3, `w${String(i + 1).padStart(999, '0')}`))
    for (const body of bodies) wire.send(body)
    await sleep(150)
    expect(worked).toBeGreaterThan(5)
    expect(worked).toBeLessThan(30)
    server!.syncs.sync(1000)
    const answers = await wire.frames(500)
    expect(Buffer.concat(answers).equals(Buffer.concat(bodies))).toBe(true)
  })
})

describe('an answer that is made in pieces', () => {
  /** Bodies with the batch bit: each letter up to a dot is a piece, a capital one waits for the ticket of its place. */
  const answer: Answer = (body) => {
    const [letters = ''] = body.toString('latin1', 2).split('.')
    const [first, ...rest] = [...letters].map((letter, i) => ({
      bytes: frame(3, letter),
      ticket: letter < 'a' ? i + 1 : 0,
    }))
    return body[1] === 8 ? { ...first!, rest } : { bytes: frame(3, body) }
  }
  const pieces = (letters: string): Buffer => frame(3, Buffer.from(`\x16\x08${letters}`, 'latin1'))
  const frames = (letters: string): Buffer[] => [...letters].map((letter) => frame(3, letter))

  it('leaves whole and in order, before what was asked behind it, however the request was cut', async () => {
    const wire = await start(answer)
    const stream = Buffer.concat([request(1), pieces('abc'), request(2), pieces('de'), request(3)])
    const answers = [request(1), ...frames('abc'), request(2), ...frames('de'), request(3)]
    for (let at = 1; at < stream.length; at++) {
      wire.send(stream.subarray(0, at))
      if (at % 3 === 0) await sleep(1)
      wire.send(stream.subarray(at))
      expect(await wire.frames(8)).toEqual(answers)
    }
  })

  it('waits piece by piece for the disk', async () => {
    const wire = await start(answer)
    wire.send(Buffer.concat([pieces('aBcDe'), request(1)]))
    expect(await wire.frames(2, 100)).toEqual(frames('a'))
    server!.syncs.sync(2)
    expect(await wire.frames(3, 100)).toEqual(frames('Bc'))
    server!.syncs.sync(4)
    expect(await wire.frames(3)).toEqual([...frames('De'), request(1)])
  })

  it('ends with the connection when the disk fails', async () => {
    const wire = await start(answer)
    wire.send(pieces('aBc'))
    expect(await wire.frames(1)).toEqual(frames('a'))
    server!.syncs.fail()
    expect(await wire.until(() => wire.closed)).toBe(true)
    expect(await wire.frames(1)).toEqual([])
  })

  it('keeps its request counted until it is made', async () => {
    const wire = await start(answer, { partialBytesTotal: 300_000, queuedBytes: 1 })
    const other = await open()
    const large = pieces(`AA${'.'.repeat(200_000)}`)
    wire.send(large)
    await sleep(100)
    other.send(large)
    expect(await other.until(() => other.closed)).toBe(true)
    server!.syncs.sync(2)
    expect(await wire.frames(2)).toEqual(frames('AA'))
    const third = await open()
    third.send(large)
    expect(await third.frames(2)).toEqual(frames('AA'))
    expect(server!.node.counters.connectionsCutOff).toBe(1)
  })
})
