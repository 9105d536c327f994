/**
 * Memory of the index: extents of slots inside a few large slabs. A partition that grows takes a new extent and
 * gives the old one back, so slabs fill with holes; when holes take more than a quarter, every further request
 * moves one extent out of the emptiest slab, until that slab is whole again. So memory stays within about 4/3 of
 * what the extents need, and no step touches more than two of them.
 */
const slotsPerSlab = 1 << 16
/** Extents above this have a slab to themselves. */
const largestShared = slotsPerSlab >>> 2

export const wordsPerSlot = 2

interface Slab {
  slots: Int32Array
  used: number
  live: number
}

const none: Slab = { slots: new Int32Array(0), used: 0, live: 0 }

export class IndexSlabs {
  /** Slab of each partition's extent, its first slot there and how many there are. */
  readonly slabOf: Int32Array
  readonly start: Int32Array
  readonly size: Int32Array
  readonly #slabs: Slab[] = []
  readonly #vacant: number[] = []
  #open = -1
  #victim = -1
  #cursor = 0
  #total = 0
  #live = 0

  constructor(partitions: number) {
    this.slabOf = new Int32Array(partitions).fill(-1)
    this.start = new Int32Array(partitions)
    this.size = new Int32Array(partitions)
  }

  slots(partition: number): Int32Array {
    return this.#slabs[this.slabOf[partition]!]!.slots
  }

  get bytes(): number {
    return this.#total * wordsPerSlot * 4 + this.slabOf.byteLength * 3
  }

  /** Gives the partition a new extent of zeroed slots. The caller still holds the array of the old one. */
  replace(partition: number, slots: number): void {
    const { slab, start } = this.#take(slots)
    this.#release(partition)
    this.slabOf[partition] = slab
    this.start[partition] = start
    this.size[partition] = slots
    this.#evacuate()
  }

  #take(slots: number): { slab: number; start: number } {
    const alone = slots > largestShared
    if (alone || this.#open < 0 || this.#slabs[this.#open]!.used + slots > slotsPerSlab) {
      const added = this.#add(alone ? slots : slotsPerSlab)
      if (!alone) this.#open = added
      else return this.#carve(added, slots)
    }
    return this.#carve(this.#open, slots)
  }

  #carve(slab: number, slots: number): { slab: number; start: number } {
    const owner = this.#slabs[slab]!
    const start = owner.used
    owner.used += slots
    owner.live += slots
    this.#live += slots
    return { slab, start }
  }

  #add(slots: number): number {
    const slab = { slots: new Int32Array(slots * wordsPerSlot), used: 0, live: 0 }
    this.#total += slots
    const id = this.#vacant.pop() ?? this.#slabs.length
    this.#slabs[id] = slab
    return id
  }

  #release(partition: number): void {
    const slab = this.slabOf[partition]!
    if (slab < 0) return
    const owner = this.#slabs[slab]!
    owner.live -= this.size[partition]!
    this.#live -= this.size[partition]!
    if (owner.live > 0 || slab === this.#open) return
    this.#total -= owner.slots.length / wordsPerSlot
    this.#slabs[slab] = none
    this.#vacant.push(slab)
    if (slab === this.#victim) this.#victim = -1
  }

  #evacuate(): void {
    if (this.#victim < 0) {
      if (this.#total - this.#live < (this.#total >>> 2) + slotsPerSlab) return
      this.#victim = this.#emptiest()
      this.#cursor = 0
      if (this.#victim < 0) return
    }
    while (this.#cursor < this.slabOf.length && this.slabOf[this.#cursor] !== this.#victim) this.#cursor++
    if (this.#cursor === this.slabOf.length) this.#victim = -1
    else this.#move(this.#cursor++)
  }

  #move(partition: number): void {
    const from = this.slots(partition)
    const start = this.start[partition]! * wordsPerSlot
    const slots = this.size[partition]!
    const to = this.#take(slots)
    this.#slabs[to.slab]!.slots.set(
      from.subarray(start, start + slots * wordsPerSlot),
      to.start * wordsPerSlot,
    )
    this.#release(partition)
    this.slabOf[partition] = to.slab
    this.start[partition] = to.start
  }

  #emptiest(): number {
    let best = -1
    for (let slab = 0; slab < this.#slabs.length; slab++) {
      const { slots, live } = this.#slabs[slab]!
      if (slab === this.#open || slots.length !== slotsPerSlab * wordsPerSlot) continue
      if (best < 0 || live < this.#slabs[best]!.live) best = slab
    }
    return best
  }
}
