/**
 * Names of bins come again and again, so their strings are kept: a table of fixed size, found by a hash of the
 * bytes, where a newer name takes the place of an older one. A name that is not plain ASCII is decoded each time.
 */
const SLOTS = 1024
const MAX_CACHED_BYTES = 15
const ASCII = 0x80

const names = new Array<string>(SLOTS).fill('')

export function binName(buffer: Buffer, start: number, end: number): string {
  const length = end - start
  if (length === 0 || length > MAX_CACHED_BYTES) return buffer.toString('utf8', start, end)
  let hash = length
  let bits = 0
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!
    hash = (Math.imul(hash, 31) + byte) | 0
    bits |= byte
  }
  if (bits >= ASCII) return buffer.toString('utf8', start, end)
  const slot = (hash ^ (hash >>> 10)) & (SLOTS - 1)
  const known = names[slot]!
  if (known.length === length && isName(known, buffer, start)) return known
  return (names[slot] = buffer.toString('latin1', start, end))
}

function isName(name: string, buffer: Buffer, start: number): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) !== buffer[start + i]) return false
  return true
}
