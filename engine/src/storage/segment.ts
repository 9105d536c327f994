/** Records start at multiples of 8 bytes, so that a place (segment, offset) fits one signed 32-bit word. */
export const alignment = 8
const offsetBits = 20
const offsetMask = (1 << offsetBits) - 1
/** The largest segment a place can address. */
export const segmentBytes = alignment << offsetBits
/** Segments a namespace can hold: 32 GiB in all. */
export const largestSegmentCount = 1 << (31 - offsetBits + 1)

export function placeOf(segment: number, offset: number): number {
  return (segment << offsetBits) | (offset >>> 3)
}

export function segmentOf(place: number): number {
  return place >>> offsetBits
}

export function offsetOf(place: number): number {
  return (place & offsetMask) << 3
}

export function aligned(length: number): number {
  return (length + (alignment - 1)) & -alignment
}

/** Bytes that are only appended to, in memory and, where there are files, the same bytes in one file. */
export class Segment {
  /** Its number in places. Given to another segment once this one is gone. */
  readonly id: number
  /** Its number in the log: grows, never used twice. */
  readonly number: number
  readonly buffer: Buffer
  /** The same bytes as little-endian words. */
  readonly words: Int32Array
  used = 0
  /** Bytes of newest versions. */
  live = 0
  /** Bytes that its file has, synced. */
  durable = 0
  /** Holds damage that nobody can name, so that it is to be copied together first. */
  spoiled = false
  /** The log says that its file goes, so it is no longer missed when it is gone. */
  retired = false

  constructor(id: number, number: number, buffer: Buffer) {
    this.id = id
    this.number = number
    this.buffer = buffer
    this.words = new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length >>> 2)
  }
}

/**
 * The segments of one namespace by id, and a pool of freed buffers, so that memory that was once paid for is used
 * again instead of going through the garbage collector.
 */
export class SegmentTable {
  readonly capacity: number
  readonly byId: (Segment | undefined)[] = []
  readonly #pool: Buffer[] = []
  readonly #freeIds: number[] = []
  readonly #pooled: number
  #count = 0
  #usedBytes = 0
  #liveBytes = 0

  constructor(capacity: number, pooled = 2) {
    this.capacity = capacity
    this.#pooled = pooled
  }

  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return (this.#count + this.#pool.length) * this.capacity
  }

  /** Bytes of newest versions in all segments. */
  get liveBytes(): number {
    return this.#liveBytes
  }

  /** Bytes of closed segments and of what has been appended to the open one. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** The bytes are those of an earlier segment until they are written. */
  add(number: number): Segment {
    const id = this.#freeIds.pop() ?? this.byId.length
    const segment = new Segment(id, number, this.#pool.pop() ?? Buffer.from(new ArrayBuffer(this.capacity)))
    this.byId[id] = segment
    this.#count++
    return segment
  }

  get(place: number): Segment {
    return this.byId[place >>> offsetBits]!
  }

  grew(segment: Segment, bytes: number): void {
    segment.used += bytes
    this.#usedBytes += bytes
  }

  enliven(segment: Segment, bytes: number): void {
    segment.live += bytes
    this.#liveBytes += bytes
  }

  /** Frees the segment's memory. No place may point there any more. */
  remove(segment: Segment): void {
    this.byId[segment.id] = undefined
    this.#freeIds.push(segment.id)
    this.#count--
    this.#usedBytes -= segment.used
    this.#liveBytes -= segment.live
    if (this.#pool.length < this.#pooled) this.#pool.push(segment.buffer)
  }

  *all(): Generator<Segment> {
    for (const segment of this.byId) if (segment) yield segment
  }
}
