/**
 * Truncations of strong namespaces as operators ask for them. What is to be deleted is system metadata (S1, S2 of
 * README.md), so every view knows of it; each partition's master does it as a numbered write of its stream (rule T1).
 * It is answered when every member has saved it and done it in all partitions that it leads, and all partitions are led
 * by some: whatever is read after that, by anyone, is from after it. Until then it is like a write in doubt.
 */
import { ResultCode } from '../values/result-code.ts'
import type { MetadataSpread } from './metadata-spread.ts'
import type { StrongNamespaces } from './strong/strong-namespaces.ts'

/** Sets of a namespace whose truncations are kept apart; truncating all of it makes room again. */
export const mostTruncatedSets = 64

export interface TruncationRefusal {
  readonly code: number
  readonly text: string
}

export interface StrongTruncationOptions {
  readonly metadata: MetadataSpread
  readonly strong: StrongNamespaces
  /** ms since 1970; truncations that know of each other are numbered upwards whatever it says. */
  readonly clock: () => number
}

export class StrongTruncation {
  readonly #options: StrongTruncationOptions

  constructor(options: StrongTruncationOptions) {
    this.#options = options
  }

  /** The set, without a name everything. Answers once: nothing when it is done, or why not. */
  truncate(namespace: string, set: string, answer: (refusal: TruncationRefusal | undefined) => void): void {
    const { metadata, strong, clock } = this.#options
    const refusal = this.#refusal(namespace, set)
    if (refusal) return answer(refusal)
    const numbers = metadata.strongTruncations(namespace).map(({ before }) => before)
    const before = Math.max(Math.floor(clock()), ...numbers.map((number) => number + 1))
    metadata.merge([{ kind: 'strong truncation', namespace, set, undone: 0, before }])
    const holds = () => strong.unavailable(namespace) === 0
    metadata.whenDone(holds, (inTime) =>
      answer(
        inTime
          ? undefined
          : {
              code: ResultCode.TIMEOUT,
              text: 'not done everywhere yet; it goes on by itself, and partitions that may not serve follow when they do',
            },
      ),
    )
  }

  /** Number of the last truncation of the set, or of all; it grows like ms since 1970. 0 = never truncated. */
  lastOf(namespace: string, set: string): number {
    let last = 0
    for (const { set: of, before } of this.#options.metadata.strongTruncations(namespace))
      if (of === '' || of === set) last = Math.max(last, before)
    return last
  }

  #refusal(namespace: string, set: string): TruncationRefusal | undefined {
    const { metadata, strong } = this.#options
    const unavailable = strong.unavailable(namespace)
    if (unavailable === undefined || unavailable > 0)
      return {
        code: ResultCode.PARTITION_UNAVAILABLE,
        text: `${unavailable ?? 'all'} partitions of ${namespace} may not serve; nothing was truncated`,
      }
    const known = metadata.strongTruncations(namespace)
    const all = known.find((each) => each.set === '')?.before ?? 0
    const sets = known.filter((each) => each.before > all && each.set !== '' && each.set !== set)
    if (set !== '' && sets.length >= mostTruncatedSets)
      return {
        code: ResultCode.FORBIDDEN,
        text: `${sets.length} sets of ${namespace} were truncated one by one, and that is the most; truncate the whole namespace, or delete record by record`,
      }
    if (!metadata.takesWaits)
      return { code: ResultCode.DEVICE_OVERLOAD, text: 'too many truncations wait; nothing was truncated' }
    return undefined
  }
}
