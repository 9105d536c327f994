import { setTimeout as sleep } from 'node:timers/promises'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node, NodeConfig } from '@larder/engine'
import { startNode } from '@larder/engine'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ResponseBuffer } from '../../../engine/src/protocol/response.ts'
import type { AnswerMessage, RowParts } from './messages.ts'
import { batch, BatchFlag, codeOf, get, integer, message, messagesOf, op, put } from './messages.ts'
import { Wire } from './wire.ts'

const KIB = 1024
const MIB = 1024 * KIB
/** A frame ends with the first message that fills it. */
const FULL_FRAME = 128 * KIB

let node: Node | undefined
const wires: Wire[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  for (const wire of wires.splice(0)) wire.close()
  await node?.close()
})

async function start(config: NodeConfig = {}): Promise<Wire> {
  node = await startNode({ port: 0, ...config })
  return open()
}

async function open(): Promise<Wire> {
  const wire = await Wire.open(node!.port)
  wires.push(wire)
  return wire
}

const digest = (i: number): Buffer => {
  const bytes = Buffer.alloc(20, 7)
  bytes.writeUInt32LE(i)
  return bytes
}

const read = (i: number): RowParts => ({ digest: digest(i), info1: 3 })
const increment = (i: number): RowParts => ({ digest: digest(i), info2: 1, ops: [op(5, 'n', 1, integer(1))] })
const value = (letter: string, kib: number): Buffer => Buffer.alloc(kib * KIB, letter)

/** All messages of a batch's answer, with the sizes of its frames. */
async function answerOf(wire: Wire, ms = 20_000): Promise<{ messages: AnswerMessage[]; sizes: number[] }> {
  const messages: AnswerMessage[] = []
  const sizes: number[] = []
  while (!messages.at(-1)?.isLast) {
    const [bytes] = await wire.frames(1, ms)
    if (!bytes) throw new Error(`no more frames after ${sizes.length}`)
    messages.push(...messagesOf(bytes))
    sizes.push(bytes.length)
  }
  return { messages, sizes }
}

async function fill(wire: Wire, count: number, kib: number, letter = 'x'): Promise<void> {
  for (let i = 0; i < count; i++) wire.send(put(digest(i), value(letter, kib)))
  const answers = await wire.frames(count, 20_000)
  expect(answers.map(codeOf)).toEqual(answers.map(() => 0))
}

/** The most bytes that one buffer for answers has held at once from now on. */
function watchBuffers(): () => number {
  const reserve = vi.spyOn(ResponseBuffer.prototype, 'reserve')
  return () => {
    const { calls, results } = reserve.mock
    return results.reduce((most, { value }, i) => Math.max(most, Number(value) + calls[i]![0]), 0)
  }
}

describe('the answer to a long batch', () => {
  it('leaves in frames of bounded size and is never whole in memory', async () => {
    const wire = await start()
    await fill(wire, 20, 100)
    const most = watchBuffers()
    const rows = Array.from({ length: 1000 }, (_, i) => read(i % 20))
    wire.send(Buffer.concat([batch(rows, 0x0d, 60_000), get(digest(3))]))
    const { messages, sizes } = await answerOf(wire)
    expect(messages.length).toBe(1001)
    expect(
      messages.slice(0, 1000).every(({ index, ops }, i) => index === i && ops[0]!.value.length === 100 * KIB),
    ).toBe(true)
    expect(messages[1000]).toMatchObject({ code: 0, isLast: true, ops: [] })
    expect(Math.max(...sizes)).toBeLessThan(FULL_FRAME + 101 * KIB)
    // No frame is empty.
    expect(Math.min(...sizes)).toBe(8 + 22)
    expect(most()).toBeLessThan(2 * MIB)
    // What was asked behind it is answered behind it.
    expect(codeOf((await wire.frames(1))[0]!)).toBe(0)
  })

  it('waits for a reader that stalls, who then gets his own, whole; busy ones are not held up', async () => {
    const stalled = await start({ queuedBytesTotal: 16 * MIB })
    await fill(stalled, 20, 100, 's')
    const busy = await open()
    const other = digest(1000)
    stalled.socket.pause()
    stalled.send(
      batch(
        Array.from({ length: 1000 }, (_, i) => read(i % 20)),
        0x0d,
        60_000,
      ),
    )
    for (let round = 0; round < 200; round++) {
      const letter = 'abcd'[round % 4]!
      const sent = performance.now()
      busy.send(Buffer.concat([put(other, value(letter, 30)), batch([{ digest: other, info1: 3 }])]))
      const [written, row] = await busy.frames(2)
      expect(codeOf(written!)).toBe(0)
      expect(messagesOf(row!)[0]!.ops[0]!.value.equals(value(letter, 30))).toBe(true)
      expect((await busy.frames(1)).length).toBe(1)
      expect(performance.now() - sent).toBeLessThan(2000)
    }
    expect(stalled.bytes).toBeLessThan(30 * MIB)
    stalled.socket.resume()
    const { messages } = await answerOf(stalled)
    expect(messages.length).toBe(1001)
    const own = value('s', 100)
    expect(
      messages.slice(0, 1000).every(({ index, ops }, i) => index === i && ops[0]!.value.equals(own)),
    ).toBe(true)
  })

  it('is cut at the bound on all that waits, where no reader takes anything', async () => {
    await start({ queuedBytesTotal: 3 * MIB })
    const first = wires[0]!
    await fill(first, 20, 100)
    const stalled = await Promise.all(Array.from({ length: 6 }, open))
    for (const wire of stalled) {
      wire.socket.pause()
      wire.send(
        batch(
          Array.from({ length: 1000 }, (_, i) => read(i % 20)),
          0x0d,
          60_000,
        ),
      )
    }
    await sleep(300)
    first.send(get(digest(1)))
    expect((await first.frames(1)).map(codeOf)).toEqual([0])
    for (const wire of stalled) wire.socket.resume()
    const ends = await Promise.all(
      stalled.map((wire) =>
        answerOf(wire).then(
          ({ messages }) => messages.length,
          () => 'cut',
        ),
      ),
    )
    expect(ends).toContain('cut')
    expect(new Set(ends.filter((end) => end !== 'cut'))).toEqual(new Set([1001]))
  })

  it('of rows in the order they were asked shows each what the ones before it wrote', async () => {
    const wire = await start()
    const rows = Array.from({ length: 20_000 }, (_, i) => (i % 2 ? read(1) : increment(1)))
    wire.send(batch(rows, 0x0d, 60_000))
    const { messages } = await answerOf(wire)
    const seen = messages
      .filter(({ ops }) => ops[0]?.type === 1)
      .map(({ ops }) => Number(ops[0]!.value.readBigInt64BE()))
    expect(seen).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1))
  })

  it('lets others in between', async () => {
    const wire = await start()
    const other = await open()
    const rows = Array.from({ length: 200_000 }, (_, i) => increment(i % 100))
    wire.send(batch(rows, 0x0d, 60_000))
    let turns = 0
    let isDone = false
    const done = answerOf(wire).finally(() => (isDone = true))
    while (!isDone) {
      other.send(get(digest(5)))
      expect((await other.frames(1)).length).toBe(1)
      turns++
    }
    expect((await done).messages.length).toBe(200_001)
    expect(turns).toBeGreaterThan(60)
  })
})

describe('a long batch that is refused at its last row', () => {
  const many = 20_000
  const rows = Array.from({ length: many }, (_, i) => increment(i % 10))
  const bad: RowParts = { digest: digest(1), info1: 3, namespace: 'nowhere' }

  it('answers that alone; the rows before it are worked on', async () => {
    const wire = await start()
    wire.send(batch([...rows, bad], 0x0d, 60_000))
    const { messages, sizes } = await answerOf(wire)
    expect(messages).toMatchObject([{ code: 4, isLast: true }])
    expect(sizes.length).toBe(1)
    wire.send(message({ info1: 1, digest: digest(3), ops: [op(1, 'n')] }))
    const [found] = await wire.frames(1)
    expect(Number(messagesOf(found!)[0]!.ops[0]!.value.readBigInt64BE())).toBe(many / 10)
  })

  it('with a row that fails tells its code behind the rows, or alone, as the flags say', async () => {
    const wire = await start()
    const failing: RowParts = { digest: digest(1), info2: 1, ops: [op(5, 'n', 3, 'text')] }
    const first = [...rows.slice(0, 10), failing, ...rows]
    for (const [flags, count, code] of [
      [BatchFlag.ANSWER_ALL | BatchFlag.WITH_WRITES, many + 11, 0],
      [BatchFlag.WITH_WRITES, many + 11, 12],
      [0, 0, 12],
    ] as const) {
      wire.send(batch(first, flags, 60_000))
      const { messages } = await answerOf(wire)
      expect(messages.length).toBe(count + 1)
      expect(messages.at(-1)!.code).toBe(code)
      if (count > 0) expect(messages[10]!.code).toBe(12)
    }
    wire.send(message({ info1: 1, digest: digest(3), ops: [op(1, 'n')] }))
    const [found] = await wire.frames(1)
    expect(Number(messagesOf(found!)[0]!.ops[0]!.value.readBigInt64BE())).toBe((3 * many) / 10 + 3)
  })
})

describe('a long batch and the node around it', () => {
  it('waits for the disk where commit says so, piece by piece', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'larder-batch-'))
    try {
      const wire = await start({ folder, namespaces: [{ name: 'test', durability: 'commit' }] })
      wire.send(
        batch(
          Array.from({ length: 20_000 }, (_, i) => increment(i % 50)),
          0x0d,
          60_000,
        ),
      )
      const { messages } = await answerOf(wire)
      expect(messages.length).toBe(20_001)
      expect(messages.every(({ code }) => code === 0)).toBe(true)
      await node!.close()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('is ended whole when the node closes, for a reader that takes it', async () => {
    const wire = await start()
    await fill(wire, 20, 100)
    wire.send(
      batch(
        Array.from({ length: 500 }, (_, i) => read(i % 20)),
        0x0d,
        60_000,
      ),
    )
    await wire.until(() => wire.bytes > 3 * MIB)
    const closed = node!.close()
    expect((await answerOf(wire)).messages.length).toBe(501)
    await closed
  })

  it('in the same process comes whole', async () => {
    const wire = await start()
    await fill(wire, 20, 100)
    const request = batch(Array.from({ length: 50 }, (_, i) => read(i % 20)))
    let bytes = 0
    node!.embedded.request(request, 0, request.length, (_buffer, from, to) => (bytes = to - from))
    expect(bytes).toBeGreaterThan(50 * 100 * KIB)
  })
})
