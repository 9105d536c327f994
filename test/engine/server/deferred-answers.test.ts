import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { DeferredAnswer } from '../../../engine/src/server/deferred-answer.ts'
import { EmbeddedService } from '../../../engine/src/server/embedded.ts'
import type { Answer, TestServer } from './echo-server.ts'
import { serve } from './echo-server.ts'
import { frame, Wire } from './wire.ts'

const NOTHING = Buffer.alloc(0)
let server: TestServer | undefined
const wires: Wire[] = []
/** What was deferred, in the order of requests. */
let deferred: DeferredAnswer[] = []
let worked = 0

afterEach(async () => {
  for (const wire of wires.splice(0)) wire.close()
  await server?.close()
  deferred = []
  worked = 0
})

/** Bodies: "d…" comes later, "k…" is written and may leave later, "t5" with ticket 5 beside, "w5" waits for ticket 5. */
const answer: Answer = (body) => {
  worked++
  const kind = body.toString('latin1', 0, 1)
  const bytes = frame(3, Buffer.from(body))
  if (kind === 'w') return { bytes, ticket: Number(body.toString('latin1', 1)) }
  if (!['d', 'k', 't'].includes(kind)) return { bytes }
  const later = new DeferredAnswer(kind === 'd' ? body.length : 0)
  if (kind === 't') later.ticket = Number(body.toString('latin1', 1))
  deferred.push(later)
  return { bytes: kind === 'd' ? NOTHING : bytes, deferred: later }
}

async function start(limits = {}): Promise<Wire> {
  server = await serve(answer, limits)
  return open()
}

async function open(): Promise<Wire> {
  const wire = await Wire.open(server!.port)
  wires.push(wire)
  return wire
}

const all = (...bodies: string[]): Buffer => Buffer.concat(bodies.map((body) => frame(3, body)))
const texts = (frames: readonly Buffer[]): string[] => frames.map((each) => each.toString('latin1', 8))

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !condition(); tries++) await sleep(5)
  expect(condition()).toBe(true)
}

describe('answers that come later', () => {
  it('leave in the order of their requests, whatever order they come in', async () => {
    const wire = await start()
    wire.send(all('a', 'd1', 'b', 'd2', 'k3', 'c'))
    expect(texts(await wire.frames(1))).toEqual(['a'])
    await until(() => worked === 6)
    deferred[1]!.end(frame(3, 'second'))
    deferred[2]!.end()
    expect(await wire.frames(1, 80)).toEqual([])
    deferred[0]!.end(frame(3, 'first'))
    expect(texts(await wire.frames(5))).toEqual(['first', 'b', 'second', 'k3', 'c'])
  })

  it('do not stop later requests of the connection, nor of others', async () => {
    const wire = await start()
    const other = await open()
    wire.send(all('d1'))
    await until(() => worked === 1)
    wire.send(all('a', 'k2'))
    await until(() => worked === 3)
    other.send(all('b'))
    expect(texts(await other.frames(1))).toEqual(['b'])
    expect(wire.bytes).toBe(0)
    deferred[1]!.end()
    deferred[0]!.end(frame(3, 'one'))
    expect(texts(await wire.frames(3))).toEqual(['one', 'a', 'k2'])
  })

  it('leave as they were written, or as something else, and only once', async () => {
    const wire = await start()
    wire.send(all('k1', 'k2', 'd3', 'z'))
    await until(() => worked === 4)
    const [one, two, three] = deferred
    one!.end()
    one!.end(frame(3, 'again'))
    two!.end(frame(3, 'late'))
    two!.end()
    three!.end(frame(3, 'here'))
    three!.end(frame(3, 'twice'))
    three!.add(frame(3, 'more'))
    expect(texts(await wire.frames(5, 150))).toEqual(['k1', 'late', 'here', 'z'])
  })

  it('share their order with those that wait for the disk', async () => {
    const wire = await start()
    wire.send(all('w1', 'd1', 'w2', 'k2', 'w3', 'a'))
    await until(() => worked === 6)
    for (const each of deferred) each.end(frame(3, 'come'))
    expect(await wire.frames(1, 80)).toEqual([])
    server!.syncs.sync(1)
    expect(texts(await wire.frames(2))).toEqual(['w1', 'come'])
    server!.syncs.sync(2)
    expect(texts(await wire.frames(2))).toEqual(['w2', 'come'])
    expect(await wire.frames(1, 80)).toEqual([])
    server!.syncs.sync(3)
    expect(texts(await wire.frames(2))).toEqual(['w3', 'a'])
  })

  it('may wait for the disk beside', async () => {
    const wire = await start()
    wire.send(all('t1', 'a'))
    await until(() => worked === 2)
    deferred[0]!.end()
    expect(await wire.frames(1, 80)).toEqual([])
    server!.syncs.sync(1)
    expect(texts(await wire.frames(2))).toEqual(['t1', 'a'])
  })

  it('of many pieces leave piece by piece when it is their turn', async () => {
    const wire = await start()
    wire.send(all('d1', 'd2', 'a'))
    await until(() => worked === 3)
    const [one, two] = deferred
    two!.add(frame(3, '2a'))
    one!.add(frame(3, '1a'))
    expect(texts(await wire.frames(2, 100))).toEqual(['1a'])
    one!.add(frame(3, '1b'))
    expect(texts(await wire.frames(1))).toEqual(['1b'])
    one!.end()
    expect(texts(await wire.frames(1))).toEqual(['2a'])
    two!.add(frame(3, '2b'))
    two!.end()
    expect(texts(await wire.frames(2))).toEqual(['2b', 'a'])
  })

  it('of many pieces have room while nothing else fills it, and always when it is their turn', async () => {
    const wire = await start({ queuedBytes: 4096 })
    wire.send(all('d1', 'd2'))
    await until(() => worked === 2)
    const [one, two] = deferred
    expect([one!.hasRoom, two!.hasRoom]).toEqual([true, true])
    two!.add(frame(3, Buffer.alloc(5000, 'x')))
    expect([one!.hasRoom, two!.hasRoom]).toEqual([true, false])
    let asked = 0
    two!.onRoom = () => asked++
    one!.end(frame(3, 'one'))
    expect((await wire.frames(2)).length).toBe(2)
    await until(() => asked > 0)
    expect(two!.hasRoom).toBe(true)
    two!.end()
  })

  it('are bounded in number: above the bound the input is left unread', async () => {
    const wire = await start({ deferredAnswers: 10 })
    wire.send(all(...Array.from({ length: 100 }, (_, i) => `d${i}`)))
    await sleep(100)
    expect(worked).toBe(10)
    for (let i = 0; i < 100; i++) {
      await until(() => deferred.length > i)
      expect(deferred.length).toBeLessThanOrEqual(i + 10)
      deferred[i]!.end(frame(3, `${i}`))
    }
    expect(texts(await wire.frames(100))).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`))
  })

  it('are bounded in bytes: those of their requests count, and those that have come', async () => {
    const wire = await start({ queuedBytes: 10_000 })
    for (let i = 0; i < 50; i++) wire.send(all(`d${'x'.repeat(1000)}`))
    await sleep(100)
    expect(worked).toBeLessThanOrEqual(10)
    const before = worked
    deferred.at(-1)!.add(frame(3, Buffer.alloc(20_000)))
    for (let i = 0; i < before - 1; i++) deferred[i]!.end(frame(3, 'y'))
    deferred[before - 1]!.end()
    await until(() => worked > before)
    for (let i = before; i < 50; i++) {
      await until(() => deferred.length > i)
      deferred[i]!.end(frame(3, 'y'))
    }
    expect((await wire.frames(50)).length).toBe(50)
  })

  it('let go when their connection closes', async () => {
    const wire = await start({ queuedBytesTotal: 20_000, queuedBytes: 15_000 })
    let dropped = 0
    wire.send(all('a', `d${'x'.repeat(8000)}`, 'k2', 'b'))
    await until(() => worked === 4)
    for (const each of deferred) each.onDropped = () => dropped++
    wire.close()
    await until(() => dropped === 2)
    deferred[0]!.end(frame(3, 'too late'))
    // What it held is counted no more, or this one would be cut off.
    const other = await open()
    other.send(all(`d${'y'.repeat(14_000)}`))
    await until(() => worked === 5)
    deferred[2]!.end(frame(3, 'here'))
    expect(texts(await other.frames(1))).toEqual(['here'])
    expect(server!.node.counters.connectionsCutOff).toBe(0)
  })

  it('leave before the node closes, where they come in time', async () => {
    const wire = await start()
    wire.send(all('d1', 'a'))
    await until(() => worked === 2)
    const closed = server!.close()
    await sleep(50)
    deferred[0]!.end(frame(3, 'last'))
    expect(texts(await wire.frames(2))).toEqual(['last', 'a'])
    await closed
    server = undefined
  })
})

describe('answers that come later in the same process', () => {
  it('are told once, whole, each when it is there', async () => {
    await start()
    const embedded = new EmbeddedService(server!.service)
    const told: string[] = []
    const ask = (body: string): void => {
      const request = frame(3, body)
      embedded.request(request, 0, request.length, (bytes, from, to) => {
        let text = ''
        for (let at = from; at < to;) {
          const end = at + 8 + bytes.readUIntBE(at + 2, 6)
          text += `${bytes.toString('latin1', at + 8, end)},`
          at = end
        }
        told.push(`${body}: ${text}`)
      })
    }
    ask('d1')
    ask('k2')
    ask('a')
    ask('d3')
    expect(told).toEqual(['a: a,'])
    deferred[2]!.add(frame(3, 'x'))
    deferred[2]!.add(frame(3, 'y'))
    deferred[2]!.end()
    deferred[1]!.end()
    await sleep(1)
    expect(told.slice(1)).toEqual(['d3: x,y,', 'k2: k2,'])
    deferred[0]!.end(frame(3, 'one'))
    deferred[0]!.end(frame(3, 'two'))
    await sleep(1)
    expect(told.slice(3)).toEqual(['d1: one,'])
  })

  it('are bounded in bytes: one more is refused with code 18', async () => {
    await start({ queuedBytesTotal: 4096 })
    const embedded = new EmbeddedService(server!.service)
    const codes: number[] = []
    const request = frame(3, `d${'x'.repeat(1000)}`)
    for (let i = 0; i < 10; i++)
      embedded.request(request, 0, request.length, (bytes, from) => codes.push(bytes[from + 8 + 5]!))
    expect(codes.length).toBe(10 - deferred.length)
    expect(deferred.length).toBe(4)
    expect(new Set(codes)).toEqual(new Set([18]))
  })
})
