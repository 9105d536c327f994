import type { Particle, Slice } from '../values/particle.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'

/** What a modifying list or map operation leaves behind. */
export interface CollectionChange {
  /** The answer; undefined is nil. */
  readonly result: Particle | undefined
  /** The bin after the operation: the very particle that was passed in when nothing changed, undefined when there is none. */
  readonly bin: Particle | undefined
}

/** A list or map operation of op type 3. `call` is `[code, args...]` or `[0xff, path, [code, args...]]`. */
export function readCollection(_bin: Particle | undefined, _call: Slice): Particle | undefined {
  throw new ResultError(ResultCode.UNSUPPORTED)
}

/** A list or map operation of op type 4. Never changes the bytes it is given. */
export function modifyCollection(_bin: Particle | undefined, _call: Slice): CollectionChange {
  throw new ResultError(ResultCode.UNSUPPORTED)
}
