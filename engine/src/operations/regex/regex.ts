/**
 * Searches bytes for a POSIX regular expression in time bounded by length × size of the pattern: a pattern becomes a
 * program whose possible places are followed all at once, byte by byte (K. Thompson, 1968), so that no pattern a client
 * sends holds up the node. Back references need to remember one way at a time; such patterns are tried way by way.
 * Either gives up after a number of steps.
 */
import {
  type AssertionKind,
  bytesThat,
  isWordByte,
  parseRegex,
  RegexError,
  type RegexNode,
} from './regex-syntax.ts'

type Step =
  | { readonly op: 'byte'; readonly set: Uint8Array }
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'assert'; readonly what: AssertionKind }
  | { readonly op: 'save'; readonly slot: number }
  /** Goes on only when bytes were taken since the slot was saved: an empty round of a loop would never end. */
  | { readonly op: 'progress'; readonly slot: number }
  | { readonly op: 'reference'; readonly slot: number }
  | { readonly op: 'match' }

const MAX_PROGRAM = 20_000
const MAX_STEPS = 10_000_000
/** A step back and forth costs ten times as much. */
const MAX_STEPS_BACK = 1_000_000
const NEWLINE = 10
const wordBytes = bytesThat(isWordByte)

export class Regex {
  readonly #program: readonly Step[]
  readonly #slots: number
  readonly #hasReferences: boolean

  /** Throws RegexError for what is no pattern. */
  constructor(pattern: Buffer, flags: number) {
    const { root, hasReferences } = parseRegex(pattern, flags)
    const builder = new ProgramBuilder()
    builder.add(root)
    builder.push({ op: 'match' })
    this.#program = builder.program
    this.#slots = builder.slots
    this.#hasReferences = hasReferences
  }

  /** Whether the pattern matches anywhere; undefined when that takes too long to find out. */
  search(text: Buffer): boolean | undefined {
    return this.#hasReferences
      ? new Backtracking(this.#program, this.#slots, text).search()
      : new Following(this.#program, text).search()
  }
}

class ProgramBuilder {
  readonly program: Step[] = []
  /** Two for each group, then one for each loop. */
  slots = 0
  readonly #groupSlots = new Map<number, number>()

  push(step: Step): number {
    if (this.program.length >= MAX_PROGRAM) throw new RegexError('a pattern that is too large')
    return this.program.push(step) - 1
  }

  add(node: RegexNode): void {
    switch (node.kind) {
      case 'set':
        this.push({ op: 'byte', set: node.set })
        return
      case 'assertion':
        this.push({ op: 'assert', what: node.what })
        return
      case 'reference':
        this.push({ op: 'reference', slot: this.#groupSlot(node.index) })
        return
      case 'sequence':
        for (const item of node.items) this.add(item)
        return
      case 'choice':
        this.#choice(node.items)
        return
      case 'group': {
        const slot = this.#groupSlot(node.index)
        this.push({ op: 'save', slot })
        this.add(node.item)
        this.push({ op: 'save', slot: slot + 1 })
        return
      }
      case 'repeat':
        this.#repeat(node.item, node.least, node.most)
    }
  }

  #groupSlot(index: number): number {
    const known = this.#groupSlots.get(index)
    if (known !== undefined) return known
    const slot = this.slots
    this.slots += 2
    this.#groupSlots.set(index, slot)
    return slot
  }

  #split(): { op: 'split'; first: number; second: number } {
    const split = { op: 'split' as const, first: 0, second: 0 }
    split.first = this.push(split) + 1
    return split
  }

  #choice(items: readonly RegexNode[]): void {
    const jumps: { op: 'jump'; to: number }[] = []
    for (const [i, item] of items.entries()) {
      const split = i < items.length - 1 ? this.#split() : undefined
      this.add(item)
      if (!split) continue
      const jump = { op: 'jump' as const, to: 0 }
      this.push(jump)
      jumps.push(jump)
      split.second = this.program.length
    }
    for (const jump of jumps) jump.to = this.program.length
  }

  #repeat(item: RegexNode, least: number, most: number): void {
    const before = this.program.length
    for (let i = 0; i < least; i++) {
      this.add(item)
      if (this.program.length === before) return
    }
    if (most === Infinity) {
      const start = this.program.length
      const split = this.#split()
      const slot = this.slots++
      this.push({ op: 'save', slot })
      this.add(item)
      this.push({ op: 'progress', slot })
      this.push({ op: 'jump', to: start })
      split.second = this.program.length
      return
    }
    const splits = []
    for (let i = least; i < most; i++) {
      splits.push(this.#split())
      this.add(item)
    }
    for (const split of splits) split.second = this.program.length
  }
}

function holds(what: AssertionKind, text: Buffer, at: number): boolean {
  const before = at > 0 && wordBytes[text[at - 1]!] === 1
  const behind = at < text.length && wordBytes[text[at]!] === 1
  switch (what) {
    case 'start':
      return at === 0
    case 'end':
      return at === text.length
    case 'line-start':
      return at === 0 || text[at - 1] === NEWLINE
    case 'line-end':
      return at === text.length || text[at] === NEWLINE
    case 'word-start':
      return !before && behind
    case 'word-end':
      return before && !behind
    case 'boundary':
      return before !== behind
    case 'inside':
      return before === behind
  }
}

/** All places at once; each is entered at most once a byte. */
class Following {
  readonly #program: readonly Step[]
  readonly #text: Buffer
  #now: number[] = []
  #next: number[] = []
  /** The byte at which a place was entered last, plus one. */
  readonly #entered: Int32Array
  readonly #waiting: number[] = []
  #steps = 0
  #matched = false

  constructor(program: readonly Step[], text: Buffer) {
    this.#program = program
    this.#text = text
    this.#entered = new Int32Array(program.length)
  }

  search(): boolean | undefined {
    const text = this.#text
    for (let at = 0; ; at++) {
      this.#enter(0, at, this.#now)
      if (this.#matched) return true
      if (at === text.length) return false
      const byte = text[at]!
      for (const place of this.#now) {
        const step = this.#program[place]!
        if (step.op === 'byte' && step.set[byte] === 1) this.#enter(place + 1, at + 1, this.#next)
      }
      if (this.#matched) return true
      const done = this.#now
      this.#now = this.#next
      this.#next = done
      done.length = 0
      if (this.#steps > MAX_STEPS) return undefined
    }
  }

  /** Adds a place, and all that it leads to without taking a byte, to `places`. */
  #enter(from: number, at: number, places: number[]): void {
    const waiting = this.#waiting
    waiting.push(from)
    while (waiting.length > 0) {
      const place = waiting.pop()!
      if (this.#entered[place] === at + 1) continue
      this.#entered[place] = at + 1
      this.#steps++
      const step = this.#program[place]!
      switch (step.op) {
        case 'byte':
          places.push(place)
          break
        case 'match':
          this.#matched = true
          break
        case 'jump':
          waiting.push(step.to)
          break
        case 'split':
          waiting.push(step.first, step.second)
          break
        case 'assert':
          if (holds(step.what, this.#text, at)) waiting.push(place + 1)
          break
        default:
          waiting.push(place + 1)
      }
    }
  }
}

/** A place in the program, a place in the text, and the slots on the way there. */
interface Way {
  readonly place: number
  readonly at: number
  readonly slots: readonly number[]
}

class Backtracking {
  readonly #program: readonly Step[]
  readonly #text: Buffer
  readonly #none: readonly number[]
  #steps = 0

  constructor(program: readonly Step[], slots: number, text: Buffer) {
    this.#program = program
    this.#text = text
    this.#none = new Array<number>(slots).fill(-1)
  }

  search(): boolean | undefined {
    for (let start = 0; start <= this.#text.length; start++) {
      const found = this.#from(start)
      if (found !== false) return found
    }
    return false
  }

  #from(start: number): boolean | undefined {
    const ways: Way[] = [{ place: 0, at: start, slots: this.#none }]
    while (ways.length > 0) {
      let { place, at, slots } = ways.pop()!
      for (;;) {
        if (++this.#steps > MAX_STEPS_BACK) return undefined
        const step = this.#program[place]!
        if (step.op === 'match') return true
        if (step.op === 'split') {
          ways.push({ place: step.second, at, slots })
          place = step.first
        } else if (step.op === 'jump') place = step.to
        else if (step.op === 'save') {
          slots = slots.with(step.slot, at)
          place++
        } else {
          at = this.#pass(step, at, slots)
          if (at < 0) break
          place++
        }
      }
    }
    return false
  }

  /** Where the text stands behind a step, or −1. */
  #pass(step: Step, at: number, slots: readonly number[]): number {
    const text = this.#text
    switch (step.op) {
      case 'byte':
        return at < text.length && step.set[text[at]!] === 1 ? at + 1 : -1
      case 'assert':
        return holds(step.what, text, at) ? at : -1
      case 'progress':
        return slots[step.slot] === at ? -1 : at
      case 'reference': {
        const [from, to] = [slots[step.slot]!, slots[step.slot + 1]!]
        if (from < 0 || to < from || at + to - from > text.length) return -1
        return text.compare(text, at, at + to - from, from, to) === 0 ? at + to - from : -1
      }
      default:
        return at
    }
  }
}
