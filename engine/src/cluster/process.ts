import type { NodeId } from './node-id.ts'

/** One run of one node: a new start or a new data folder is another process. */
export interface Process {
  readonly id: NodeId
  /** Random id of the data folder. */
  readonly incarnation: string
  /** Random id of this start. */
  readonly start: string
}

export function sameProcess(a: Process, b: Process): boolean {
  return a.id === b.id && a.start === b.start && a.incarnation === b.incarnation
}

/** Text that names a process, as a key of maps. */
export function processKey(process: Process): string {
  return `${process.id}.${process.incarnation}.${process.start}`
}
