/** Numbers, texts and bytes one behind the other, as frames between nodes hold them; big-endian. */

const smallest = 64 * 1024
/** A buffer that grew beyond this is not used again. */
const largestSpare = 256 * 1024

/** As many frames as are written at once, one a peer: more are left to the collector. */
const mostSpares = 16
/** Most frames are a few acknowledgements or records: they are written here and copied out. */
const spares: Buffer[] = []

export class FrameWriter {
  #buffer: Buffer
  #at = 0

  constructor() {
    this.#buffer = spares.pop() ?? Buffer.allocUnsafeSlow(smallest)
  }

  get length(): number {
    return this.#at
  }

  /** What was written; the writer must not be used any more. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#at))
    if (this.#buffer.length <= largestSpare && spares.length < mostSpares) spares.push(this.#buffer)
    return bytes
  }

  u8(value: number): void {
    this.#at = this.#room(1).writeUInt8(value, this.#at)
  }

  u16(value: number): void {
    this.#at = this.#room(2).writeUInt16BE(value, this.#at)
  }

  u32(value: number): void {
    this.#at = this.#room(4).writeUInt32BE(value, this.#at)
  }

  /** A whole number below 2^48: sequences, positions, milliseconds. */
  u48(value: number): void {
    this.#at = this.#room(6).writeUIntBE(value, this.#at, 6)
  }

  /** Any whole number: regimes. */
  number(value: number): void {
    this.#at = this.#room(8).writeDoubleBE(value, this.#at)
  }

  /** Of up to 255 characters below 256. */
  text(value: string): void {
    this.u8(value.length)
    this.#at += this.#room(value.length).write(value, this.#at, 'latin1')
  }

  /** With their length. */
  bytes(value: Buffer): void {
    this.u32(value.length)
    this.raw(value)
  }

  raw(value: Buffer): void {
    this.#at += value.copy(this.#room(value.length), this.#at)
  }

  /** Puts a number where room was left for it. */
  setU32(at: number, value: number): void {
    this.#buffer.writeUInt32BE(value, at)
  }

  #room(bytes: number): Buffer {
    if (this.#at + bytes <= this.#buffer.length) return this.#buffer
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#buffer.length, this.#at + bytes))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
    return larger
  }
}

/** Reads what a FrameWriter wrote; throws a RangeError behind the end. Bytes are views of the buffer. */
export class FrameBytes {
  readonly #buffer: Buffer
  #at = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  get isOver(): boolean {
    return this.#at >= this.#buffer.length
  }

  u8(): number {
    return this.#buffer.readUInt8(this.#step(1))
  }

  u16(): number {
    return this.#buffer.readUInt16BE(this.#step(2))
  }

  u32(): number {
    return this.#buffer.readUInt32BE(this.#step(4))
  }

  u48(): number {
    return this.#buffer.readUIntBE(this.#step(6), 6)
  }

  number(): number {
    return this.#buffer.readDoubleBE(this.#step(8))
  }

  text(): string {
    const length = this.u8()
    const at = this.#step(length)
    return this.#buffer.toString('latin1', at, at + length)
  }

  bytes(): Buffer {
    return this.raw(this.u32())
  }

  raw(length: number): Buffer {
    const at = this.#step(length)
    return this.#buffer.subarray(at, at + length)
  }

  #step(bytes: number): number {
    const at = this.#at
    if (at + bytes > this.#buffer.length) throw new RangeError('a frame from a peer ends too early')
    this.#at = at + bytes
    return at
  }
}
