/** Why a node does not start: one line for a person, saying what was wrong and what to do. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
  }
}

interface SystemError {
  readonly code: string
}

function hasCode(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

/** The system's code of an error (EADDRINUSE, ...), or '' where it has none. */
function codeOf(error: unknown): string {
  return hasCode(error) ? error.code : ''
}

/** What to do when the port could not be opened; `flag` is the one that names it. */
export function listenError(error: unknown, host: string, port: number, flag = '--port'): StartError {
  const place = `${host}:${port}`
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new StartError(
        `Port ${place} is in use by another program; stop it or choose another port with ${flag} (0 takes any free one)`,
        { cause: error },
      )
    case 'EACCES':
      return new StartError(`This user may not listen on ${place}; choose a port above 1023 with ${flag}`, {
        cause: error,
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartError(`${host} is not an address of this machine; choose another one with --host`, {
        cause: error,
      })
    default:
      return new StartError(`Cannot listen on ${place}: ${messageOf(error)}`, { cause: error })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
