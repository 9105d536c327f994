/** Request frames of record commands. Source: protocol notes, records 1 to 3 and batch 1. */
import { invalid, shown } from '../protocol/client-error.ts'
import { checkKey, MAX_NAMESPACE_BYTES, MAX_SET_BYTES, type Key } from '../protocol/key.ts'
import { Info1, MESSAGE_HEADER_BYTES } from '../protocol/message.ts'
import {
  checkBinName,
  writeOperation,
  writeParticle,
  writeStep,
  writeText,
} from '../protocol/operation-writer.ts'
import { putUint16, putUint32 } from '../values/byte-copy.ts'
import type { ByteWriter } from '../values/byte-writer.ts'
import { DIGEST_BYTES, writeDigest } from '../values/digest.ts'
import { FRAME_HEADER_BYTES, FrameType } from './answer-message.ts'
import { type Command, NO_POLICY, writes } from './command.ts'
import type { CommandPolicy } from './policy.ts'

const PROTOCOL_VERSION = 2
const FIELD = { NAMESPACE: 0, SET: 1, KEY: 2, DIGEST: 4, BATCH: 41, FILTER: 43 } as const
const FIELD_HEADER_BYTES = 5
const BATCH_FLAGS = 0x0d
const ROW = { REPEAT: 1, INFO: 2, GENERATION: 4, TTL: 8 } as const

/** Writes the frame of a command on one record; answers where its digest stands. */
export function writeRecordRequest(to: ByteWriter, key: Key, command: Command, timeout: number): number {
  const start = writeHeader(to, timeout)
  const { policy, info1, info2, info3 } = command
  const body = start + FRAME_HEADER_BYTES
  let fields = 1 + writeNames(to, key)
  const digestAt = fieldHeader(to, FIELD.DIGEST, DIGEST_BYTES)
  writeKeyDigest(to.buffer, digestAt, key)
  if (policy !== NO_POLICY) fields += writeExtras(to, key, policy)
  const steps = writeSteps(to, command)
  // Places are taken before `to.buffer` is read: taking may replace the buffer.
  const { buffer } = to
  buffer[body + 1] = info1
  buffer[body + 2] = info2
  buffer[body + 3] = info3
  if (policy !== NO_POLICY) {
    putUint32(buffer, body + 6, policy.generation ?? 0)
    putUint32(buffer, body + 10, command.ttl)
  }
  putUint16(buffer, body + 18, fields)
  putUint16(buffer, body + 20, steps)
  endFrame(to, start)
  return digestAt
}

export interface BatchRow {
  readonly key: Key
  readonly command: Command
}

/** Writes the frame of a batch row by row. The digests of rows are handed in: they are known from routing. */
export class BatchWriter {
  readonly #to: ByteWriter
  readonly #start: number
  readonly #fieldAt: number
  readonly #countAt: number
  #before: BatchRow | undefined
  count = 0

  constructor(to: ByteWriter, timeout: number) {
    this.#to = to
    this.#start = writeHeader(to, timeout)
    to.buffer[this.#start + FRAME_HEADER_BYTES + 1] = Info1.BATCH
    to.buffer.writeUInt16BE(1, this.#start + FRAME_HEADER_BYTES + 18)
    this.#fieldAt = to.take(FIELD_HEADER_BYTES)
    to.buffer[this.#fieldAt + 4] = FIELD.BATCH
    this.#countAt = to.take(5)
    to.buffer[this.#countAt + 4] = BATCH_FLAGS
  }

  /** Adds a row whose answer will carry `index`. Throws a ClientError, and leaves it out, where a value is wrong. */
  add(row: BatchRow, index: number, digests: Buffer, digestAt: number): void {
    const to = this.#to
    const { length } = to
    try {
      const indexAt = to.take(4)
      to.buffer.writeUInt32BE(index, indexAt)
      to.bytes(digests, digestAt, digestAt + DIGEST_BYTES)
      this.#write(row)
    } catch (error) {
      to.length = length
      throw error
    }
    this.#before = row
    this.count++
  }

  end(): void {
    const to = this.#to
    to.buffer.writeUInt32BE(this.count, this.#countAt)
    to.buffer.writeUInt32BE(to.length - this.#fieldAt - 4, this.#fieldAt)
    endFrame(to, this.#start)
  }

  #write({ key, command }: BatchRow): void {
    const to = this.#to
    const before = this.#before
    const { policy } = command
    const repeats =
      before?.command === command &&
      before.key.namespace === key.namespace &&
      before.key.set === key.set &&
      !policy.sendKey
    if (repeats) return to.byte(ROW.REPEAT)
    const write = writes(command)
    to.byte(ROW.INFO | ROW.TTL | (write ? ROW.GENERATION : 0))
    to.byte(command.info1)
    to.byte(command.info2)
    to.byte(command.info3)
    if (write) {
      const generationAt = to.take(2)
      to.buffer.writeUInt16BE(policy.generation ?? 0, generationAt)
    }
    const ttlAt = to.take(4)
    to.buffer.writeUInt32BE(command.ttl, ttlAt)
    const countsAt = to.take(4)
    const fields = writeNames(to, key) + writeExtras(to, key, policy)
    const steps = writeSteps(to, command)
    to.buffer.writeUInt16BE(fields, countsAt)
    to.buffer.writeUInt16BE(steps, countsAt + 2)
  }
}

/** Throws a ClientError when the key can be no record's. */
export function writeKeyDigest(target: Buffer, at: number, key: Key): void {
  checkKey(key.key)
  writeDigest(target, at, key.set ?? '', key.key)
}

function writeHeader(to: ByteWriter, timeout: number): number {
  const start = to.take(FRAME_HEADER_BYTES + MESSAGE_HEADER_BYTES)
  const { buffer } = to
  for (let i = 2; i < FRAME_HEADER_BYTES + MESSAGE_HEADER_BYTES; i++) buffer[start + i] = 0
  buffer[start] = PROTOCOL_VERSION
  buffer[start + 1] = FrameType.MESSAGE
  buffer[start + FRAME_HEADER_BYTES] = MESSAGE_HEADER_BYTES
  putUint32(buffer, start + FRAME_HEADER_BYTES + 14, timeout)
  return start
}

function endFrame(to: ByteWriter, start: number): void {
  putUint32(to.buffer, start + 4, to.length - start - FRAME_HEADER_BYTES)
}

function fieldHeader(to: ByteWriter, id: number, length: number): number {
  const at = to.take(FIELD_HEADER_BYTES + length)
  putUint32(to.buffer, at, length + 1)
  to.buffer[at + 4] = id
  return at + FIELD_HEADER_BYTES
}

/** A field of text; answers its bytes. */
function writeName(to: ByteWriter, id: number, text: string): number {
  const at = fieldHeader(to, id, 0)
  const length = writeText(to, text)
  putUint32(to.buffer, at - FIELD_HEADER_BYTES, length + 1)
  return length
}

/** Namespace and set; answers how many fields they are. */
function writeNames(to: ByteWriter, { namespace, set }: Key): number {
  const bytes = typeof namespace === 'string' ? writeName(to, FIELD.NAMESPACE, namespace) : 0
  if (bytes < 1 || bytes > MAX_NAMESPACE_BYTES)
    invalid(`a key's namespace is text of 1 to ${MAX_NAMESPACE_BYTES} bytes, not ${shown(namespace)}`)
  if (set === undefined || set === '') return 1
  if (typeof set !== 'string' || writeName(to, FIELD.SET, set) > MAX_SET_BYTES)
    invalid(`a key's set is text of at most ${MAX_SET_BYTES} bytes, not ${shown(set)}`)
  return 2
}

/** Filter and user key; answers how many fields they are. */
function writeExtras(to: ByteWriter, key: Key, { filter, sendKey }: CommandPolicy): number {
  let fields = 0
  if (filter) {
    const at = fieldHeader(to, FIELD.FILTER, filter.encoded.length)
    filter.encoded.copy(to.buffer, at)
    fields++
  }
  if (sendKey) {
    const at = fieldHeader(to, FIELD.KEY, 1)
    const type = writeParticle(to, key.key === 0 ? 0 : key.key)
    to.buffer[at] = type
    to.buffer.writeUInt32BE(to.length - at + 1, at - FIELD_HEADER_BYTES)
    fields++
  }
  return fields
}

/** Answers how many steps there are. */
function writeSteps(to: ByteWriter, { operations, bins, code }: Command): number {
  if (bins === undefined) {
    for (let i = 0; i < operations.length; i++) writeOperation(to, operations[i]!)
    return operations.length
  }
  const names = Object.keys(bins)
  if (names.length === 0) invalid('a write takes at least one bin, such as { stock: 5 }, not {}')
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!
    writeStep(to, code, checkBinName(name), bins[name])
  }
  return names.length
}
