/**
 * The index: for every partition a table of slots in the order of the digest, found by ordered open addressing.
 *
 * A slot is two words: 24 bits of the digest behind the partition bits with the count of stale versions, and the
 * place of the newest version. All else (whole digest, times, generation, regime and sequence, set) stands in the
 * head of the record at that place and is not kept twice: a look-up ends there in any case, since the digest has to
 * be compared, and a slot of 8 bytes instead of 52 is what keeps a record of 100 bytes near its goal of 230.
 *
 * Ordered: the 24 bits, scaled to the number of homes, give the slot where the search starts; entries that find
 * their home taken move on to the right, and those to the right of them move too, so that the whole table stays
 * sorted. A search ends at the first greater entry; present or absent, it takes the same few steps. Behind the
 * last home lies a tail for the entries that were pushed past it, so nothing wraps around and a scan is one pass.
 *
 * Growth is per partition (1/4096 of the records): above 7/8 full the partition gets an extent with room for 1.3
 * times the entries. Source: Amble and Knuth, Ordered hash tables (1974).
 */
import { IndexSlabs, wordsPerSlot } from './index-slabs.ts'

/** Compares the whole digest of the record at `place` with the one at `digest[at]`: below 0, 0 or above 0. */
export type CompareDigest = (place: number, digest: Buffer, at: number) => number

const smallestHomes = 8
const tailSlots = 8
/** The count of stale versions stays here once it got here: too many to count, so never zero. */
const manyStale = 255

export class RecordIndex {
  readonly partitions: number
  /** Entries of each partition, tombstones included. */
  readonly counts: Int32Array
  readonly #homes: Int32Array
  readonly #slabs: IndexSlabs
  readonly #compare: CompareDigest

  /** Where the last `seek` ended: the slots of the partition and the word at which the entry is or belongs. */
  #slots: Int32Array = new Int32Array(0)
  #word = 0
  #partition = 0
  #key = 0
  /** The word behind the partition's last slot. */
  #end = 0

  constructor(partitions: number, compare: CompareDigest) {
    this.partitions = partitions
    this.#compare = compare
    this.counts = new Int32Array(partitions)
    this.#homes = new Int32Array(partitions)
    this.#slabs = new IndexSlabs(partitions)
    for (let partition = 0; partition < partitions; partition++) this.#extend(partition, 0)
  }

  get bytes(): number {
    return this.#slabs.bytes + this.counts.byteLength * 2
  }

  partitionOf(digest: Buffer, at: number): number {
    return (digest[at]! | (digest[at + 1]! << 8)) & (this.partitions - 1)
  }

  /** Place of the record with this digest, 0 when there is none. Remembers the slot for the calls below. */
  seek(digest: Buffer, at: number): number {
    let word = this.#seekKey(digest, at)
    const slots = this.#slots
    let place = 0
    for (; word < this.#end; word += wordsPerSlot) {
      place = slots[word + 1]!
      if (place === 0) break
      const order = slots[word]! >>> 8 === this.#key ? this.#compare(place, digest, at) : 1
      if (order === 0) break
      if (order > 0) {
        place = 0
        break
      }
    }
    this.#word = word
    return word < this.#end ? place : 0
  }

  /** Whether this place is the newest of the digest's record, without a look at any record. As `seek` otherwise. */
  seekPlace(digest: Buffer, at: number, place: number): boolean {
    let word = this.#seekKey(digest, at)
    const slots = this.#slots
    while (
      word < this.#end &&
      slots[word + 1] !== place &&
      slots[word]! >>> 8 <= this.#key &&
      slots[word + 1] !== 0
    )
      word += wordsPerSlot
    this.#word = word
    return word < this.#end && slots[word + 1] === place
  }

  /** As `seek`, for a digest that is known to be here: no look at the record unless another one shares the key. */
  seekPresent(digest: Buffer, at: number): number {
    const word = this.#seekKey(digest, at)
    const slots = this.#slots
    if (word >= this.#end || slots[word + 1] === 0 || slots[word]! >>> 8 !== this.#key)
      return this.seek(digest, at)
    const next = word + wordsPerSlot
    if (next < this.#end && slots[next + 1] !== 0 && slots[next]! >>> 8 === this.#key)
      return this.seek(digest, at)
    this.#word = word
    return slots[word + 1]!
  }

  /** The first slot, for `placeAt`, that may hold a greater digest of the same partition. */
  slotBehind(digest: Buffer, at: number): number {
    const place = this.seek(digest, at)
    const slot = this.#word / wordsPerSlot - this.#slabs.start[this.#partition]!
    return place === 0 ? slot : slot + 1
  }

  /** Enters a record that the last `seek` did not find. */
  insert(digest: Buffer, at: number, place: number): void {
    const partition = this.#partition
    if (this.counts[partition]! >= this.#homes[partition]! - (this.#homes[partition]! >>> 3)) {
      this.#extend(partition, this.counts[partition]! + 1)
      this.seek(digest, at)
    }
    let gap = this.#gap()
    while (gap < 0) {
      this.#extend(partition, this.counts[partition]! + 1)
      this.seek(digest, at)
      gap = this.#gap()
    }
    const slots = this.#slots
    const word = this.#word
    if (gap - word > 64) slots.copyWithin(word + wordsPerSlot, word, gap)
    else for (let to = gap + 1; to > word + 1; to--) slots[to] = slots[to - wordsPerSlot]!
    slots[word] = this.#key << 8
    slots[word + 1] = place
    this.counts[partition] = this.counts[partition]! + 1
  }

  /** The record that the last `seek` found has a newer version at `place`. */
  move(place: number): void {
    this.#slots[this.#word + 1] = place
  }

  /** Versions of the record that the last `seek` found that still stand in segments beside the newest. */
  get stale(): number {
    return this.#slots[this.#word]! & 255
  }

  addStale(): void {
    const head = this.#slots[this.#word]!
    if ((head & 255) < manyStale) this.#slots[this.#word] = head + 1
  }

  dropStale(): void {
    const head = this.#slots[this.#word]!
    const count = head & 255
    if (count > 0 && count < manyStale) this.#slots[this.#word] = head - 1
  }

  /** Takes out the entry that the last `seek` found and closes the gap. */
  delete(): void {
    const partition = this.#partition
    const slots = this.#slots
    const homes = this.#homes[partition]!
    const start = this.#slabs.start[partition]!
    const end = (start + this.#slabs.size[partition]!) * wordsPerSlot
    let word = this.#word
    for (let next = word + wordsPerSlot; next < end; next += wordsPerSlot) {
      if (slots[next + 1] === 0) break
      if ((start + homeOf(slots[next]! >>> 8, homes)) * wordsPerSlot === next) break
      slots[word] = slots[next]!
      slots[word + 1] = slots[next + 1]!
      word = next
    }
    slots[word] = 0
    slots[word + 1] = 0
    const left = this.counts[partition]! - 1
    this.counts[partition] = left
    if (left < homes >>> 2 && homes > smallestHomes) this.#extend(partition, left)
  }

  /** Slots of the partition, for passes in order: `placeAt(partition, i)` for i from 0; 0 = empty. */
  size(partition: number): number {
    return this.#slabs.size[partition]!
  }

  placeAt(partition: number, slot: number): number {
    return this.#slabs.slots(partition)[(this.#slabs.start[partition]! + slot) * wordsPerSlot + 1]!
  }

  staleAt(partition: number, slot: number): number {
    return this.#slabs.slots(partition)[(this.#slabs.start[partition]! + slot) * wordsPerSlot]! & 255
  }

  /** Makes room for `count` entries at once, before a load in order with `append`. */
  reserve(partition: number, count: number): void {
    this.#extend(partition, count)
  }

  /** Enters at the end of the order; for loading a sorted partition after `reserve`. */
  append(partition: number, head: number, place: number): void {
    const slots = this.#slabs.slots(partition)
    const start = this.#slabs.start[partition]!
    const home = homeOf(head >>> 8, this.#homes[partition]!)
    const slot = Math.max(home, this.#appendFrom)
    if (slot >= this.#slabs.size[partition]!) {
      this.#lengthen(partition)
      this.append(partition, head, place)
      return
    }
    const word = (start + slot) * wordsPerSlot
    slots[word] = head
    slots[word + 1] = place
    this.#appendFrom = slot + 1
    this.counts[partition] = this.counts[partition]! + 1
  }

  startAppending(): void {
    this.#appendFrom = 0
  }

  #appendFrom = 0

  headAt(partition: number, slot: number): number {
    return this.#slabs.slots(partition)[(this.#slabs.start[partition]! + slot) * wordsPerSlot]!
  }

  /** The word of the first slot with the digest's key or a greater one. */
  #seekKey(digest: Buffer, at: number): number {
    const partition = this.partitionOf(digest, at)
    const key = keyOf(digest, at)
    const slots = this.#slabs.slots(partition)
    const start = this.#slabs.start[partition]!
    const end = (start + this.#slabs.size[partition]!) * wordsPerSlot
    let word = (start + homeOf(key, this.#homes[partition]!)) * wordsPerSlot
    while (word < end && slots[word + 1] !== 0 && slots[word]! >>> 8 < key) word += wordsPerSlot
    this.#slots = slots
    this.#partition = partition
    this.#key = key
    this.#end = end
    return word
  }

  /** First empty slot at or behind the one sought, as a word; -1 when the tail is full. */
  #gap(): number {
    const slots = this.#slots
    const end = (this.#slabs.start[this.#partition]! + this.#slabs.size[this.#partition]!) * wordsPerSlot
    let gap = this.#word
    while (gap < end && slots[gap + 1] !== 0) gap += wordsPerSlot
    return gap < end ? gap : -1
  }

  /** Lays the partition out anew with room for about 1.3 times `count` entries. */
  #extend(partition: number, count: number): void {
    const homes = Math.max(smallestHomes, Math.ceil(count * 1.3))
    this.#lay(partition, homes, homes + tailSlots)
  }

  #lengthen(partition: number): void {
    this.#lay(partition, this.#homes[partition]!, this.#slabs.size[partition]! * 2)
  }

  #lay(partition: number, homes: number, size: number): void {
    const fresh = this.#slabs.slabOf[partition]! < 0
    const from = fresh ? new Int32Array(0) : this.#slabs.slots(partition)
    const first = this.#slabs.start[partition]! * wordsPerSlot
    const words = this.#slabs.size[partition]! * wordsPerSlot
    let last = -1
    for (let word = first; word < first + words; word += wordsPerSlot)
      if (from[word + 1] !== 0) last = Math.max(last + 1, homeOf(from[word]! >>> 8, homes))
    this.#slabs.replace(partition, Math.max(size, last + 1 + tailSlots))
    this.#homes[partition] = homes
    const to = this.#slabs.slots(partition)
    const start = this.#slabs.start[partition]!
    let slot = -1
    for (let word = first; word < first + words; word += wordsPerSlot) {
      if (from[word + 1] === 0) continue
      slot = Math.max(slot + 1, homeOf(from[word]! >>> 8, homes))
      to[(start + slot) * wordsPerSlot] = from[word]!
      to[(start + slot) * wordsPerSlot + 1] = from[word + 1]!
    }
  }
}

/** The 24 digest bits behind the 12 partition bits, in the order in which digests compare as bytes. */
function keyOf(digest: Buffer, at: number): number {
  return (
    ((digest[at + 1]! >>> 4) << 20) |
    (digest[at + 2]! << 12) |
    (digest[at + 3]! << 4) |
    (digest[at + 4]! >>> 4)
  )
}

/** Rising with the key, as the order needs. */
function homeOf(key: number, homes: number): number {
  return Math.floor((key * homes) / 0x1000000)
}
