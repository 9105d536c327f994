import type { NodeState } from '../node-state.ts'

/** A value, with the ticket of what must be synced before it is told; 0 = nothing. */
export interface DurableAnswer {
  readonly value: string
  readonly ticket: number
}

/** A value that comes later; `later` is called once and calls back once, at once or not. */
export interface LaterAnswer {
  readonly later: (done: (value: string) => void) => void
}

export type InfoAnswer = string | DurableAnswer | LaterAnswer

/** One info command: its answer's value, from what follows its name. */
export type InfoCommand = (node: NodeState, rest: string, caller: InfoCaller) => InfoAnswer

/** Who asks; kept as long as the connection. */
export interface InfoCaller {
  userAgent?: string
}

/** Commands by name, as one file of a subject gives them. */
export type InfoCommands = Readonly<Record<string, InfoCommand>>
