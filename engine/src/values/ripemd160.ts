/**
 * RIPEMD-160 in JavaScript, because a call into node:crypto costs about 2 µs and the inputs here are a few bytes
 * long. Nothing is allocated; the caller fills `input` and says how much. Source: Dobbertin, Bosselaers, Preneel,
 * RIPEMD-160 (1996).
 */
import { compress } from './ripemd160-compress.ts'

const BLOCK_BYTES = 64
const BLOCK_WORDS = BLOCK_BYTES >> 2
/** Inputs up to this fit `input`; the padding needs nine bytes more. */
export const MAX_INPUT_BYTES = 4096 - 9

export const input = Buffer.alloc(4096)
/** Little-endian, as the algorithm counts and as the machines do that run Node. */
const words = new Int32Array(input.buffer, input.byteOffset, input.length >> 2)
const STATE_WORDS = 5
const state = new Int32Array(STATE_WORDS)

/** Writes the digest of the first `length` bytes of `input` to `target` at `at`. */
export function ripemd160(length: number, target: Buffer, at: number): void {
  state[0] = 0x67452301
  state[1] = 0xefcdab89
  state[2] = 0x98badcfe
  state[3] = 0x10325476
  state[4] = 0xc3d2e1f0
  const padded = (length + 9 + BLOCK_BYTES - 1) & -BLOCK_BYTES
  input[length] = 0x80
  let end = length + 1
  while ((end & 3) !== 0) input[end++] = 0
  const wordCount = padded >> 2
  for (let word = end >> 2; word < wordCount; word++) words[word] = 0
  words[wordCount - 2] = length << 3
  for (let word = 0; word < wordCount; word += BLOCK_WORDS) compress(state, words, word)
  for (let i = 0, to = at; i < STATE_WORDS; i++, to += 4) {
    const word = state[i]!
    target[to] = word
    target[to + 1] = word >>> 8
    target[to + 2] = word >>> 16
    target[to + 3] = word >>> 24
  }
}
