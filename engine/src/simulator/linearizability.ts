/**
 * Whether a history of one record is linearizable: some order of its operations explains every answer and never puts
 * an operation before one that had ended when it began. A depth-first search with a memory of what was reached (Wing
 * and Gong 1993, Lowe 2017), bounded by a number of steps; a search that gives up says so. An operation in doubt may
 * stand anywhere behind its beginning, or nowhere.
 */
export interface Operation {
  readonly kind: 'append' | 'delete' | 'read'
  readonly invoked: number
  /** Absent while nobody knows whether it was done; a read without an answer is no operation. */
  readonly returned: number | undefined
  /** What is appended. */
  readonly token?: string
  /** What the record was after an append, where that is known, or what was read. */
  readonly value?: string | undefined
}

export type Verdict = 'linearizable' | 'not linearizable' | 'gave up'

/** Most operations of one history: they are bits of a number. */
export const maxOperations = 30

/** @example linearizability([{ kind: 'read', invoked: 1, returned: 2, value: 'a' }], undefined, 100) // not linearizable */
export function linearizability(
  operations: readonly Operation[],
  initial: string | undefined,
  maxSteps: number,
): Verdict {
  if (operations.length > maxOperations) return 'gave up'
  const required = operations.reduce(
    (mask, { returned }, i) => (returned === undefined ? mask : mask | (1 << i)),
    0,
  )
  const reached = new Set<string>()
  let steps = 0
  const search = (done: number, state: string | undefined): boolean => {
    if ((done & required) === required) return true
    const key = `${done}:${state}`
    if (reached.has(key) || ++steps > maxSteps) return false
    reached.add(key)
    let firstReturn = Infinity
    for (const [i, { returned }] of operations.entries()) {
      if (!(done & (1 << i)) && returned !== undefined && returned < firstReturn) firstReturn = returned
    }
    for (const [i, operation] of operations.entries()) {
      if (done & (1 << i) || operation.invoked > firstReturn) continue
      if (isPossible(operation, state) && search(done | (1 << i), after(operation, state))) return true
    }
    return false
  }
  if (search(0, initial)) return 'linearizable'
  return steps > maxSteps ? 'gave up' : 'not linearizable'
}

function isPossible({ kind, token, value, returned }: Operation, state: string | undefined): boolean {
  if (kind === 'delete') return true
  // Nobody has seen what an append came to that was not answered.
  if (kind === 'append' && returned === undefined && value === undefined) return true
  return value === (kind === 'append' ? `${state ?? ''}${token}` : state)
}

function after({ kind, token }: Operation, state: string | undefined): string | undefined {
  return kind === 'read' ? state : kind === 'append' ? `${state ?? ''}${token}` : undefined
}
