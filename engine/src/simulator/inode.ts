/**
 * A file of a simulated disk, whatever its names: its bytes as the process sees them, and how to take back what was
 * not synced. A sync then costs nothing, however long the file is.
 */
interface Write {
  readonly position: number
  readonly bytes: Buffer
  /** What stood there, as far as the file reached. */
  readonly before: Buffer
  readonly lengthBefore: number
}

interface Truncation {
  readonly length: number
  /** What was cut off. */
  readonly before: Buffer
  readonly lengthBefore: number
}

const sectorBytes = 512

export class Inode {
  #bytes = Buffer.alloc(0)
  #length = 0
  /** Since the last sync, in order. */
  #pending: (Write | Truncation)[] = []

  get length(): number {
    return this.#length
  }

  get content(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Another file with the same bytes, all of them synced. */
  copy(): Inode {
    const copy = new Inode()
    copy.#bytes = Buffer.from(this.content)
    copy.#length = this.#length
    return copy
  }

  write(position: number, bytes: Buffer): void {
    const lengthBefore = this.#length
    const before = Buffer.from(this.content.subarray(position, position + bytes.length))
    this.#put(position, bytes)
    this.#pending.push({ position, bytes, before, lengthBefore })
  }

  truncate(length: number): void {
    const lengthBefore = this.#length
    const before = Buffer.from(this.content.subarray(length))
    this.#resize(length)
    this.#pending.push({ length, before, lengthBefore })
  }

  sync(): void {
    this.#pending = []
  }

  /** The power failed: of each truncation since the last sync all is left or nothing, of each write any sectors. */
  forget(random: () => number, onForget?: (what: 'lost' | 'torn') => void): void {
    const pending = this.#pending
    this.#pending = []
    for (const change of pending.toReversed()) this.#takeBack(change)
    for (const change of pending) {
      if ('position' in change) this.#keepSectors(change, random, onForget)
      else if (random() < 0.5) this.#resize(change.length)
    }
  }

  #takeBack(change: Write | Truncation): void {
    this.#resize(change.lengthBefore)
    change.before.copy(this.#bytes, 'position' in change ? change.position : change.length)
  }

  #keepSectors({ position, bytes }: Write, random: () => number, onForget?: (what: 'lost' | 'torn') => void) {
    const odds = random()
    let [kept, sectors] = [0, 0]
    for (let at = 0; at < bytes.length; sectors++) {
      const next = Math.min(bytes.length, at + sectorBytes - ((position + at) % sectorBytes))
      if (random() < odds) {
        this.#put(position + at, bytes.subarray(at, next))
        kept++
      }
      at = next
    }
    if (kept < sectors) onForget?.(kept === 0 ? 'lost' : 'torn')
  }

  #put(position: number, bytes: Buffer): void {
    if (position + bytes.length > this.#length) this.#resize(position + bytes.length)
    bytes.copy(this.#bytes, position)
  }

  /** What lies behind the end is zero, so that a file that grows again does not show what was cut off. */
  #resize(length: number): void {
    if (length > this.#bytes.length) {
      const grown = Buffer.alloc(2 * length)
      this.content.copy(grown)
      this.#bytes = grown
    } else if (length < this.#length) {
      this.#bytes.fill(0, length, this.#length)
    }
    this.#length = length
  }
}
