/** REGEX: flags and a pattern, read when the expression is, and the string that is searched. */
import type { Slice } from '../../values/particle.ts'
import { ParticleType } from '../../values/particle.ts'
import { Regex } from '../regex/regex.ts'
import { RegexError } from '../regex/regex-syntax.ts'
import type { Compiler, Names } from './compiler.ts'
import { type Expression, known, malformed } from './expression-node.ts'
import { Type } from './expression-value.ts'

export function compileRegex(compiler: Compiler, names: Names, count: number): Expression {
  if (count !== 3) malformed('flags, a pattern and a string')
  const flags = compiler.integer()
  const regex = regexOf(compiler.rawText(), flags)
  const text = compiler.next(names)
  if (text.type !== Type.STRING) malformed('a string is wanted')
  return known(Type.BOOL, (scope) => {
    const value = text.run(scope)
    if (typeof value !== 'object' || value?.type !== ParticleType.STRING) return undefined
    return regex.search(value.buffer.subarray(value.start, value.end))
  })
}

function regexOf({ buffer, start, end }: Slice, flags: number): Regex {
  try {
    return new Regex(buffer.subarray(start, end), flags)
  } catch (error) {
    if (error instanceof RegexError) return malformed(error.message)
    throw error
  }
}
