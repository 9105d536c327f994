/**
 * CRC-32 (IEEE 802.3, the one of zlib) over 32-bit words, eight table look-ups a step. `zlib.crc32` wants a view
 * object for every record: measured at 160 bytes it takes 340 ns against 190 ns here, and is ahead only from about
 * 500 bytes on. The words are little-endian, so the sum is the one zlib gives for the same bytes.
 */
const tables = new Int32Array(8 * 256)
for (let byte = 0; byte < 256; byte++) {
  let sum = byte
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1
  tables[byte] = sum
}
for (let index = 256; index < tables.length; index++) {
  const before = tables[index - 256]!
  tables[index] = tables[before & 255]! ^ (before >>> 8)
}

export const crcStart = -1

/** Goes on with the running sum over words `from` to `to` (exclusive). The finished sum is its complement. */
export function crcOfWords(words: Int32Array, from: number, to: number, running: number): number {
  let sum = running
  let at = from
  for (; at + 1 < to; at += 2) {
    const low = words[at]! ^ sum
    const high = words[at + 1]!
    sum =
      tables[1792 + (low & 255)]! ^
      tables[1536 + ((low >>> 8) & 255)]! ^
      tables[1280 + ((low >>> 16) & 255)]! ^
      tables[1024 + (low >>> 24)]! ^
      tables[768 + (high & 255)]! ^
      tables[512 + ((high >>> 8) & 255)]! ^
      tables[256 + ((high >>> 16) & 255)]! ^
      tables[high >>> 24]!
  }
  if (at < to) {
    const word = words[at]! ^ sum
    sum =
      tables[768 + (word & 255)]! ^
      tables[512 + ((word >>> 8) & 255)]! ^
      tables[256 + ((word >>> 16) & 255)]! ^
      tables[word >>> 24]!
  }
  return sum
}
