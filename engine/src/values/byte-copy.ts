/** Up to this a loop beats a call into native code, which costs some 45 ns whatever it copies. */
const SHORT_BYTES = 32

/** Copies bytes `start` to `end` to `target` at `at`, which must not overlap them. For names, keys and small values. */
export function copyBytes(source: Buffer, start: number, end: number, target: Buffer, at: number): void {
  if (end - start > SHORT_BYTES) source.copy(target, at, start, end)
  else for (let i = start, to = at; i < end; i++, to++) target[to] = source[i]!
}

/** Big-endian, without the checks that the caller has no use for. */
export function putUint32(target: Buffer, at: number, value: number): void {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
}

export function putUint16(target: Buffer, at: number, value: number): void {
  target[at] = value >>> 8
  target[at + 1] = value
}

/** Four bytes, big-endian, that the caller knows to be there. */
export function uint32At(source: Buffer, at: number): number {
  return source[at]! * 0x100_0000 + ((source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!)
}
