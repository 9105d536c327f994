/** Bodies of the requests that simulated clients send. Source: protocol notes, records 1 to 3. */
import { Info1, Info2, Info3, MESSAGE_HEADER_BYTES, Op } from '../protocol/message.ts'
import { ParticleType } from '../values/particle.ts'

const fieldIds = { namespace: 0, set: 1, digest: 4 } as const

/** Of the message header. */
const ttlAt = 10

interface Step {
  readonly op: number
  readonly bin: string
  readonly type: number
  readonly value: Buffer
}

interface Bits {
  readonly info1: number
  readonly info2: number
  readonly info3: number
}

export interface RecordName {
  readonly namespace: string
  readonly set: string
  readonly digest: Buffer
}

/** Adds one to the count and a word to the log, and answers the log as it then is. */
export function countRequest(name: RecordName, word: string): Buffer {
  const one = Buffer.alloc(8)
  one[7] = 1
  return body(name, { info1: Info1.READ, info2: Info2.WRITE | Info2.RESPOND_ALL_OPS, info3: 0 }, [
    { op: Op.INCR, bin: 'count', type: ParticleType.INTEGER, value: one },
    { op: Op.APPEND, bin: 'log', type: ParticleType.STRING, value: Buffer.from(word) },
    { op: Op.READ, bin: 'log', type: 0, value: Buffer.alloc(0) },
  ])
}

/** Replaces the record by one that holds this word. */
export function putRequest(name: RecordName, word: string): Buffer {
  return body(name, { info1: 0, info2: Info2.WRITE, info3: Info3.CREATE_OR_REPLACE }, [
    { op: Op.WRITE, bin: 'log', type: ParticleType.STRING, value: Buffer.from(word) },
  ])
}

/** The same, for a record that lives only so many seconds. */
export function mortalRequest(name: RecordName, word: string, life: number): Buffer {
  const request = putRequest(name, word)
  request.writeUInt32BE(life, ttlAt)
  return request
}

export function deleteRequest(name: RecordName): Buffer {
  return body(name, { info1: 0, info2: Info2.WRITE | Info2.DELETE, info3: 0 }, [])
}

export function readRequest(name: RecordName): Buffer {
  return body(name, { info1: Info1.READ | Info1.GET_ALL, info2: 0, info3: 0 }, [])
}

/** Of a strong namespace: what all have acknowledged by the time the request came. */
export function linearizedReadRequest(name: RecordName): Buffer {
  return body(name, { info1: Info1.READ | Info1.GET_ALL, info2: 0, info3: Info3.SC_READ_TYPE }, [])
}

/** Code of an answer's frame, and the text of its last string. */
export function readAnswer(frame: Buffer): { readonly code: number; readonly text: string | undefined } {
  const code = frame[8 + 5]!
  let at = 8 + MESSAGE_HEADER_BYTES
  let text: string | undefined
  for (let left = frame.readUInt16BE(8 + 20); left > 0; left--) {
    const end = at + 4 + frame.readUInt32BE(at)
    const isString = frame[at + 5] === Number(ParticleType.STRING)
    if (isString) text = frame.toString('latin1', at + 8 + frame[at + 7]!, end)
    at = end
  }
  return { code, text }
}

function body({ namespace, set, digest }: RecordName, bits: Bits, steps: readonly Step[]): Buffer {
  const header = Buffer.alloc(MESSAGE_HEADER_BYTES)
  header[0] = MESSAGE_HEADER_BYTES
  header[1] = bits.info1
  header[2] = bits.info2
  header[3] = bits.info3
  header.writeUInt16BE(3, 18)
  header.writeUInt16BE(steps.length, 20)
  return Buffer.concat([
    header,
    field(fieldIds.namespace, Buffer.from(namespace)),
    field(fieldIds.set, Buffer.from(set)),
    field(fieldIds.digest, digest),
    ...steps.map(stepBytes),
  ])
}

function field(id: number, content: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(content.length + 1)
  head[4] = id
  return Buffer.concat([head, content])
}

function stepBytes({ op, bin, type, value }: Step): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(4 + bin.length + value.length)
  head[4] = op
  head[5] = type
  head[7] = bin.length
  return Buffer.concat([head, Buffer.from(bin), value])
}
