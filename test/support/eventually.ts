import { setTimeout as sleep } from 'node:timers/promises'

const pollMs = 20

export interface Patience {
  /** What is waited for, as the failure says it. */
  readonly what: string
  readonly ms: number
  /** What stands instead, for the failure. */
  readonly seen?: () => string | Promise<string>
}

/** Resolves with the first answer that is not undefined or false; an answer that fails counts as none yet. */
export async function eventually<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { what, ms, seen }: Patience,
): Promise<T> {
  const end = performance.now() + ms
  let failure = ''
  while (performance.now() < end) {
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found
      failure = ''
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error)
    }
    await sleep(pollMs)
  }
  const instead = seen ? `; instead: ${await seen()}` : failure && `; last: ${failure}`
  throw new Error(`waited ${ms} ms for ${what}${instead}`)
}
