import type { Collection } from '../values/collection.ts'
import type { Particle } from '../values/particle.ts'
import type { CollectionChange } from './collection.ts'
import type { ParsedCall, PathItem } from './collection-call.ts'
import type { Outcome } from './collection-edit.ts'
export interface PathTarget {
  isMap: boolean
  create(): Collection | undefined
  write(t: Collection | undefined): Outcome
  missing(): void
}
export function readAtPath(
  _bin: Particle,
  _buffer: Buffer,
  _path: readonly PathItem[],
): Collection | undefined {
  throw new Error('todo')
}
export function modifyAtPath(
  _bin: Particle | undefined,
  _parsed: ParsedCall,
  _target: PathTarget,
): CollectionChange {
  throw new Error('todo')
}
