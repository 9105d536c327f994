const FIRST_BYTES = 64 * 1024

/**
 * Where answers are collected, one after the other, until they leave in one write. It grows by doubling and is used
 * again and again. The bytes 0 to `length` of `buffer` are the answers; growing replaces `buffer`.
 */
export class ResponseBuffer {
  buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  length = 0

  /** Makes room for `bytes` more, advances `length` past them, and answers where they begin. */
  reserve(bytes: number): number {
    const at = this.length
    const length = at + bytes
    if (length > this.buffer.length) this.#grow(length)
    this.length = length
    return at
  }

  append(bytes: Buffer): void {
    const at = this.reserve(bytes.length)
    bytes.copy(this.buffer, at)
  }

  /** Forgets the answers, keeps the memory. */
  reset(): void {
    this.length = 0
  }

  #grow(length: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(length, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }
}
