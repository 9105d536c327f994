import { modifyCollection, readCollection } from '../../../engine/src/operations/collection.ts'
import type { Particle } from '../../../engine/src/values/particle.ts'
import { ResultError } from '../../../engine/src/values/result-code.ts'
import type { Value } from './pack.ts'
import { pack, show, slice } from './pack.ts'

/** A list or map call in short: what it answers, and what it leaves in the bin. */

export type Call = readonly Value[]

const payload = (call: Call) => slice(pack([...call]))

/** `[0xff, path, call]`. */
export const at = (path: readonly Value[], ...call: Value[]): Call => [0xff, path, call]

/** The answer of a reading call, or its result code. */
export function read(bin: Particle | undefined, call: Call): string | number {
  return codeOr(() => show(readCollection(bin, payload(call))))
}

/** Answer and bin of a modifying call, or its result code. Fails when the call changed the bytes it was given. */
export function modify(bin: Particle | undefined, call: Call): [string, string] | number {
  const request = payload(call)
  const given = [bin?.buffer ?? Buffer.alloc(0), request.buffer]
  const before = given.map((bytes) => Buffer.from(bytes))
  const outcome = codeOr(() => {
    const change = modifyCollection(bin, request)
    return [show(change.result), show(change.bin)] as [string, string]
  })
  if (given.some((bytes, i) => !bytes.equals(before[i]!))) throw new Error('the call changed its input')
  return outcome
}

function codeOr<Result>(work: () => Result): Result | number {
  try {
    return work()
  } catch (error) {
    if (error instanceof ResultError) return error.code
    throw error
  }
}
