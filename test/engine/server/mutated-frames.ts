/** Bodies of real requests, and what becomes of them when bytes are lost, changed, repeated or mixed. */
import fc from 'fast-check'
import type { Command } from '../../../engine/src/client/command.ts'
import {
  binsCommand,
  deleteCommand,
  headerCommand,
  operateCommand,
  readCommand,
} from '../../../engine/src/client/command.ts'
import type { WritePolicy } from '../../../engine/src/client/policy.ts'
import type { BatchRow } from '../../../engine/src/client/request-writer.ts'
import { BatchWriter, writeRecordRequest } from '../../../engine/src/client/request-writer.ts'
import { ctx } from '../../../engine/src/protocol/collection-path.ts'
import { exp } from '../../../engine/src/protocol/expression-builder.ts'
import type { Key } from '../../../engine/src/protocol/key.ts'
import { list } from '../../../engine/src/protocol/list-builder.ts'
import { map } from '../../../engine/src/protocol/map-builder.ts'
import { Op } from '../../../engine/src/protocol/message.ts'
import type { Operation } from '../../../engine/src/protocol/operation-builder.ts'
import { op } from '../../../engine/src/protocol/operation-builder.ts'
import { encodedStep } from '../../../engine/src/protocol/operation-writer.ts'
import type { Value } from '../../../engine/src/protocol/value-codec.ts'
import { geoJson } from '../../../engine/src/protocol/value-codec.ts'
import { ByteWriter } from '../../../engine/src/values/byte-writer.ts'
import { digestOf } from '../../../engine/src/values/digest.ts'

const HEADER_BYTES = 8

const key: Key = { namespace: 'test', set: 'mutated', key: 'a key' }
const filter = exp.and(exp.gt(exp.intBin('n'), exp.int(3)), exp.ne(exp.stringBin('s'), exp.string('text')))

/** Steps that a client has builders for are one thing, the bytes of a call another: this takes the latter. */
const call = (number: number, bin: string, bytes: string): Operation =>
  encodedStep(number, bin, Buffer.from(bytes.replaceAll(' ', ''), 'hex'))

const put = (bins: Record<string, Value>, policy: WritePolicy = {}): Command =>
  binsCommand(Op.WRITE, bins, policy, 'put')

const commands: readonly Command[] = [
  readCommand(undefined, {}),
  readCommand(['n', 'l', 'missing'], { filter }),
  headerCommand({}),
  deleteCommand({ generation: 3 }),
  put({ n: 5, s: 'text', f: 1.5, b: Buffer.alloc(40, 1) }, { ttl: 60, sendKey: true }),
  put({ g: geoJson('{"type":"Point","coordinates":[1,2]}') }, { exists: 'update' }),
  put({ l: [1, [2, 3, { x: [4] }], 'five', null], m: { a: 1, b: [2], c: { d: 3 } } }),
  operateCommand(
    [op.add('n', 1), op.append('s', 'more'), op.prepend('s', 'less'), op.read('n'), op.touch()],
    {},
  ),
  operateCommand([op.delete(), op.write('n', 1)], { exists: 'create-or-replace' }),
  operateCommand([list.append('l', 7), list.insert('l', 2, [8, 9]), list.set('l', 3, 'x')], {}),
  operateCommand([list.increment('l', 0, 2), list.sort('l'), list.getByIndexRange('l', 1, 3)], {}),
  operateCommand([list.removeByValue('l', 7), list.getByRankRange('l', 0, 2), list.trim('l', 0, 9)], {}),
  operateCommand([map.put('m', 'key', { deep: [1, 2] }), map.increment('m', 'a', 3)], {}),
  operateCommand([map.getByKey('m', 'b'), map.getByRankRange('m', 0, 2), map.removeByKey('m', 'a')], {}),
  operateCommand([list.append('m', 4, [ctx.mapKey('b')]), list.size('l', [ctx.listIndex(1)])], {}),
  // Paths that create, an expression that writes, and one that reads a call's result.
  operateCommand(
    [call(4, 'p', '93 cc ff 92 50 00 92 01 05'), call(4, 'p', '93 cc ff 92 cc 90 05 92 01 05')],
    {},
  ),
  operateCommand(
    [call(8, 'n', '92 93 14 93 51 02 a1 6e 01 00'), call(7, 'r', '92 95 7f 02 00 91 10 93 51 04 a1 6c 00')],
    {},
  ),
]

function single(command: Command): Buffer {
  const to = new ByteWriter()
  writeRecordRequest(to, key, command, 1000)
  return Buffer.from(to.buffer.subarray(HEADER_BYTES, to.length))
}

function batch(rows: readonly BatchRow[]): Buffer {
  const to = new ByteWriter()
  const writer = new BatchWriter(to, 1000)
  for (const [i, row] of rows.entries()) writer.add(row, i, digestOf('mutated', row.key.key), 0)
  writer.end()
  return Buffer.from(to.buffer.subarray(HEADER_BYTES, to.length))
}

/** Bodies of type-3 frames, batches among them. */
export const bodies: readonly Buffer[] = [
  ...commands.map(single),
  batch(commands.map((command, i) => ({ key: { ...key, key: i % 5 }, command }))),
  batch(Array.from({ length: 20 }, (_, i) => ({ key: { ...key, key: i }, command: commands[0]! }))),
]

type Edit = (body: Buffer) => Buffer

/** A place in a body of any length. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
const at = (body: Buffer, where: number): number => Math.floor(where * body.length)
const changed = (body: Buffer, change: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(body)
  change(copy)
  return copy
}

const flip = fc.tuple(place, fc.nat(7)).map(
  ([where, bit]): Edit =>
    (body) =>
      changed(body, (copy) => (copy[at(body, where)]! ^= 1 << bit)),
)
const setByte = fc.tuple(place, fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255))).map(
  ([where, value]): Edit =>
    (body) =>
      changed(body, (copy) => (copy[at(body, where)] = value)),
)
/** Sizes and counts stand in the body as 4 or 2 bytes: what is there becomes too large, too small, or huge. */
const setSize = fc
  .tuple(
    place,
    fc.constantFrom(1, 2, 4),
    fc.constantFrom<readonly [string, number]>(
      ['add', 1],
      ['add', -1],
      ['set', 0],
      ['set', 1e9],
      ['set', 2 ** 32 - 1],
      ['set', 2 ** 31],
    ),
  )
  .map(
    ([where, bytes, [how, by]]): Edit =>
      (body) =>
        changed(body, (copy) => {
          const start = Math.min(at(body, where), body.length - bytes)
          if (start < 0) return
          const value = how === 'add' ? copy.readUIntBE(start, bytes) + by : by
          copy.writeUIntBE((value + 2 ** 32) % 2 ** (8 * bytes), start, bytes)
        }),
  )
const cut = place.map(
  (where): Edit =>
    (body) =>
      body.subarray(0, at(body, where)),
)
const drop = fc.tuple(place, fc.integer({ min: 1, max: 30 })).map(
  ([where, count]): Edit =>
    (body) =>
      Buffer.concat([body.subarray(0, at(body, where)), body.subarray(at(body, where) + count)]),
)
const repeat = fc.tuple(place, fc.integer({ min: 1, max: 60 })).map(([where, count]): Edit => (body) => {
  const start = at(body, where)
  return Buffer.concat([body.subarray(0, start + count), body.subarray(start)])
})
const graft = fc
  .tuple(place, place, place, fc.constantFrom(...bodies))
  .map(([where, from, length, other]): Edit => (body) => {
    const start = at(other, from)
    const piece = other.subarray(start, start + 1 + Math.floor(length * 60))
    return Buffer.concat([body.subarray(0, at(body, where)), piece, body.subarray(at(body, where))])
  })

const edit = fc.oneof(
  { weight: 4, arbitrary: flip },
  { weight: 3, arbitrary: setByte },
  { weight: 4, arbitrary: setSize },
  { weight: 1, arbitrary: cut },
  drop,
  repeat,
  graft,
)

/** The body of a real request after a few edits. */
export const mutatedBody: fc.Arbitrary<Buffer> = fc
  .tuple(fc.constantFrom(...bodies), fc.array(edit, { minLength: 1, maxLength: 6 }))
  .map(([body, edits]) => edits.reduce((bytes, one) => one(bytes), body))
