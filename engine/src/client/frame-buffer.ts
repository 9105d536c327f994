type LengthOf = (buffer: Buffer, start: number, end: number) => number
type Take = (buffer: Buffer, start: number, end: number) => void

/**
 * Cuts what a socket brings into whole frames. Chunks of a frame that is not whole are kept as they came and put
 * together once, when its last byte is there, so the cost grows with the bytes, however many chunks they come in.
 */
export class FrameBuffer {
  #chunks: Buffer[] = []
  #bytes = 0
  /** What the frame that has begun needs; 0 while that is not known. */
  #needed = 0

  /** Hands over every frame that is whole now. `lengthOf` answers 0 while a frame's header is not whole. */
  add(chunk: Buffer, lengthOf: LengthOf, take: Take): void {
    let buffer = chunk
    if (this.#bytes > 0) {
      this.#chunks.push(chunk)
      this.#bytes += chunk.length
      if (this.#bytes < this.#needed) return
      buffer = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#bytes)
    }
    let at = 0
    this.#needed = 0
    while (at < buffer.length) {
      const length = lengthOf(buffer, at, buffer.length)
      if (length === 0 || length > buffer.length - at) {
        this.#needed = length
        break
      }
      take(buffer, at, at + length)
      at += length
    }
    this.#chunks = at < buffer.length ? [buffer.subarray(at)] : []
    this.#bytes = buffer.length - at
  }
}
