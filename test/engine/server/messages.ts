/** Record messages as bytes, and answers taken apart, for tests that look at the wire. */
import { frame } from './wire.ts'

export interface MessageParts {
  readonly info1?: number
  readonly info2?: number
  readonly info3?: number
  readonly info4?: number
  readonly generation?: number
  readonly ttl?: number
  /** ms; 0 = the server's own limit. */
  readonly transactionTtl?: number
  readonly namespace?: string
  readonly set?: string
  /** Type and bytes. */
  readonly key?: Buffer
  /** A number stands for a digest of twenty such bytes. */
  readonly digest?: number | Buffer
  readonly filter?: Buffer
  readonly ops?: readonly Buffer[]
}

export function field(id: number, data: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(data.length + 1)
  head[4] = id
  return Buffer.concat([head, data])
}

export function op(number: number, name: string, type = 0, data: Buffer | string = ''): Buffer {
  const value = Buffer.from(data)
  const head = Buffer.from([0, 0, 0, 0, number, type, 0, name.length])
  head.writeUInt32BE(4 + name.length + value.length)
  return Buffer.concat([head, Buffer.from(name), value])
}

export const integer = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

export const digestOf = (digest: number | Buffer): Buffer =>
  typeof digest === 'number' ? Buffer.alloc(20, digest) : digest

/** The body of one record message. */
export function body(parts: MessageParts): Buffer {
  const { namespace = 'test', set = 's', digest, key, filter, ops = [] } = parts
  const fields = [field(0, Buffer.from(namespace)), field(1, Buffer.from(set))]
  if (key) fields.push(field(2, key))
  if (digest !== undefined) fields.push(field(4, digestOf(digest)))
  if (filter) fields.push(field(43, filter))
  const header = Buffer.alloc(22)
  header.set([22, parts.info1 ?? 0, parts.info2 ?? 0, parts.info3 ?? 0, parts.info4 ?? 0])
  header.writeUInt32BE(parts.generation ?? 0, 6)
  header.writeUInt32BE(parts.ttl ?? 0, 10)
  header.writeUInt32BE(parts.transactionTtl ?? 0, 14)
  header.writeUInt16BE(fields.length, 18)
  header.writeUInt16BE(ops.length, 20)
  return Buffer.concat([header, ...fields, ...ops])
}

export const message = (parts: MessageParts): Buffer => frame(3, body(parts))

const STRING = 3
export const put = (digest: number | Buffer, value: Buffer | string): Buffer =>
  message({ info2: 1, digest, ops: [op(2, 'v', STRING, value)] })
export const get = (digest: number | Buffer): Buffer => message({ info1: 3, digest })
export const remove = (digest: number | Buffer): Buffer => message({ info2: 3, digest })

export interface RowParts extends Pick<
  MessageParts,
  'info1' | 'info2' | 'info3' | 'namespace' | 'set' | 'ops'
> {
  readonly digest: number | Buffer
  /** The same as the row before; only the digest counts. */
  readonly repeats?: boolean
}

export const BatchFlag = { INLINE: 1, ANSWER_ALL: 4, WITH_WRITES: 8 } as const

/** A batch of these rows, numbered from 0. */
export function batch(rows: readonly RowParts[], flags: number = 0x0d, transactionTtl = 0): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(rows.length)
  head[4] = flags
  const bytes: Buffer[] = [head]
  for (const [index, row] of rows.entries()) {
    const number = Buffer.alloc(4)
    number.writeUInt32BE(index)
    bytes.push(number, digestOf(row.digest))
    if (row.repeats) bytes.push(Buffer.from([1]))
    else bytes.push(rowBody(row))
  }
  const header = Buffer.alloc(22)
  header.set([22, 8])
  header.writeUInt32BE(transactionTtl, 14)
  header.writeUInt16BE(1, 18)
  return frame(3, Buffer.concat([header, field(41, Buffer.concat(bytes))]))
}

function rowBody({
  info1 = 0,
  info2 = 0,
  info3 = 0,
  namespace = 'test',
  set = 's',
  ops = [],
}: RowParts): Buffer {
  return Buffer.concat([
    Buffer.from([2, info1, info2, info3, 0, 2, ops.length >> 8, ops.length & 0xff]),
    field(0, Buffer.from(namespace)),
    field(1, Buffer.from(set)),
    ...ops,
  ])
}

export interface AnswerOp {
  readonly number: number
  readonly type: number
  readonly name: string
  readonly value: Buffer
}

export interface AnswerMessage {
  readonly code: number
  readonly isLast: boolean
  readonly generation: number
  readonly voidTime: number
  readonly index: number
  readonly ops: readonly AnswerOp[]
}

/** The messages of one type-3 frame. Fails on bytes that are none. */
export function messagesOf(bytes: Buffer): AnswerMessage[] {
  if (bytes[0] !== 2 || bytes[1] !== 3) throw new Error(`not a message frame: ${bytes.toString('hex', 0, 8)}`)
  const messages: AnswerMessage[] = []
  let at = 8
  while (at < bytes.length) {
    if (bytes[at] !== 22) throw new Error(`a message header of ${bytes[at]} bytes`)
    const head = at
    const ops: AnswerOp[] = []
    const count = bytes.readUInt16BE(at + 20)
    at += 22
    for (let i = 0; i < count; i++) {
      const next = at + 4 + bytes.readUInt32BE(at)
      const nameEnd = at + 8 + bytes[at + 7]!
      if (next > bytes.length || nameEnd > next) throw new Error('an op that ends behind its frame')
      ops.push({
        number: bytes[at + 4]!,
        type: bytes[at + 5]!,
        name: bytes.toString('utf8', at + 8, nameEnd),
        value: bytes.subarray(nameEnd, next),
      })
      at = next
    }
    messages.push({
      code: bytes[head + 5]!,
      isLast: (bytes[head + 3]! & 1) !== 0,
      generation: bytes.readUInt32BE(head + 6),
      voidTime: bytes.readUInt32BE(head + 10),
      index: bytes.readUInt32BE(head + 14),
      ops,
    })
  }
  return messages
}

export const codeOf = (bytes: Buffer): number => messagesOf(bytes)[0]!.code
