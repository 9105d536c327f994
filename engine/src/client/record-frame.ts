import { digestOf } from '../values/digest.ts'
import type { UserKey } from '../values/digest.ts'
import { decodeValue, encodeValue } from './bin-value.ts'
import type { Value } from './bin-value.ts'

const FRAME_HEADER_BYTES = 8
const HEADER_BYTES = 22
const EPOCH_2010_S = 1_262_304_000

export interface Key {
  readonly namespace: string
  readonly set?: string
  readonly key: UserKey
}

/** One op of a request: its number, bin and value. */
export interface RequestOp {
  readonly op: number
  readonly bin: string
  readonly value: Value
}

export interface RequestHeader {
  readonly info1?: number
  readonly info2?: number
  readonly info3?: number
  readonly generation?: number
  readonly ttl?: number
  readonly timeoutMs: number
}

/** One record message as a whole frame. */
export function recordFrame(
  { namespace, set = '', key }: Key,
  header: RequestHeader,
  ops: readonly RequestOp[],
): Buffer {
  const message = Buffer.alloc(FRAME_HEADER_BYTES + HEADER_BYTES)
  const at = FRAME_HEADER_BYTES
  message[0] = 2
  message[1] = 3
  message[at] = HEADER_BYTES
  message[at + 1] = header.info1 ?? 0
  message[at + 2] = header.info2 ?? 0
  message[at + 3] = header.info3 ?? 0
  message.writeUInt32BE(header.generation ?? 0, at + 6)
  message.writeUInt32BE(header.ttl ?? 0, at + 10)
  message.writeUInt32BE(header.timeoutMs, at + 14)
  message.writeUInt16BE(3, at + 18)
  message.writeUInt16BE(ops.length, at + 20)
  const parts = [
    message,
    field(0, Buffer.from(namespace)),
    field(1, Buffer.from(set)),
    field(4, digestOf(set, key)),
  ]
  for (const op of ops) parts.push(...opParts(op))
  const frame = Buffer.concat(parts)
  frame.writeUIntBE(frame.length - FRAME_HEADER_BYTES, 2, 6)
  return frame
}

function field(id: number, data: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(data.length + 1, 0)
  head[4] = id
  return Buffer.concat([head, data], data.length + 5)
}

function opParts({ op, bin, value }: RequestOp): Buffer[] {
  const name = Buffer.from(bin)
  const { type, bytes } = encodeValue(value)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(4 + name.length + bytes.length, 0)
  head[4] = op
  head[5] = type
  head[7] = name.length
  return [head, name, bytes]
}

export interface RecordAnswer {
  readonly code: number
  readonly generation: number
  /** Seconds since 2010; 0 = never. */
  readonly voidTime: number
  readonly bins: Record<string, Value>
}

/** The answer to one record message, a whole frame. */
export function recordAnswer(frame: Buffer): RecordAnswer {
  const body = frame.subarray(FRAME_HEADER_BYTES)
  const bins: Record<string, Value> = {}
  let at = HEADER_BYTES
  for (let i = body.readUInt16BE(18); i > 0; i--) at += 4 + body.readUInt32BE(at)
  for (let i = body.readUInt16BE(20); i > 0; i--) {
    const end = at + 4 + body.readUInt32BE(at)
    const nameEnd = at + 8 + body[at + 7]!
    bins[body.toString('utf8', at + 8, nameEnd)] = decodeValue(body[at + 5]!, body.subarray(nameEnd, end))
    at = end
  }
  return { code: body[5]!, generation: body.readUInt32BE(6), voidTime: body.readUInt32BE(10), bins }
}

/** Seconds until a record with this void time expires. */
export function secondsLeft(voidTime: number, nowMs: number): number {
  return Math.max(1, voidTime + EPOCH_2010_S - Math.floor(nowMs / 1000))
}
