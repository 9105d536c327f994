import { uint32At } from '../values/byte-copy.ts'
import { MAX_BODY_BYTES } from './limits.ts'

export const HEADER_BYTES = 8

const VERSION = 2

/** The type byte of a frame, the second of its header. */
export const FrameType = { INFO: 1, ADMIN: 2, MESSAGE: 3, COMPRESSED: 4, INTERNAL: 5 } as const

/**
 * The size of the body that the header at `at` announces, or -1 where no frame can begin so: another version, a
 * type that does not exist, or a body beyond the limit. Source: protocol notes, framing 1, 2 and 7.
 */
export function announcedBytes(buffer: Buffer, at: number): number {
  if (buffer[at] !== VERSION) return -1
  const type = buffer[at + 1]!
  if (type < FrameType.INFO || type > FrameType.INTERNAL) return -1
  const size = ((buffer[at + 2]! << 8) | buffer[at + 3]!) * 0x1_0000_0000 + uint32At(buffer, at + 4)
  return size <= MAX_BODY_BYTES ? size : -1
}
