/** Whole numbers as bytes: two bytes each, or as many as they need, seven bits in each, the lowest first. */

export class Shorts {
  readonly bytes: Buffer
  #at = 0

  /** Room for so many. */
  constructor(count: number) {
    this.bytes = Buffer.alloc(2 * count)
  }

  add(value: number): void {
    this.#at = this.bytes.writeUInt16LE(value, this.#at)
  }
}

export function shortAt(bytes: Buffer, index: number): number {
  return bytes[2 * index]! | (bytes[2 * index + 1]! << 8)
}

const more = 0x80
/** Bytes of the largest safe integer. */
const longest = 8

export class Numbers {
  #bytes = Buffer.allocUnsafe(16 * 1024)
  #at = 0

  /** From 0 to the largest safe integer. */
  add(value: number): void {
    if (this.#at + longest > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * this.#bytes.length)
      this.#bytes.copy(larger)
      this.#bytes = larger
    }
    let rest = value
    for (; rest >= more; rest = Math.floor(rest / more)) this.#bytes[this.#at++] = (rest % more) + more
    this.#bytes[this.#at++] = rest
  }

  take(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at))
  }
}

/** Reads one number and moves behind it. */
export function readNumber(bytes: Buffer, from: { at: number }): number {
  let value = 0
  for (let scale = 1; ; scale *= more) {
    const byte = bytes[from.at++]
    if (byte === undefined) throw new RangeError('a report ends too early')
    value += (byte % more) * scale
    if (byte < more) return value
  }
}

/** Where the next number begins after so many. */
export function countNumbers(bytes: Buffer, start: number, count: number): number {
  let at = start
  for (let left = count; left > 0; at++) {
    if (at >= bytes.length) throw new RangeError('a report ends too early')
    if (bytes[at]! < more) left--
  }
  return at
}
