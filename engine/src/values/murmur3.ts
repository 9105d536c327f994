/**
 * MurmurHash3, the x64 variant of 128 bits with seed 0, by which HyperLogLogs place values. 64-bit numbers are pairs
 * of 32-bit halves, as BigInt would make a large value thirty times as slow. Source: the description of the algorithm
 * by Austin Appleby (public domain); vectors in the protocol notes, HLL 3.
 */

/** Two 64-bit numbers, each in halves; belongs to the next call, too. */
export interface Hash128 {
  h1High: number
  h1Low: number
  h2High: number
  h2Low: number
}

const hash: Hash128 = { h1High: 0, h1Low: 0, h2High: 0, h2Low: 0 }
const BLOCK = 16

/** The number that is being worked on. */
let high = 0
let low = 0

function multiply(byHigh: number, byLow: number): void {
  const [a0, a1, b0, b1] = [low & 0xffff, low >>> 16, byLow & 0xffff, byLow >>> 16]
  const low0 = a0 * b0
  const cross0 = a0 * b1
  const cross1 = a1 * b0
  const middle = (low0 >>> 16) + (cross0 & 0xffff) + (cross1 & 0xffff)
  const carry = a1 * b1 + (cross0 >>> 16) + (cross1 >>> 16) + (middle >>> 16)
  high = (carry + Math.imul(high, byLow) + Math.imul(low, byHigh)) | 0
  low = ((middle & 0xffff) << 16) | (low0 & 0xffff)
}

function rotateLeft(bits: number): void {
  if (bits >= 32) [high, low] = [low, high]
  const by = bits & 31
  if (by === 0) return
  const upper = (high << by) | (low >>> (32 - by))
  low = (low << by) | (high >>> (32 - by))
  high = upper
}

function add(byHigh: number, byLow: number): void {
  const sum = (low >>> 0) + (byLow >>> 0)
  high = (high + byHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0
  low = sum | 0
}

function xor(withHigh: number, withLow: number): void {
  high ^= withHigh
  low ^= withLow
}

function mixFirst(): void {
  multiply(0x87c37b91, 0x114253d5)
  rotateLeft(31)
  multiply(0x4cf5ad43, 0x2745937f)
  xor(hash.h1High, hash.h1Low)
}

function mixSecond(): void {
  multiply(0x4cf5ad43, 0x2745937f)
  rotateLeft(33)
  multiply(0x87c37b91, 0x114253d5)
  xor(hash.h2High, hash.h2Low)
}

function keepFirst(): void {
  hash.h1High = high
  hash.h1Low = low
}

function keepSecond(): void {
  hash.h2High = high
  hash.h2Low = low
}

function block(bytes: Buffer, at: number): void {
  low = bytes.readInt32LE(at)
  high = bytes.readInt32LE(at + 4)
  mixFirst()
  rotateLeft(27)
  add(hash.h2High, hash.h2Low)
  multiply(0, 5)
  add(0, 0x52dce729)
  keepFirst()
  low = bytes.readInt32LE(at + 8)
  high = bytes.readInt32LE(at + 12)
  mixSecond()
  rotateLeft(31)
  add(hash.h1High, hash.h1Low)
  multiply(0, 5)
  add(0, 0x38495ab5)
  keepSecond()
}

function finish(): void {
  xor(0, high >>> 1)
  multiply(0xff51afd7, 0xed558ccd)
  xor(0, high >>> 1)
  multiply(0xc4ceb9fe, 0x1a85ec53)
  xor(0, high >>> 1)
}

const last = Buffer.alloc(BLOCK)

function tail(bytes: Buffer, at: number, end: number): void {
  if (at === end) return
  last.fill(0)
  bytes.copy(last, 0, at, end)
  if (end - at > 8) {
    low = last.readInt32LE(8)
    high = last.readInt32LE(12)
    mixSecond()
    keepSecond()
  }
  low = last.readInt32LE(0)
  high = last.readInt32LE(4)
  mixFirst()
  keepFirst()
}

export function murmur3(bytes: Buffer, start: number, end: number): Hash128 {
  hash.h1High = hash.h1Low = hash.h2High = hash.h2Low = 0
  let at = start
  for (; at + BLOCK <= end; at += BLOCK) block(bytes, at)
  tail(bytes, at, end)
  hash.h1Low ^= end - start
  hash.h2Low ^= end - start
  mixHalves()
  high = hash.h1High
  low = hash.h1Low
  finish()
  keepFirst()
  high = hash.h2High
  low = hash.h2Low
  finish()
  keepSecond()
  mixHalves()
  return hash
}

/** Adds the second half to the first, then the first to the second. */
function mixHalves(): void {
  high = hash.h1High
  low = hash.h1Low
  add(hash.h2High, hash.h2Low)
  keepFirst()
  add(hash.h2High, hash.h2Low)
  keepSecond()
}
