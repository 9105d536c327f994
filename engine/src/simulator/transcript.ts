/** Who said what and what each believed, line by line; a checksum tells runs apart when old lines are gone. */
import { crc32 } from 'node:zlib'

/** Lines that are kept by default; a failing run is read from its end. */
const keptLines = 2000

export class Transcript {
  readonly #kept: number
  readonly #lines: string[] = []
  #count = 0
  #checksum = 0

  constructor(kept = keptLines) {
    this.#kept = kept
  }

  add(line: string): void {
    this.#count++
    this.#checksum = crc32(line, this.#checksum)
    this.#lines.push(line)
    if (this.#lines.length >= 2 * this.#kept) this.#lines.splice(0, this.#kept)
  }

  get checksum(): number {
    return this.#checksum
  }

  text(): string {
    const lines = this.#lines.slice(-this.#kept)
    const left = this.#count - lines.length
    return (left > 0 ? [`(${left} earlier lines)`, ...lines] : lines).join('\n')
  }
}
