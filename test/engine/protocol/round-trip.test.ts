/** What one side of the wire writes, the other reads as the same, whatever it is. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnswerMessage, frameLength } from '../../../engine/src/client/answer-message.ts'
import type { Command } from '../../../engine/src/client/command.ts'
import {
  binsCommand,
  deleteCommand,
  headerCommand,
  operateCommand,
  readCommand,
} from '../../../engine/src/client/command.ts'
import type { WritePolicy } from '../../../engine/src/client/policy.ts'
import { BatchWriter, writeRecordRequest } from '../../../engine/src/client/request-writer.ts'
import { OpCursor } from '../../../engine/src/namespace/record-ops.ts'
import { AnswerWriter } from '../../../engine/src/protocol/answer-writer.ts'
import { exp } from '../../../engine/src/protocol/expression-builder.ts'
import { infoLines, infoPairs, infoParameters } from '../../../engine/src/protocol/info-text.ts'
import type { Key } from '../../../engine/src/protocol/key.ts'
import { Op, RequestMessage } from '../../../engine/src/protocol/message.ts'
import type { Operation } from '../../../engine/src/protocol/operation-builder.ts'
import { op } from '../../../engine/src/protocol/operation-builder.ts'
import { writeParticle } from '../../../engine/src/protocol/operation-writer.ts'
import { ResponseBuffer } from '../../../engine/src/protocol/response.ts'
import type { Value } from '../../../engine/src/protocol/value-codec.ts'
import { decodeBin, Double, geoJson } from '../../../engine/src/protocol/value-codec.ts'
import { BatchReader } from '../../../engine/src/server/dispatch-batch.ts'
import { ByteWriter } from '../../../engine/src/values/byte-writer.ts'
import { digestOf } from '../../../engine/src/values/digest.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double(),
  fc.string({ maxLength: 300, unit: 'grapheme' }),
  bytes(300),
  fc.constant(geoJson('{"type":"Point","coordinates":[1.5,-2]}')),
)
const key = fc.oneof(
  fc.maxSafeInteger(),
  fc.string({ minLength: 1, maxLength: 40 }),
  fc.uint8Array({ minLength: 1, maxLength: 40 }).map((array) => Buffer.from(array)),
)
const tree = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.string({ maxLength: 20 }), tie('value'), { maxKeys: 20, noNullPrototype: true }),
    fc
      .uniqueArray(fc.tuple(key, tie('value')), {
        minLength: 1,
        maxLength: 20,
        selector: ([name]) => (Buffer.isBuffer(name) ? name.toString('hex') + ' blob' : name),
      })
      .map((pairs) => new Map<Value, Value>(pairs)),
  ),
})).value

/** A value as it comes back: integers that fit are numbers, maps of names objects. */
function read(value: Value): unknown {
  if (value === undefined) return null
  if (value instanceof Double) return value.value
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (Array.isArray(value)) return (value as readonly Value[]).map((item) => read(item))
  if (value instanceof Map) {
    const pairs = [...(value as ReadonlyMap<Value, Value>)].map(([name, item]) => [read(name), read(item)])
    return pairs.every(([name]) => typeof name === 'string')
      ? Object.fromEntries(pairs)
      : new Map(pairs as [unknown, unknown][])
  }
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(
      Object.entries(value as Record<string, Value>).map(([name, item]) => [name, read(item)]),
    )
  return value
}

const settings = { numRuns: 300 }

/** Type and payload of a bin. */
function encodeBin(value: Value): { type: number; payload: Buffer } {
  const to = new ByteWriter(8)
  const type = writeParticle(to, value)
  return { type, payload: Buffer.from(to.buffer.subarray(0, to.length)) }
}

describe('a bin value', () => {
  it('comes back', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const { type, payload } = encodeBin(value)
        const around = Buffer.concat([Buffer.alloc(3, 0xff), payload, Buffer.alloc(3, 0xff)])
        expect(decodeBin(type, around, 3, 3 + payload.length)).toEqual(read(value))
      }),
      settings,
    )
  })

  it('is a double where it is no whole number that fits', () => {
    for (const value of [-0, 0.5, NaN, -Infinity, 2 ** 53, 1e300]) {
      const { type, payload } = encodeBin(value)
      expect([type, decodeBin(type, payload, 0, 8)]).toEqual([2, value])
    }
  })
})

const name = fc.string({ minLength: 1, maxLength: 15, unit: 'grapheme-ascii' })
const operation: fc.Arbitrary<Operation> = fc.oneof(
  name.map(op.read),
  fc.tuple(name, tree).map(([bin, value]) => op.write(bin, value)),
  fc.tuple(name, fc.maxSafeInteger()).map(([bin, delta]) => op.add(bin, delta)),
  fc.constant(op.touch()),
  fc.constant(op.delete()),
)
const policy: fc.Arbitrary<WritePolicy> = fc.record(
  {
    ttl: fc.oneof(fc.integer({ min: 1, max: 315_360_000 }), fc.constantFrom('never', 'keep', 'default')),
    exists: fc.constantFrom('create', 'update', 'replace', 'create-or-replace'),
    generation: fc.integer({ min: 0, max: 65_535 }),
    sendKey: fc.boolean(),
    filter: fc.constant(exp.eq(exp.intBin('n'), exp.int(1))),
  },
  { requiredKeys: [] },
)
const operations = fc.array(operation, { minLength: 1, maxLength: 8 })
const command: fc.Arbitrary<Command> = fc.oneof(
  fc
    .tuple(fc.option(fc.array(name), { nil: undefined }), policy)
    .map(([bins, how]) => readCommand(bins, how)),
  policy.map(headerCommand),
  policy.map(deleteCommand),
  fc
    .tuple(fc.dictionary(name, tree, { minKeys: 1, maxKeys: 8 }), policy)
    .map(([bins, how]) => binsCommand(Op.WRITE, bins, how, 'put')),
  fc.tuple(operations, policy).map(([steps, how]) => operateCommand(steps, how)),
)
const recordKey: fc.Arbitrary<Key> = fc.record(
  { namespace: fc.string({ minLength: 1, maxLength: 31 }), set: fc.string({ maxLength: 63 }), key },
  { requiredKeys: ['namespace', 'key'] },
)

const part = (message: RequestMessage, start: number, end: number): Buffer | undefined =>
  start < 0 ? undefined : message.buffer.subarray(start, end)

interface Step {
  readonly op: number
  readonly bin: string
  readonly type: number
  readonly payload: Buffer
}

/** The record part of a message, in the client's terms. */
function seen(message: RequestMessage) {
  const ops = new OpCursor().open(message)
  const steps: Step[] = []
  while (ops.next()) {
    const { number, nameStart, nameEnd, value } = ops
    const bin = message.buffer.toString('utf8', nameStart, nameEnd)
    const payload = Buffer.from(value.buffer.subarray(value.start, value.end))
    steps.push({ op: number, bin, type: value.type, payload })
  }
  return {
    info: [message.info1, message.info2, message.info3],
    namespace: part(message, message.namespaceStart, message.namespaceEnd)?.toString(),
    set: part(message, message.setStart, message.setEnd)?.toString() ?? '',
    digest: part(message, message.digestAt, message.digestEnd)?.toString('hex'),
    hasKey: message.keyStart >= 0,
    filter: part(message, message.filterStart, message.filterEnd)?.toString('hex'),
    generation: message.generation,
    ttl: message.ttl,
    steps,
  }
}

function stepsOf({ operations: list, bins, code }: Command): Step[] {
  if (bins) return Object.entries(bins).map(([bin, value]) => ({ op: code, bin, ...encodeBin(value) }))
  return list.map(({ op: number, bin, value }) => ({ op: number, bin, ...encodeBin(value) }))
}

function asked(of: Key, what: Command): ReturnType<typeof seen> {
  const { info1, info2, info3, ttl, policy: how } = what
  return {
    info: [info1, info2, info3],
    namespace: of.namespace,
    set: of.set ?? '',
    digest: digestOf(of.set ?? '', of.key).toString('hex'),
    hasKey: how.sendKey === true,
    filter: how.filter?.encoded.toString('hex'),
    generation: how.generation ?? 0,
    ttl,
    steps: stepsOf(what),
  }
}

describe('a request that the client writes', () => {
  it('is what the server reads, wherever it stands in the buffer', () => {
    const message = new RequestMessage()
    fc.assert(
      fc.property(recordKey, command, fc.nat(50), (of, what, before) => {
        const to = new ByteWriter(16)
        to.take(before)
        writeRecordRequest(to, of, what, 700)
        expect(message.parse(to.buffer, before + 8, to.length)).toBe(true)
        expect(seen(message)).toEqual(asked(of, what))
        expect(message.transactionTtl).toBe(700)
        expect(to.buffer.readUIntBE(before + 2, 6)).toBe(to.length - before - 8)
      }),
      settings,
    )
  })

  it('as a batch has the same rows, and no others', () => {
    const message = new RequestMessage()
    const reader = new BatchReader()
    const rows = fc.array(fc.tuple(recordKey, fc.nat(3)), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(rows, fc.array(command, { minLength: 4, maxLength: 4 }), (keys, commands) => {
        const to = new ByteWriter(16)
        const batch = keys.map(([of, i]) => ({ key: of, command: commands[i]! }))
        const writer = new BatchWriter(to, 700)
        for (const [i, row] of batch.entries())
          writer.add(row, i, digestOf(row.key.set ?? '', row.key.key), 0)
        writer.end()
        expect(message.parse(to.buffer, 8, to.length)).toBe(true)
        expect(reader.open(message)).toBe(true)
        expect(reader.count).toBe(batch.length)
        for (const [i, row] of batch.entries()) {
          expect(reader.next(message)).toBe(true)
          expect(reader.index).toBe(i)
          const { command: what } = row
          // A row that only reads has no generation.
          const generation = what.info2 & 1 ? (what.policy.generation ?? 0) : 0
          expect(seen(message)).toEqual({ ...asked(row.key, what), generation })
        }
        expect(reader.next(message)).toBe(false)
      }),
      settings,
    )
  })
})

/** All messages of all frames, as the client takes them. */
function answersIn({ buffer, length }: ResponseBuffer): object[] {
  const answers: object[] = []
  const reader = new AnswerMessage()
  for (let start = 0; start < length;) {
    const end = start + frameLength(buffer, start, length)
    for (let at = start + 8; at < end; at = reader.skip()) {
      reader.open(buffer, at, end)
      const { code, generation, voidTime, row, last } = reader
      const bins: Record<string, unknown> = {}
      const values: unknown[] = []
      reader.results(bins, values)
      answers.push({ code, generation, voidTime, row, last, values, bins })
    }
    start = end
  }
  return answers
}

describe('an answer that the server writes', () => {
  const message = fc.record({
    code: fc.integer({ min: 0, max: 255 }),
    generation: fc.integer({ min: 0, max: 65_535 }),
    voidTime: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    row: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    bins: fc.uniqueArray(fc.tuple(name, tree), { maxLength: 3, selector: ([bin]) => bin }),
  })

  it('is what the client reads, frames of any number of messages', () => {
    fc.assert(
      fc.property(fc.array(fc.array(message, { maxLength: 3 }), { maxLength: 3 }), (frames) => {
        const out = new ResponseBuffer()
        const writer = new AnswerWriter(out)
        for (const messages of frames) {
          writer.beginFrame(out)
          for (const { code, generation, voidTime, row, bins } of messages) {
            writer.beginMessage()
            for (const [bin, value] of bins) {
              const { type, payload } = encodeBin(value)
              const bytes = Buffer.from(bin)
              writer.op(1, bytes, 0, bytes.length, { type, buffer: payload, start: 0, end: payload.length })
            }
            writer.endMessage(code, generation, voidTime, row)
          }
          writer.endFrame()
        }
        writer.single(out, 0, true)
        expect(answersIn(out)).toEqual([
          ...frames.flat().map(({ bins, ...numbers }) => ({
            ...numbers,
            last: false,
            values: bins.map(([, value]) => read(value)),
            bins: Object.fromEntries(bins.map(([bin, value]) => [bin, read(value)])),
          })),
          { code: 0, generation: 0, voidTime: 0, row: 0, last: true, values: [], bins: {} },
        ])
      }),
      settings,
    )
  })
})

describe('info text', () => {
  const word = fc.stringMatching(/^[a-z0-9-]{1,12}$/)

  it('of pairs comes back, the first of two equal names counts', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word)), (pairs) => {
        const first = new Map<string, string>()
        for (const [key, value] of pairs) if (!first.has(key)) first.set(key, value)
        expect([...infoParameters(infoPairs(pairs))]).toEqual([...first])
      }),
    )
  })

  it('of lines is cut where the lines are', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(word, fc.constantFrom(':', '/', ';'), word)), word, (lines, rest) => {
        const body = lines.map((line) => `${line.join('')}\n`).join('') + rest
        expect(infoLines(body)).toEqual(
          lines.map(([first, mark, more]) => ({ text: `${first}${mark}${more}`, name: first, rest: more })),
        )
      }),
    )
  })
})
