/**
 * The grammar of info requests and answers. Text is handled as latin1, one character a byte, so that whatever a
 * client sent comes back as it was.
 */
export interface InfoLine {
  /** The line as sent, without its newline; the answer begins with it. */
  readonly text: string
  /** The command: what stands before the first `:`, `;` or `/`. */
  readonly name: string
  /** What follows that character. */
  readonly rest: string
}

const NAME_END = /[:;/]/

/** The lines of a request body; what follows the last newline is no line. */
export function infoLines(body: string): InfoLine[] {
  return body
    .split('\n')
    .slice(0, -1)
    .map((line) => infoLine(line))
}

/** The real server reads a line as a C string: a zero byte ends it. */
function infoLine(line: string): InfoLine {
  const zero = line.indexOf('\0')
  const text = zero < 0 ? line : line.slice(0, zero)
  const at = text.search(NAME_END)
  return at < 0 ? { text, name: text, rest: '' } : { text, name: text.slice(0, at), rest: text.slice(at + 1) }
}

/** `key=value;key=value` as a map; a part without `=` has the value ''. The first of two equal keys counts. */
export function infoParameters(rest: string): Map<string, string> {
  const parameters = new Map<string, string>()
  for (const part of rest.split(';')) {
    if (part === '') continue
    const at = part.indexOf('=')
    const key = at < 0 ? part : part.slice(0, at)
    if (!parameters.has(key)) parameters.set(key, at < 0 ? '' : part.slice(at + 1))
  }
  return parameters
}

/** `ERROR:code:text`, the form of every refusal but a few old ones. */
export function infoError(code: number, text: string): string {
  return `ERROR:${code}:${text}`
}

/** `key=value` pairs with a separator between them, the form of statistics and settings. */
export function infoPairs(
  pairs: Iterable<readonly [string, string | number | boolean]>,
  separator = ';',
): string {
  const parts: string[] = []
  for (const [key, value] of pairs) parts.push(`${key}=${value}`)
  return parts.join(separator)
}
