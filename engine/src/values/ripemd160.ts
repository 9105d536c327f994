/**
 * RIPEMD-160 in JavaScript, because a call into node:crypto costs about 2 µs and the inputs here are a few bytes
 * long: two lines of five rounds over blocks of 64 bytes, 16 little-endian words each. Nothing is allocated; the
 * caller fills `input` and says how much. Source: Dobbertin, Bosselaers, Preneel, RIPEMD-160 (1996).
 */
const BLOCK_BYTES = 64
/** Inputs up to this fit `input`; the padding needs nine bytes more. */
export const MAX_INPUT_BYTES = 4096 - 9

export const input = Buffer.alloc(4096)
const words = new Int32Array(input.buffer, input.byteOffset, input.length >> 2)

const leftWords = Uint8Array.from([
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8,
  3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12, 1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2,
  4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13,
])
const rightWords = Uint8Array.from([
  5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12, 6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2,
  15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13, 8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14,
  12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11,
])
const leftShifts = Uint8Array.from([
  11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8, 7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13,
  12, 11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5, 11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6,
  5, 12, 9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6,
])
const rightShifts = Uint8Array.from([
  8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6, 9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13,
  11, 9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5, 15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5,
  15, 8, 8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11,
])
const leftConstants = Int32Array.of(0, 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc | 0, 0xa953fd4e | 0)
const rightConstants = Int32Array.of(0x50a28be6, 0x5c4dd124, 0x6d703ef3, 0x7a6d76e9, 0)

const state = new Int32Array(5)

/** Writes the digest of the first `length` bytes of `input` to `target` at `at`. */
export function ripemd160(length: number, target: Buffer, at: number): void {
  state[0] = 0x67452301
  state[1] = 0xefcdab89 | 0
  state[2] = 0x98badcfe | 0
  state[3] = 0x10325476
  state[4] = 0xc3d2e1f0 | 0
  const padded = (length + 9 + BLOCK_BYTES - 1) & -BLOCK_BYTES
  input.fill(0, length, padded)
  input[length] = 0x80
  words[(padded >> 2) - 2] = length << 3
  for (let word = 0; word < padded >> 2; word += BLOCK_BYTES >> 2) block(word)
  for (let i = 0; i < 5; i++) target.writeInt32LE(state[i]!, at + i * 4)
}

function block(word: number): void {
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  let e = state[4]!
  for (let i = 0; i < 80; i++) {
    const round = i >> 4
    const mixed = (a + mix(round, b, c, d) + words[word + leftWords[i]!]! + leftConstants[round]!) | 0
    const shift = leftShifts[i]!
    const next = (((mixed << shift) | (mixed >>> (32 - shift))) + e) | 0
    a = e
    e = d
    d = (c << 10) | (c >>> 22)
    c = b
    b = next
  }
  let f = state[0]!
  let g = state[1]!
  let h = state[2]!
  let j = state[3]!
  let k = state[4]!
  for (let i = 0; i < 80; i++) {
    const round = i >> 4
    const mixed = (f + mix(4 - round, g, h, j) + words[word + rightWords[i]!]! + rightConstants[round]!) | 0
    const shift = rightShifts[i]!
    const next = (((mixed << shift) | (mixed >>> (32 - shift))) + k) | 0
    f = k
    k = j
    j = (h << 10) | (h >>> 22)
    h = g
    g = next
  }
  const first = (state[1]! + c + j) | 0
  state[1] = (state[2]! + d + k) | 0
  state[2] = (state[3]! + e + f) | 0
  state[3] = (state[4]! + a + g) | 0
  state[4] = (state[0]! + b + h) | 0
  state[0] = first
}

function mix(round: number, x: number, y: number, z: number): number {
  switch (round) {
    case 0:
      return x ^ y ^ z
    case 1:
      return (x & y) | (~x & z)
    case 2:
      return (x | ~y) ^ z
    case 3:
      return (x & z) | (y & ~z)
    default:
      return x ^ (y | ~z)
  }
}
