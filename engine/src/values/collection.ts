import type { Particle } from './particle.ts'
import { ResultCode, ResultError } from './result-code.ts'

/**
 * Checks a LIST or MAP particle as a client sends it for a bin and answers it in the one form that is stored:
 * shortest headers, maps sorted by key. Particles of other types come back as they are.
 * Throws ResultError 1 (SERVER_ERROR) for bytes that are not a valid collection.
 */
export function normaliseCollection(_particle: Particle): Particle {
  throw new ResultError(ResultCode.UNSUPPORTED)
}
