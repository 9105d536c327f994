/**
 * Steps of a request, written straight into it: what a put sends is encoded once, with no buffer of its own.
 * Source: protocol notes, records 3 and 4.
 */
import { putUint32 } from '../values/byte-copy.ts'
import type { ByteWriter } from '../values/byte-writer.ts'
import { ParticleType } from '../values/particle.ts'
import { invalid, shown } from './client-error.ts'
import { Double, GeoJson, Hll, isList, Marker, type Value, writeValue } from './value-codec.ts'

/** One step on a record: what builders answer and `operate` takes. */
export interface Operation {
  readonly op: number
  readonly bin: string
  /** Set where the value stands in the bytes of a bin already, such as a call on a list. */
  readonly type: number
  readonly payload: Buffer | undefined
  /** The value otherwise, encoded when the request is written. */
  readonly value: Value
}

const HEAD_BYTES = 8
const MAX_NAME_BYTES = 15
const ASCII = 0x80
/** Text up to this is written character by character; longer text is worth a native call. */
const SHORT_TEXT = 24
const TWO_TO_32 = 0x1_0000_0000

/** A step that needs no value. */
export const namedStep = (op: number, bin: string): Operation => ({
  op,
  bin,
  type: ParticleType.NULL,
  payload: undefined,
  value: undefined,
})

/** A step with a value. */
export const step = (op: number, bin: string, value: Value): Operation => ({
  op,
  bin,
  type: ParticleType.NULL,
  payload: undefined,
  value,
})

/** A step whose bytes are known: a call on a list or map, an expression. */
export const encodedStep = (op: number, bin: string, payload: Buffer): Operation => ({
  op,
  bin,
  type: ParticleType.BLOB,
  payload,
  value: undefined,
})

/** The name, where a bin may have it; else throws a ClientError. */
export function checkBinName(bin: string): string {
  if (typeof bin !== 'string') invalid(`a bin's name is text, not ${shown(bin)}`)
  if (bin.length > MAX_NAME_BYTES || !isPlain(bin)) {
    const bytes = Buffer.byteLength(bin)
    if (bytes > MAX_NAME_BYTES)
      invalid(`a bin's name has at most ${MAX_NAME_BYTES} bytes; ${shown(bin)} has ${bytes}`)
    if (bin.includes('\0')) invalid(`a bin's name holds no NUL character; ${JSON.stringify(bin)} does`)
  }
  return bin
}

function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0 || code >= ASCII) return false
  }
  return true
}

export function writeOperation(to: ByteWriter, { op, bin, type, payload, value }: Operation): void {
  if (payload === undefined) return writeStep(to, op, bin, value)
  const start = to.take(HEAD_BYTES)
  const name = writeText(to, bin)
  to.bytes(payload, 0, payload.length)
  writeHead(to, start, op, type, name)
}

/** A step with a value, or with none where it is undefined. */
export function writeStep(to: ByteWriter, op: number, bin: string, value: Value): void {
  const start = to.take(HEAD_BYTES)
  const name = writeText(to, bin)
  writeHead(to, start, op, writeParticle(to, value), name)
}

function writeHead(to: ByteWriter, start: number, op: number, particle: number, name: number): void {
  const { buffer } = to
  putUint32(buffer, start, to.length - start - 4)
  buffer[start + 4] = op
  buffer[start + 5] = particle
  buffer[start + 6] = 0
  buffer[start + 7] = name
}

/** UTF-8 bytes of the text; answers how many. */
export function writeText(to: ByteWriter, text: string): number {
  const { length } = text
  const at = to.take(length)
  if (length <= SHORT_TEXT) {
    const { buffer } = to
    let i = 0
    for (; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code >= ASCII) break
      buffer[at + i] = code
    }
    if (i === length) return length
  }
  // UTF-8 takes at most three bytes for each unit of UTF-16.
  to.take(length * 2)
  const written = to.buffer.write(text, at, 'utf8')
  to.length = at + written
  return written
}

/** The payload of a bin's value; answers its particle type. */
export function writeParticle(to: ByteWriter, value: Value): number {
  switch (typeof value) {
    case 'string':
      writeText(to, value)
      return ParticleType.STRING
    case 'number':
      return writeNumber(to, value)
    case 'bigint':
      return writeBigInt(to, value)
    case 'boolean':
      to.byte(value ? 1 : 0)
      return ParticleType.BOOL
    case 'undefined':
      return ParticleType.NULL
    default:
      return writeObject(to, value)
  }
}

function writeObject(
  to: ByteWriter,
  value: Exclude<Value, string | number | bigint | boolean | undefined>,
): number {
  if (value === null) return ParticleType.NULL
  if (Buffer.isBuffer(value)) {
    to.bytes(value, 0, value.length)
    return ParticleType.BLOB
  }
  if (value instanceof Double) return writeDouble(to, value.value)
  if (value instanceof GeoJson) {
    const at = to.take(3)
    to.buffer.fill(0, at, at + 3)
    writeText(to, value.text)
    return ParticleType.GEOJSON
  }
  if (value instanceof Hll) {
    to.bytes(value.bytes, 0, value.bytes.length)
    return ParticleType.HLL
  }
  if (value instanceof Marker) invalid('infinity and wildcard stand in arguments of steps, not in bins')
  writeValue(to, value)
  return isList(value) ? ParticleType.LIST : ParticleType.MAP
}

function writeNumber(to: ByteWriter, value: number): number {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return writeDouble(to, value)
  const at = to.take(8)
  const { buffer } = to
  putUint32(buffer, at, Math.floor(value / TWO_TO_32))
  putUint32(buffer, at + 4, value)
  return ParticleType.INTEGER
}

function writeBigInt(to: ByteWriter, value: bigint): number {
  if (BigInt.asIntN(64, value) !== value)
    invalid(`a bin holds whole numbers of 64 bits, signed; ${value} does not fit`)
  const at = to.take(8)
  to.buffer.writeBigInt64BE(value, at)
  return ParticleType.INTEGER
}

function writeDouble(to: ByteWriter, value: number): number {
  const at = to.take(8)
  to.buffer.writeDoubleBE(value, at)
  return ParticleType.DOUBLE
}
