/**
 * POSIX regular expressions, basic and extended, with the usual GNU operators (`\+ \? \|` in basic ones, `\w \s \b \<`
 * in both), read into a tree. They work on bytes, as in the C locale. Source: POSIX.1-2017, Base Definitions 9, the
 * GNU C library's manual, and the protocol notes, expressions 3.7 and further facts.
 */

/** Bytes that match, 1 each. */
export type ByteSet = Uint8Array

export type AssertionKind =
  'line-start' | 'line-end' | 'start' | 'end' | 'word-start' | 'word-end' | 'boundary' | 'inside'

export type RegexNode =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'sequence'; readonly items: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly items: readonly RegexNode[] }
  | { readonly kind: 'repeat'; readonly item: RegexNode; readonly least: number; readonly most: number }
  | { readonly kind: 'group'; readonly item: RegexNode; readonly index: number }
  | { readonly kind: 'reference'; readonly index: number }
  | { readonly kind: 'assertion'; readonly what: AssertionKind }

export const RegexFlag = { EXTENDED: 1, IGNORE_CASE: 2, NO_GROUPS: 4, NEWLINE: 8 } as const

export class RegexError extends Error {}

export interface RegexTree {
  readonly root: RegexNode
  readonly hasReferences: boolean
}

const MAX_DEPTH = 100
/** As the GNU library has it. */
const MAX_REPEATS = 0x7fff
const NEWLINE = 10

/** Longer patterns are refused: their tree would take thousands of times their bytes. */
const MAX_PATTERN_BYTES = 16 * 1024

/** Throws RegexError for what is no pattern. */
export function parseRegex(pattern: Buffer, flags: number): RegexTree {
  if (pattern.length > MAX_PATTERN_BYTES) fail(`a pattern of more than ${MAX_PATTERN_BYTES} bytes`)
  return new Parser(pattern.toString('latin1'), flags).whole()
}

const fail = (why: string): never => {
  throw new RegexError(why)
}

const letters: readonly [string, (byte: string) => boolean][] = [
  ['alpha', (c) => /[A-Za-z]/.test(c)],
  ['digit', (c) => /[0-9]/.test(c)],
  ['alnum', (c) => /[A-Za-z0-9]/.test(c)],
  ['upper', (c) => /[A-Z]/.test(c)],
  ['lower', (c) => /[a-z]/.test(c)],
  ['space', (c) => /[ \t\n\v\f\r]/.test(c)],
  ['blank', (c) => c === ' ' || c === '\t'],
  ['punct', (c) => /[!-/:-@[-`{-~]/.test(c)],
  ['print', (c) => /[ -~]/.test(c)],
  ['graph', (c) => /[!-~]/.test(c)],
  ['cntrl', (c) => c < ' ' || c === '\x7f'],
  ['xdigit', (c) => /[0-9A-Fa-f]/.test(c)],
]
const classes = new Map(letters)

export function bytesThat(match: (byte: string) => boolean): ByteSet {
  return Uint8Array.from({ length: 256 }, (_, byte) => (match(String.fromCharCode(byte)) ? 1 : 0))
}

export const isWordByte = (byte: string): boolean => /[A-Za-z0-9_]/.test(byte)

const operators = new Map<string, RegexNode>([
  ['w', { kind: 'set', set: bytesThat(isWordByte) }],
  ['W', { kind: 'set', set: bytesThat((byte) => !isWordByte(byte)) }],
  ['s', { kind: 'set', set: bytesThat(classes.get('space')!) }],
  ['S', { kind: 'set', set: bytesThat((byte) => !classes.get('space')!(byte)) }],
  ['b', { kind: 'assertion', what: 'boundary' }],
  ['B', { kind: 'assertion', what: 'inside' }],
  ['<', { kind: 'assertion', what: 'word-start' }],
  ['>', { kind: 'assertion', what: 'word-end' }],
  ['`', { kind: 'assertion', what: 'start' }],
  ["'", { kind: 'assertion', what: 'end' }],
])

class Parser {
  readonly #text: string
  readonly #extended: boolean
  readonly #ignoresCase: boolean
  readonly #newline: boolean
  #at = 0
  #depth = 0
  #groups = 0
  readonly #closed = new Set<number>()
  #hasReferences = false

  constructor(text: string, flags: number) {
    this.#text = text
    this.#extended = (flags & RegexFlag.EXTENDED) !== 0
    this.#ignoresCase = (flags & RegexFlag.IGNORE_CASE) !== 0
    this.#newline = (flags & RegexFlag.NEWLINE) !== 0
  }

  whole(): RegexTree {
    const root = this.#choice()
    if (this.#at < this.#text.length) fail('a closing parenthesis without an opening one')
    return { root, hasReferences: this.#hasReferences }
  }

  /** Whether an operator comes next: bare in extended patterns, behind a backslash in basic ones. */
  #sees(operator: string): boolean {
    return this.#text.startsWith(this.#extended ? operator : `\\${operator}`, this.#at)
  }

  #takes(operator: string): boolean {
    if (!this.#sees(operator)) return false
    this.#at += this.#extended ? 1 : 2
    return true
  }

  #choice(): RegexNode {
    if (++this.#depth > MAX_DEPTH) fail('nested too deep')
    const items = [this.#sequence()]
    while (this.#takes('|')) items.push(this.#sequence())
    this.#depth--
    return items.length === 1 ? items[0]! : { kind: 'choice', items }
  }

  #endsSequence(): boolean {
    if (this.#at >= this.#text.length || this.#sees('|')) return true
    // An extended pattern takes a parenthesis that closes nothing for itself.
    return this.#sees(')') && (!this.#extended || this.#depth > 1)
  }

  #sequence(): RegexNode {
    const items: RegexNode[] = []
    let first = true
    while (!this.#endsSequence()) {
      const node = this.#atom(first)
      first = node.kind === 'assertion' && (node.what === 'line-start' || node.what === 'start')
      items.push(node.kind === 'assertion' ? node : this.#repeated(node))
    }
    return items.length === 1 ? items[0]! : { kind: 'sequence', items }
  }

  /** `first` at the start of a pattern, a group or a branch, and behind an anchor there. */
  #atom(first: boolean): RegexNode {
    const char = this.#text[this.#at]!
    if (this.#takes('(')) return this.#group()
    if (this.#opensRepeat()) {
      if (this.#extended || this.#sees('{')) fail('nothing to repeat')
      if (char === '\\') this.#at++
      return this.#literal(this.#text[this.#at++]!)
    }
    this.#at++
    if (char === '^' && (this.#extended || (first && this.#text[this.#at - 2] !== '^')))
      return { kind: 'assertion', what: this.#newline ? 'line-start' : 'start' }
    if (char === '$' && (this.#extended || this.#endsSequence()))
      return { kind: 'assertion', what: this.#newline ? 'line-end' : 'end' }
    if (char === '.')
      return { kind: 'set', set: bytesThat((byte) => byte !== '\0' && !(this.#newline && byte === '\n')) }
    if (char === '[') return this.#bracket()
    if (char === '\\') return this.#escape()
    return this.#literal(char)
  }

  #opensRepeat(): boolean {
    return this.#text[this.#at] === '*' || this.#sees('+') || this.#sees('?') || this.#sees('{')
  }

  #repeated(item: RegexNode): RegexNode {
    let node = item
    while (this.#at < this.#text.length) {
      if (this.#text[this.#at] === '*') {
        this.#at++
        node = { kind: 'repeat', item: node, least: 0, most: Infinity }
      } else if (this.#takes('+')) node = { kind: 'repeat', item: node, least: 1, most: Infinity }
      else if (this.#takes('?')) node = { kind: 'repeat', item: node, least: 0, most: 1 }
      else if (this.#takes('{')) node = this.#interval(node)
      else break
    }
    return node
  }

  #interval(item: RegexNode): RegexNode {
    const close = this.#extended ? '}' : '\\}'
    const end = this.#text.indexOf(close, this.#at)
    const [, low, comma, high] =
      /^(\d*)(,?)(\d*)$/.exec(end < 0 ? 'x' : this.#text.slice(this.#at, end)) ?? []
    if (low === undefined || (low === '' && comma === '')) fail('an interval of repeats')
    this.#at = end + close.length
    const least = Number(low)
    const most = high === '' ? (comma === '' ? least : Infinity) : Number(high)
    if (least > most || least > MAX_REPEATS || (most > MAX_REPEATS && most !== Infinity))
      fail('an interval of repeats')
    return { kind: 'repeat', item, least, most }
  }

  #group(): RegexNode {
    const index = ++this.#groups
    const item = this.#choice()
    if (!this.#takes(')')) fail('an opening parenthesis without a closing one')
    this.#closed.add(index)
    return { kind: 'group', item, index }
  }

  #escape(): RegexNode {
    const char = this.#text[this.#at++] ?? fail('a backslash at the end')
    if (char >= '1' && char <= '9') {
      const index = Number(char)
      if (!this.#closed.has(index)) fail(`no group ${index}`)
      this.#hasReferences = true
      return { kind: 'reference', index }
    }
    if (!this.#extended && char === ')') fail('a closing parenthesis without an opening one')
    return operators.get(char) ?? this.#literal(char)
  }

  #literal(char: string): RegexNode {
    const set = new Uint8Array(256)
    this.#include(set, char.charCodeAt(0))
    return { kind: 'set', set }
  }

  #include(set: ByteSet, byte: number): void {
    set[byte] = 1
    if (!this.#ignoresCase) return
    const char = String.fromCharCode(byte)
    if (/[A-Za-z]/.test(char)) set[byte ^ 0x20] = 1
  }

  #bracket(): RegexNode {
    const set = new Uint8Array(256)
    const negated = this.#text[this.#at] === '^'
    if (negated) this.#at++
    for (let first = true; first || this.#text[this.#at] !== ']'; first = false) this.#bracketPart(set)
    this.#at++
    if (!negated) return { kind: 'set', set }
    const others = set.map((held) => 1 - held)
    if (this.#newline) others[NEWLINE] = 0
    return { kind: 'set', set: others }
  }

  #bracketPart(set: ByteSet): void {
    const name = this.#named(':')
    if (name !== undefined) {
      const match = classes.get(name) ?? fail(`no class ${name}`)
      for (let byte = 0; byte < 256; byte++) if (match(String.fromCharCode(byte))) this.#include(set, byte)
      return
    }
    const from = this.#bracketByte()
    let to = from
    if (this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']') {
      this.#at++
      to = this.#bracketByte()
    }
    if (to < from) fail('a range that runs backwards')
    for (let byte = from; byte <= to; byte++) this.#include(set, byte)
  }

  #bracketByte(): number {
    const name = this.#named('.') ?? this.#named('=')
    if (name !== undefined) return name.length === 1 ? name.charCodeAt(0) : fail(`no character ${name}`)
    if (this.#at >= this.#text.length) fail('a bracket that is not closed')
    return this.#text.charCodeAt(this.#at++)
  }

  /** The name in `[:name:]` and its like. */
  #named(mark: string): string | undefined {
    if (!this.#text.startsWith(`[${mark}`, this.#at)) return undefined
    const end = this.#text.indexOf(`${mark}]`, this.#at + 2)
    if (end < 0) fail('a bracket that is not closed')
    const name = this.#text.slice(this.#at + 2, end)
    this.#at = end + 2
    return name
  }
}
