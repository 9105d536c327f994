import { setTimeout as sleep } from 'node:timers/promises'
import type { Node } from '@larder/engine'
import { startNode } from '@larder/engine'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { get, messagesOf, put } from './messages.ts'
import { bodies, mutatedBody } from './mutated-frames.ts'
import { frame, Wire } from './wire.ts'

const numRuns = process.env.LARDER_LONG === '1' ? 20_000 : 2000
const BYSTANDER = 77
const INFO = 1
const MESSAGE = 3
const BATCH = 8
const sentinel = frame(INFO, 'build\n')

let node: Node
let other: Wire
const notes: string[] = []

beforeAll(async () => {
  node = await startNode(
    { port: 0, namespaces: [{ name: 'test', memoryMiB: 256 }] },
    { onNote: (line) => notes.push(line) },
  )
  other = await Wire.open(node.port)
  other.send(put(BYSTANDER, 'untouched'))
  await other.frames(1)
})

afterAll(async () => {
  other.close()
  await node.close()
})

/** Another client is answered, and soon; nothing was thrown that nobody expected. */
async function servesOthers(): Promise<void> {
  other.send(Buffer.concat([get(BYSTANDER), frame(INFO, 'statistics\n')]))
  const [record, statistics] = await other.frames(2, 2000)
  expect(messagesOf(record!)[0]!.ops[0]!.value.toString()).toBe('untouched')
  expect(notes).toEqual([])
  expect(statistics!.toString('latin1')).toContain(';larder_faults=0;')
}

/** The answer to one request: one frame of one message, or frames up to a last message where it is a batch. */
async function takeAnswer(wire: Wire, body: Buffer): Promise<void> {
  const isBatch = body.length >= 22 && (body[1]! & BATCH) !== 0
  for (;;) {
    const [bytes] = await wire.frames(1, 2000)
    if (!bytes) throw new Error(`no answer; the connection is ${wire.closed ? 'closed' : 'open'}`)
    const messages = messagesOf(bytes)
    if (!isBatch) {
      expect(messages.length).toBe(1)
      expect(messages[0]!.isLast).toBe(false)
      return
    }
    for (const message of messages.slice(0, -1)) expect(message.isLast).toBe(false)
    if (messages.at(-1)!.isLast) return
  }
}

it(
  'a mutated message is answered in its place, and so is what follows it',
  { timeout: 1_200_000 },
  async () => {
    const wire = await Wire.open(node.port)
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(mutatedBody, { minLength: 1, maxLength: 8 }), async (requests) => {
          const valid = bodies[requests.length]!
          const all = [...requests, valid]
          wire.send(Buffer.concat([...all.map((body) => frame(MESSAGE, body)), sentinel]))
          for (const body of all) await takeAnswer(wire, body)
          expect(await wire.frames(1, 2000)).toEqual([frame(INFO, 'build\t8.1.2.0\n')])
          await servesOthers()
        }),
        { numRuns },
      )
    } finally {
      wire.close()
    }
  },
)

it('bytes that are no frames end at most their own connection', { timeout: 1_200_000 }, async () => {
  const header = fc
    .tuple(fc.constantFrom(0, 1, 2, 2, 2, 3, 255), fc.nat(6), fc.nat(3), fc.nat(2 ** 16))
    .map(([version, type, high, low]) => {
      const bytes = Buffer.from([version, type, 0, 0, 0, 0, 0, 0])
      bytes.writeUIntBE(high * 2 ** 26 + low, 2, 6)
      return bytes
    })
  const garbage = fc.array(
    fc.oneof(
      header,
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
      mutatedBody,
      mutatedBody.map((body) => frame(MESSAGE, body)),
      fc.constantFrom(
        ...['node\n', 'statistics\n', 'get-config:context=namespace;id=test\n', 'sets/test\n'].map((text) =>
          frame(INFO, text),
        ),
      ),
      fc.uint8Array({ maxLength: 60 }).map((text) => frame(INFO, Buffer.from(text))),
    ),
    { minLength: 1, maxLength: 6 },
  )
  await fc.assert(
    fc.asyncProperty(garbage, async (parts) => {
      const wire = await Wire.open(node.port)
      wire.socket.on('data', () => undefined)
      wire.send(Buffer.concat(parts))
      await servesOthers()
      wire.close()
    }),
    { numRuns },
  )
  await sleep(50)
  await servesOthers()
})
