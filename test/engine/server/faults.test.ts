import { setTimeout as sleep } from 'node:timers/promises'
import { startNode } from '@larder/engine'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Background } from '../../../engine/src/server/background.ts'
import { FaultLog } from '../../../engine/src/server/fault-log.ts'
import { RequestMessage } from '../../../engine/src/protocol/message.ts'
import { RecordStore } from '../../../engine/src/storage/record-store.ts'
import type { Answer, TestServer } from './echo-server.ts'
import { serve } from './echo-server.ts'
import { codeOf, get, messagesOf, put, remove } from './messages.ts'
import { frame, Wire } from './wire.ts'

let server: TestServer | undefined
const wires: Wire[] = []

afterEach(async () => {
  for (const wire of wires.splice(0)) wire.close()
  await server?.close()
})

async function open(): Promise<Wire> {
  const wire = await Wire.open(server!.port)
  wires.push(wire)
  return wire
}

/** Bodies with "bad" end in an exception, after a part of their answer has been written; others are echoed. */
const sometimes: Answer = (body) => {
  if (body.includes('bad')) {
    server!.service.out.append(Buffer.from('half an answer'))
    throw new TypeError(`cannot read ${body.toString('latin1')}`)
  }
  return { bytes: frame(3, body) }
}
const ok = frame(3, 'fine')
/** The second byte is the first info byte; 8 makes it a batch. */
const bad = (text: string, info1 = 0): Buffer =>
  frame(3, Buffer.from(`\x16${String.fromCharCode(info1)}bad ${text}`, 'latin1'))

describe('an exception that nobody expected', () => {
  it('is answered with a server error in its place; requests around it and other connections go on', async () => {
    server = await serve(sometimes)
    const wire = await open()
    const other = await open()
    wire.send(Buffer.concat([ok, bad('1'), ok, bad('2', 8), ok]))
    other.send(ok)
    const answers = await wire.frames(5)
    expect([answers[0], answers[2], answers[4]]).toEqual([ok, ok, ok])
    expect(messagesOf(answers[1]!)).toMatchObject([{ code: 1, isLast: false, ops: [] }])
    expect(messagesOf(answers[3]!)).toMatchObject([{ code: 1, isLast: true, ops: [] }])
    expect(await other.frames(1)).toEqual([ok])
  })

  it('is answered with a time-out where a write may have been done: clients take that as in doubt', async () => {
    const fail = (): never => {
      throw new TypeError('a defect')
    }
    const node = await startNode({ port: 0 })
    const code = (request: Buffer): number => {
      let answered = -1
      node.embedded.request(request, 0, request.length, (bytes, from, to) => {
        answered = codeOf(Buffer.from(bytes.subarray(from, to)))
      })
      return answered
    }
    try {
      vi.spyOn(RecordStore.prototype, 'write').mockImplementation(fail)
      expect(code(put(1, 'x'))).toBe(9)
      vi.spyOn(RecordStore.prototype, 'find').mockImplementation(fail)
      expect([code(put(1, 'x')), code(get(1))]).toEqual([1, 1])
      vi.restoreAllMocks()
      expect([code(get(1)), code(put(1, 'x'))]).toEqual([2, 0])
      vi.spyOn(RequestMessage.prototype, 'parse').mockImplementation(fail)
      expect(code(put(1, 'x'))).toBe(1)
      vi.restoreAllMocks()
      vi.spyOn(RecordStore.prototype, 'remove').mockImplementation(fail)
      expect(code(remove(1))).toBe(9)
    } finally {
      vi.restoreAllMocks()
      await node.close()
    }
  })

  it('is told once with its stack, counted always, and seen in the statistics', async () => {
    server = await serve(sometimes)
    const wire = await open()
    for (let i = 0; i < 50; i++) wire.send(bad(String(i)))
    wire.send(frame(1, 'statistics\n'))
    const answers = await wire.frames(51)
    expect(server.notes.length).toBe(1)
    expect(server.notes[0]).toMatch(/a request; .*TypeError: cannot read .*bad 0\n {4}at sometimes/s)
    expect(server.node.faults.count).toBe(50)
    expect(answers[50]!.toString('latin1')).toContain(';larder_faults=50;')
  })
})

describe('the log of faults', () => {
  const thrownBy = (work: () => void): unknown => {
    try {
      work()
    } catch (error) {
      return error
    }
    return undefined
  }

  it('tells causes apart by their place, whatever the message', () => {
    const lines: string[] = []
    const log = new FaultLog((line) => lines.push(line))
    const one = (i: number): never => {
      throw new Error(`value ${i}`)
    }
    for (let i = 0; i < 5; i++)
      log.report(
        'x',
        thrownBy(() => one(i)),
      )
    log.report(
      'x',
      thrownBy(() => void JSON.parse('{')),
    )
    expect(lines.length).toBe(2)
    expect(log.count).toBe(6)
  })

  it('keeps at most 100 of them, also of things thrown that are no errors', () => {
    const lines: string[] = []
    const log = new FaultLog((line) => lines.push(line))
    for (let i = 0; i < 500; i++) log.report('x', `thing ${i}`)
    expect(lines.length).toBe(100)
    expect(log.count).toBe(500)
  })
})

describe('background work that fails', () => {
  it('is reported, tried again, and does not stop the others', async () => {
    const log = new FaultLog(() => undefined)
    let tried = 0
    let worked = 0
    const failing = {
      runSlice(): boolean {
        tried++
        throw new Error('no')
      },
    }
    const working = { runSlice: () => ++worked < 0 }
    const background = new Background([failing, working], () => Date.now(), log)
    await sleep(450)
    background.stop()
    expect(tried).toBeGreaterThanOrEqual(2)
    expect(tried).toBeLessThan(8)
    expect(worked).toBeGreaterThanOrEqual(2)
    expect(log.count).toBe(tried)
  })
})
