/** Why the store does not start: one line for a person, saying what was wrong and what to do. */
export class StartFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartFailure'
  }
}

/** The line for an error that ended the start, whatever kind it is. */
export function failureLine(error: unknown, what: string): string {
  if (error instanceof StartFailure) return error.message
  return `${what}: ${error instanceof Error ? error.message : String(error)}`
}

/** The failure of listening on a port. */
export function listenFailure(error: unknown, host: string, port: number): StartFailure {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE')
    return new StartFailure(
      `Port ${port} is in use by another program; stop it, or choose another port with --port (0 takes any free one)`,
      { cause: error },
    )
  if (code === 'EACCES')
    return new StartFailure(`This user may not listen on port ${port}; choose one above 1023 with --port`, {
      cause: error,
    })
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new StartFailure(`${host} is not an address of this machine; choose another with --host`, {
      cause: error,
    })
  return new StartFailure(failureLine(error, `Cannot listen on ${host}:${port}`), { cause: error })
}
