import type { Node } from '@larder/engine'
import { startNode } from '@larder/engine'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { body, field, messagesOf, op } from './messages.ts'
import { frame, Wire } from './wire.ts'

let node: Node
let wire: Wire

beforeAll(async () => {
  node = await startNode({ port: 0 })
  wire = await Wire.open(node.port)
})

afterAll(async () => {
  wire.close()
  await node.close()
})

const digest = field(4, Buffer.alloc(20, 1))
const test = field(0, Buffer.from('test'))
const write = op(2, 'v', 1, Buffer.alloc(8))

/** A body of these fields and ops, with counts of its own making where they are told. */
function made(
  info1: number,
  info2: number,
  fields: readonly Buffer[],
  ops: readonly Buffer[] = [],
  counts?: [number, number],
): Buffer {
  const header = Buffer.alloc(22)
  header.set([22, info1, info2])
  header.writeUInt16BE(counts?.[0] ?? fields.length, 18)
  header.writeUInt16BE(counts?.[1] ?? ops.length, 20)
  return Buffer.concat([header, ...fields, ...ops])
}

const changed = (bytes: Buffer, at: number, value: number): Buffer => {
  const copy = Buffer.from(bytes)
  copy.writeUInt32BE(value, at)
  return copy
}

/** Source of the codes: protocol notes, framing 7. */
it.each<readonly [what: string, request: Buffer, code: number]>([
  ...[0, 1, 5, 21].map((length) => [`a body of ${length} bytes`, Buffer.alloc(length), 4] as const),
  ['22 zero bytes', Buffer.alloc(22), 20],
  ['more fields than there are', made(3, 0, [test, digest], [], [3, 0]), 4],
  ['fewer fields than there are', made(3, 0, [test, digest], [], [1, 0]), 4],
  ['more ops than there are', made(0, 1, [test, digest], [write], [2, 2]), 4],
  ['fewer ops than there are', made(0, 1, [test, digest], [write, write], [2, 1]), 4],
  ['bytes behind the last op', Buffer.concat([made(0, 1, [test, digest], [write]), Buffer.alloc(1)]), 4],
  ['a field of length 0', made(3, 0, [changed(test, 0, 0), digest]), 4],
  ['a field that goes past the end', made(3, 0, [test, changed(digest, 0, 22)]), 4],
  ['a field of 4 GiB', made(3, 0, [test, changed(digest, 0, 2 ** 32 - 1)]), 4],
  ['an op of length 2', made(0, 1, [test, digest], [changed(write, 0, 2)]), 4],
  ['an op that goes past the end', made(0, 1, [test, digest], [changed(write, 0, 14)]), 4],
  [
    'a name that is longer than its op',
    made(1, 0, [test, digest], [Buffer.from([0, 0, 0, 5, 1, 0, 0, 2, 0x61])]),
    4,
  ],
  ['no namespace', made(3, 0, [digest]), 20],
  ['an empty namespace', made(3, 0, [field(0, Buffer.alloc(0)), digest]), 20],
  ['an unknown namespace', body({ info1: 3, namespace: 'nowhere', digest: 1 }), 20],
  ['a namespace of 300 bytes', body({ info1: 3, namespace: 'n'.repeat(300), digest: 1 }), 20],
  ['no digest', made(3, 0, [test]), 16],
  ['a key and no digest', made(3, 0, [test, field(2, Buffer.from('\x03key'))]), 16],
  ['a digest of 19 bytes', body({ info1: 3, digest: Buffer.alloc(19) }), 4],
  ['a digest of 21 bytes', body({ info1: 3, digest: Buffer.alloc(21) }), 4],
  ['a field nobody knows', made(3, 0, [test, digest, field(99, Buffer.from('x'))]), 2],
  [
    'a field twice, the first one right',
    made(3, 0, [test, digest, field(0, Buffer.from('no')), field(4, Buffer.alloc(3))]),
    2,
  ],
  ['a field twice, the first one wrong', made(3, 0, [field(0, Buffer.from('no')), test, digest]), 20],
  ['a key without a type', made(0, 1, [test, digest, field(2, Buffer.alloc(0))], [write]), 16],
  ['no info bits', body({ digest: 1, ops: [op(1, 'v')] }), 4],
  ['a write without ops', body({ info2: 1, digest: 1 }), 4],
])('%s', async (_what, request, code) => {
  wire.send(Buffer.concat([frame(3, request), frame(1, 'build\n')]))
  const [answer, build] = await wire.frames(2)
  expect(messagesOf(answer!)).toEqual([
    { code, isLast: false, generation: 0, voidTime: 0, index: 0, ops: [] },
  ])
  expect(build).toEqual(frame(1, 'build\t8.1.2.0\n'))
})
