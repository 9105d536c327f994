import { DIGEST_BYTES, digestOf } from '../values/digest.ts'

const HEADER_BYTES = 8
const MESSAGE_BYTES = 22
const READ_ALL = 0x03
const WRITE = 0x01

interface FrameTemplate {
  readonly bytes: Buffer
  readonly digestAt: number
}

export interface BenchFrames {
  readonly read: FrameTemplate
  readonly write: FrameTemplate
  readonly digests: Buffer
}

/** Request frames that differ in their digests alone, and the digests of all keys. */
export function benchFrames(namespace: string, set: string, keys: number, size: number): BenchFrames {
  const digests = Buffer.allocUnsafe(keys * DIGEST_BYTES)
  for (let key = 0; key < keys; key++) digestOf(set, key).copy(digests, key * DIGEST_BYTES)
  return {
    read: template(namespace, set, undefined),
    write: template(namespace, set, Buffer.alloc(size, 'x')),
    digests,
  }
}

export function copyDigest({ digests }: BenchFrames, key: number, target: Buffer, at: number): void {
  digests.copy(target, at, key * DIGEST_BYTES, (key + 1) * DIGEST_BYTES)
}

function template(namespace: string, set: string, value: Buffer | undefined): FrameTemplate {
  const message = Buffer.alloc(MESSAGE_BYTES)
  message[0] = MESSAGE_BYTES
  if (value) message[2] = WRITE
  else message[1] = READ_ALL
  message.writeUInt16BE(3, 18)
  message.writeUInt16BE(value ? 1 : 0, 20)
  const before = Buffer.concat([Buffer.alloc(HEADER_BYTES), message, field(0, namespace), field(1, set)])
  const parts = [before, field(4, Buffer.alloc(DIGEST_BYTES))]
  if (value) {
    const op = Buffer.alloc(9)
    op.writeUInt32BE(5 + value.length, 0)
    op[4] = 2
    op[5] = 4
    op[7] = 1
    op.write('v', 8)
    parts.push(op, value)
  }
  const bytes = Buffer.concat(parts)
  bytes[0] = 2
  bytes[1] = 3
  bytes.writeUIntBE(bytes.length - HEADER_BYTES, 2, 6)
  return { bytes, digestAt: before.length + 5 }
}

function field(type: number, data: string | Buffer): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  const head = Buffer.alloc(5)
  head.writeUInt32BE(bytes.length + 1, 0)
  head[4] = type
  return Buffer.concat([head, bytes])
}
