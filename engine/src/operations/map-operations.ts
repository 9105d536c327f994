import type { Collection } from '../values/collection.ts'
import type { Particle } from '../values/particle.ts'
import type { CollectionCall } from './collection-call.ts'
import type { Outcome } from './collection-edit.ts'
export function isMapRead(code: number): boolean { return code===96 || code >=97 && code <= 110 }
export function isMapWrite(code: number): boolean { return code>=64&&code<=89 }
export function isUpdateOnly(_code: number): boolean { return false }
export function readMap(_map: Collection, _call: CollectionCall): Particle|undefined { throw new Error('todo') }
export function writeMap(_map: Collection, _call: CollectionCall): Outcome { throw new Error('todo') }
export function newMapFor(_call: CollectionCall): Collection|undefined { throw new Error('todo') }
