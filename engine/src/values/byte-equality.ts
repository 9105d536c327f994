import type { Slice } from './particle.ts'

/** True when both stretches hold the same bytes. For names and keys: up to some ten bytes a loop beats a native call. */
export function sameBytes(one: Buffer, oneStart: number, oneEnd: number, other: Slice): boolean {
  const length = oneEnd - oneStart
  if (length !== other.end - other.start) return false
  const { buffer, start } = other
  for (let i = 0; i < length; i++) if (one[oneStart + i] !== buffer[start + i]) return false
  return true
}
