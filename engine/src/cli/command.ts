/** One subcommand of `larder`. */
export interface Command {
  readonly help: string
  /** Resolves with the exit status. */
  run(args: string[]): Promise<number>
}

/** A mistake in how a command was called, or something it cannot do: one line, no stack. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'CommandError'
  }
}

/** Reads a flag's whole number. */
export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max)
    throw new CommandError(`--${flag} ${text}: must be a whole number from ${min} to ${max}`)
  return value
}

/** `host:port` or either of them; what is missing comes from 127.0.0.1:3000. */
export function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(text)
  if (!match) throw new CommandError(`--node ${text}: must be host:port`)
  const host = match[1] ?? match[2]!
  return {
    host: host === '' ? '127.0.0.1' : host,
    port: match[3] ? wholeNumber('node', match[3], 1, 65_535) : 3000,
  }
}
