import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Regex } from '../../../engine/src/operations/regex/regex.ts'
import { RegexError, RegexFlag } from '../../../engine/src/operations/regex/regex-syntax.ts'

const { EXTENDED, IGNORE_CASE, NEWLINE } = RegexFlag

function found(pattern: string, flags: number, text: string): boolean | string | undefined {
  try {
    return new Regex(Buffer.from(pattern), flags).search(Buffer.from(text))
  } catch (error) {
    if (error instanceof RegexError) return 'refused'
    throw error
  }
}

const BASIC = 0

describe('patterns', () => {
  it.each<[string, number, string, boolean | string]>([
    ['hel.*', BASIC, 'hello', true],
    ['elc', BASIC, 'hello', false],
    ['', BASIC, 'hello', true],
    ['^el', BASIC, 'hello', false],
    ['lo$', BASIC, 'hello', true],
    ['HEL', IGNORE_CASE, 'hello', true],
    ['[A-C]$', EXTENDED | IGNORE_CASE, 'xb', true],
    ['l+o', BASIC, 'hello', false],
    ['l+o', BASIC, 'l+o', true],
    ['l+o', EXTENDED, 'hello', true],
    ['x|hello', EXTENDED, 'hello', true],
    ['x|hello', BASIC, 'hello', false],
    ['x\\|hello', BASIC, 'hello', true],
    ['hel\\+o', BASIC, 'hello', true],
    ['helx\\?lo', BASIC, 'hello', true],
    ['(', BASIC, 'a(b', true],
    ['(', EXTENDED, 'a(b', 'refused'],
    [')', EXTENDED, 'a)b', true],
    ['\\)', BASIC, 'a)b', 'refused'],
    ['\\(l\\)\\1', BASIC, 'hello', true],
    ['\\(l\\)\\1\\1', BASIC, 'hello', false],
    ['(.)(.)\\2\\1', EXTENDED, 'xabbay', true],
    ['\\(h\\)\\2', BASIC, 'hello', 'refused'],
    ['[', BASIC, 'a', 'refused'],
    ['[a', EXTENDED, 'a', 'refused'],
    ['*a', EXTENDED, 'a', 'refused'],
    ['a|*b', EXTENDED, 'a', 'refused'],
    ['^*', EXTENDED, 'a', 'refused'],
    ['*a', BASIC, 'x*a', true],
    ['^*a', BASIC, '*a', true],
    ['a\\', BASIC, 'a', 'refused'],
    ['[]a]', BASIC, ']', true],
    ['[^]a]', BASIC, ']', false],
    ['[a-]', BASIC, '-', true],
    ['[c-a]', BASIC, 'b', 'refused'],
    ['[[:digit:]]{3}', EXTENDED, 'a123', true],
    ['[[:digit:]]{4}', EXTENDED, 'a123', false],
    ['[[:nothing:]]', EXTENDED, 'a', 'refused'],
    ['[[.a.]]', EXTENDED, 'a', true],
    ['a{2,}$', EXTENDED, 'ba', false],
    ['a{,2}b', EXTENDED, 'b', true],
    ['a{3,2}', EXTENDED, 'aaa', 'refused'],
    ['a{x', EXTENDED, 'a{x', 'refused'],
    ['a\\{2\\}', BASIC, 'aa', true],
    ['a{2}', BASIC, 'a{2}', true],
    ['a{99999}', EXTENDED, 'a', 'refused'],
    ['(a{1000}){1000}', EXTENDED, 'a', 'refused'],
    ['a.c', BASIC, 'a\nc', true],
    ['a.c', NEWLINE, 'a\nc', false],
    ['^c', NEWLINE, 'a\nc', true],
    ['^c', BASIC, 'a\nc', false],
    ['a$', NEWLINE, 'a\nc', true],
    ['a[^x]c', NEWLINE, 'a\nc', false],
    ['\\bhe\\w\\+', BASIC, 'oh hello', true],
    ['\\<lo', BASIC, 'hello', false],
    ['lo\\>', BASIC, 'hello you', true],
    ['x\\Sy', BASIC, 'x y', false],
    ['(a|b)*c', EXTENDED, 'ababc', true],
    ['()*x', EXTENDED, 'x', true],
    ['a||b', EXTENDED, 'x', true],
    ['h.llo', 16 | 64, 'hello', true],
  ])('%s with flags %i in %j: %s', (pattern, flags, text, expected) => {
    expect(found(pattern, flags, text)).toBe(expected)
  })

  it('refuses what is nested without end', () => {
    expect(found('('.repeat(100_000), EXTENDED, '')).toBe('refused')
    expect(found('('.repeat(90) + 'a' + ')'.repeat(90), EXTENDED, 'a')).toBe(true)
  })
})

describe('patterns made to hurt', () => {
  const text = 'a'.repeat(50_000)

  it.each(['(a+)+$', 'x(a|a)*$', '(a*)*b', '(.*)*x'])('%s takes time in proportion', (pattern) => {
    const started = performance.now()
    expect(found(`${pattern}`, EXTENDED, `${text}!`)).toBe(false)
    expect(performance.now() - started).toBeLessThan(2000)
  })

  it.each(['a{0}{1000}{1000}{1000}{1000}', '(a{0}){1000}{1000}{1000}', '.'.repeat(20_000)])(
    'a pattern that would grow, %s, is small or refused',
    (pattern) => {
      const started = performance.now()
      expect([true, 'refused']).toContain(found(pattern, EXTENDED, 'a'))
      expect(performance.now() - started).toBeLessThan(1000)
    },
  )

  it('a back reference that would take for ever is unknown', () => {
    expect(found('(a*)*\\1b', EXTENDED, 'a'.repeat(60))).toBeUndefined()
  })
})

/** Patterns that mean the same to POSIX and to JavaScript. */
const simple = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '^', '$'),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
    fc.tuple(tie('node'), fc.constantFrom('*', '+', '?', '{1,2}')).map(([a, op]) => `(${a})${op}`),
  ),
})).node

it('agrees with JavaScript where both mean the same', () => {
  fc.assert(
    fc.property(
      simple,
      fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 }),
      (pattern, text) => {
        expect(found(pattern, EXTENDED, text)).toBe(new RegExp(pattern).test(text))
      },
    ),
    { numRuns: 3000 },
  )
})
