import { HEADER_BYTES } from './frame-header.ts'

/** A buffer up to this size stays with its connection for the next frame that is cut. */
const KEEP_BYTES = 4096

/**
 * One frame that arrives in pieces. Its buffer doubles as bytes come, and never beyond the frame's own size, so a
 * frame of n bytes costs O(n) copying however it was cut, and announcing a large frame costs nothing.
 */
export class PartialFrame {
  /** Bytes 0 to `length` are here. */
  buffer: Buffer = Buffer.alloc(0)
  length = 0
  /** When the first byte came, in ms. */
  arrived = 0
  /** Bytes of the whole frame; those of its header until that is here. */
  #need = HEADER_BYTES
  #sized = false

  get active(): boolean {
    return this.length > 0
  }

  /** True when the header is here and `expect` has to be called. */
  get wantsSize(): boolean {
    return !this.#sized && this.length === HEADER_BYTES
  }

  get complete(): boolean {
    return this.#sized && this.length === this.#need
  }

  /** Copies from `source` what belongs to the frame's header, or to its body once the size is known. */
  take(source: Buffer, start: number, end: number): number {
    const count = Math.min(end - start, this.#need - this.length)
    this.#reserve(this.length + count)
    source.copy(this.buffer, this.length, start, start + count)
    this.length += count
    return start + count
  }

  expect(bodyBytes: number): void {
    this.#need = HEADER_BYTES + bodyBytes
    this.#sized = true
  }

  reset(): void {
    this.length = 0
    this.#need = HEADER_BYTES
    this.#sized = false
    if (this.buffer.length > KEEP_BYTES) this.buffer = Buffer.alloc(0)
  }

  #reserve(length: number): void {
    if (this.buffer.length >= length) return
    const target = Math.max(length, Math.min(this.#need, this.buffer.length * 2), 64)
    const grown = Buffer.allocUnsafeSlow(target)
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }
}
