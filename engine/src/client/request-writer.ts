/** Request frames of record commands. Source: protocol notes, records 1 to 3 and batch 1. */
import { Info1, Info2, Info3, MESSAGE_HEADER_BYTES, Op } from '../protocol/message.ts'
import { isWrite, type Operation } from '../protocol/operation-builder.ts'
import type { ByteWriter } from '../values/byte-writer.ts'
import { DIGEST_BYTES, writeDigest } from '../values/digest.ts'
import { ParticleType } from '../values/particle.ts'
import type { Key } from './key.ts'
import { ttlField, type WritePolicy } from './policy.ts'

const FRAME_HEADER_BYTES = 8
const FIELD = { NAMESPACE: 0, SET: 1, KEY: 2, DIGEST: 4, BATCH: 41, FILTER: 43 } as const
const BATCH_FLAGS = 0x0d
const ROW = { REPEAT: 1, INFO: 2, GENERATION: 4, TTL: 8 } as const

/** What one command asks: the info bits, and what goes with them. */
export interface Command {
  readonly info1: number
  readonly info2: number
  readonly info3: number
  readonly operations: readonly Operation[]
  readonly policy: WritePolicy
}

const NO_OPERATIONS: readonly Operation[] = []
const existsBits = {
  create: [Info2.CREATE_ONLY, 0],
  update: [0, Info3.UPDATE_ONLY],
  replace: [0, Info3.REPLACE_ONLY],
  'create-or-replace': [0, Info3.CREATE_OR_REPLACE],
} as const

function writing(
  policy: WritePolicy,
  info1: number,
  info2: number,
  operations: readonly Operation[],
): Command {
  const [exists2, exists3] = policy.exists ? existsBits[policy.exists] : [0, 0]
  const generation = policy.generation === undefined ? 0 : Info2.GENERATION
  return {
    info1,
    info2: Info2.WRITE | info2 | exists2 | generation,
    info3: exists3,
    operations,
    policy,
  }
}

/** Reads named bins, or all. */
export function readCommand(bins: readonly string[] | undefined, policy: WritePolicy): Command {
  const operations = bins?.map((bin): Operation => ({
    op: Op.READ,
    bin,
    type: ParticleType.NULL,
    payload: Buffer.alloc(0),
  }))
  const info1 = operations ? Info1.READ : Info1.READ | Info1.GET_ALL
  return { info1, info2: 0, info3: 0, operations: operations ?? NO_OPERATIONS, policy }
}

export function headerCommand(policy: WritePolicy): Command {
  return { info1: Info1.READ | Info1.NOBIN, info2: 0, info3: 0, operations: NO_OPERATIONS, policy }
}

export function writeCommand(operations: readonly Operation[], policy: WritePolicy): Command {
  return writing(policy, 0, 0, operations)
}

export function deleteCommand(policy: WritePolicy): Command {
  return writing(policy, 0, Info2.DELETE, NO_OPERATIONS)
}

/** One answer per step, but for a touch: that is what RESPOND_ALL_OPS asks. */
export function operateCommand(operations: readonly Operation[], policy: WritePolicy): Command {
  const reads = operations.some((operation) => !isWrite(operation)) ? Info1.READ : 0
  if (!operations.some(isWrite))
    return { info1: reads, info2: Info2.RESPOND_ALL_OPS, info3: 0, operations, policy }
  return writing(policy, reads, Info2.RESPOND_ALL_OPS, operations)
}

/** Writes the frame of a command on one record. */
export function writeRecordRequest(to: ByteWriter, key: Key, command: Command, timeout: number): void {
  const start = writeHeader(to, timeout)
  const { policy, operations } = command
  const at = start + FRAME_HEADER_BYTES
  to.buffer[at + 1] = command.info1
  to.buffer[at + 2] = command.info2
  to.buffer[at + 3] = command.info3
  to.buffer.writeUInt32BE(policy.generation ?? 0, at + 6)
  to.buffer.writeUInt32BE(ttlField(policy.ttl), at + 10)
  let fields = writeName(to, key)
  const digestAt = fieldHeader(to, FIELD.DIGEST, DIGEST_BYTES)
  writeDigest(to.buffer, digestAt, key.set ?? '', key.key)
  fields++
  fields += writeExtras(to, key, policy)
  to.buffer.writeUInt16BE(fields, at + 18)
  to.buffer.writeUInt16BE(operations.length, at + 20)
  for (const operation of operations) writeOperation(to, operation)
  endFrame(to, start)
}

export interface BatchRow {
  readonly key: Key
  readonly command: Command
}

/** Writes a batch of rows; a row's index is its place in `rows`. */
export function writeBatchRequest(to: ByteWriter, rows: readonly BatchRow[], timeout: number): void {
  const start = writeHeader(to, timeout)
  const at = start + FRAME_HEADER_BYTES
  to.buffer[at + 1] = Info1.BATCH
  to.buffer.writeUInt16BE(1, at + 18)
  const fieldAt = to.take(5)
  to.buffer[fieldAt + 4] = FIELD.BATCH
  const countAt = to.take(5)
  to.buffer.writeUInt32BE(rows.length, countAt)
  to.buffer[countAt + 4] = BATCH_FLAGS
  let before: BatchRow | undefined
  rows.forEach((row, index) => {
    writeRow(to, row, index, before)
    before = row
  })
  to.buffer.writeUInt32BE(to.length - fieldAt - 4, fieldAt)
  endFrame(to, start)
}

function writeRow(to: ByteWriter, row: BatchRow, index: number, before: BatchRow | undefined): void {
  const { key, command } = row
  const at = to.take(4 + DIGEST_BYTES)
  to.buffer.writeUInt32BE(index, at)
  writeDigest(to.buffer, at + 4, key.set ?? '', key.key)
  const repeats =
    before?.command === command &&
    before.key.namespace === key.namespace &&
    before.key.set === key.set &&
    !command.policy.sendKey
  if (repeats) return to.byte(ROW.REPEAT)
  const writes = (command.info2 & Info2.WRITE) !== 0
  to.byte(ROW.INFO | ROW.TTL | (writes ? ROW.GENERATION : 0))
  to.byte(command.info1)
  to.byte(command.info2)
  to.byte(command.info3)
  // Places are taken before `to.buffer` is read: taking may replace the buffer.
  if (writes) {
    const generationAt = to.take(2)
    to.buffer.writeUInt16BE(command.policy.generation ?? 0, generationAt)
  }
  const ttlAt = to.take(4)
  to.buffer.writeUInt32BE(ttlField(command.policy.ttl), ttlAt)
  const countsAt = to.take(4)
  const fields = writeName(to, key) + writeExtras(to, key, command.policy)
  to.buffer.writeUInt16BE(fields, countsAt)
  to.buffer.writeUInt16BE(command.operations.length, countsAt + 2)
  for (const operation of command.operations) writeOperation(to, operation)
}

function writeHeader(to: ByteWriter, timeout: number): number {
  const start = to.take(FRAME_HEADER_BYTES + MESSAGE_HEADER_BYTES)
  to.buffer.fill(0, start, start + FRAME_HEADER_BYTES + MESSAGE_HEADER_BYTES)
  to.buffer[start] = 2
  to.buffer[start + 1] = 3
  to.buffer[start + FRAME_HEADER_BYTES] = MESSAGE_HEADER_BYTES
  to.buffer.writeUInt32BE(timeout, start + FRAME_HEADER_BYTES + 14)
  return start
}

function endFrame(to: ByteWriter, start: number): void {
  to.buffer.writeUIntBE(to.length - start - FRAME_HEADER_BYTES, start + 2, 6)
}

function fieldHeader(to: ByteWriter, id: number, length: number): number {
  const at = to.take(5 + length)
  to.buffer.writeUInt32BE(length + 1, at)
  to.buffer[at + 4] = id
  return at + 5
}

function writeText(to: ByteWriter, id: number, text: string): void {
  const length = Buffer.byteLength(text)
  const at = fieldHeader(to, id, length)
  to.buffer.write(text, at, length, 'utf8')
}

function writeBytes(to: ByteWriter, id: number, bytes: Buffer): void {
  const at = fieldHeader(to, id, bytes.length)
  bytes.copy(to.buffer, at)
}

function writeName(to: ByteWriter, key: Key): number {
  writeText(to, FIELD.NAMESPACE, key.namespace)
  if (!key.set) return 1
  writeText(to, FIELD.SET, key.set)
  return 2
}

function writeExtras(to: ByteWriter, key: Key, policy: WritePolicy): number {
  let fields = 0
  if (policy.filter) {
    writeBytes(to, FIELD.FILTER, policy.filter.encoded)
    fields++
  }
  if (policy.sendKey) {
    writeBytes(to, FIELD.KEY, keyBytes(key.key))
    fields++
  }
  return fields
}

function keyBytes(key: Key['key']): Buffer {
  if (typeof key === 'string') return Buffer.concat([Buffer.of(ParticleType.STRING), Buffer.from(key)])
  if (Buffer.isBuffer(key)) return Buffer.concat([Buffer.of(ParticleType.BLOB), key])
  const bytes = Buffer.alloc(9)
  bytes[0] = ParticleType.INTEGER
  bytes.writeBigInt64BE(BigInt(key), 1)
  return bytes
}

function writeOperation(to: ByteWriter, { op, bin, type, payload }: Operation): void {
  const name = Buffer.byteLength(bin)
  const at = to.take(8 + name + payload.length)
  to.buffer.writeUInt32BE(4 + name + payload.length, at)
  to.buffer[at + 4] = op
  to.buffer[at + 5] = type
  to.buffer[at + 6] = 0
  to.buffer[at + 7] = name
  if (name > 0) to.buffer.write(bin, at + 8, name, 'utf8')
  payload.copy(to.buffer, at + 8 + name)
}
