import type { Collection } from '../values/collection.ts'
import { collectionAt } from '../values/collection.ts'
import { skipItem } from '../values/msgpack-item.ts'
import type { Particle } from '../values/particle.ts'
import { ParticleType } from '../values/particle.ts'
import type { CollectionChange } from './collection.ts'
import type { ParsedCall, PathItem } from './collection-call.ts'
import { notApplicable, parameterError } from './collection-call.ts'
import type { Outcome } from './collection-edit.ts'
import { collectionParticle, splice } from './collection-edit.ts'
import { addElement, canCreate, newCollection } from './collection-create.ts'
import { childAt, searchesAll } from './collection-child.ts'
import { sortedList } from './list-write.ts'

/**
 * Calls on a collection inside others. A path is walked from the outside in, by offsets alone; what changed is
 * put back from the inside out. An enclosing collection keeps its header and all its other bytes, so one copy of
 * the bin does for any depth; only an ordered list on the way has to be put in order again.
 */

/** The call at the end of a path, as the walk sees it. */
export interface PathTarget {
  /** The empty collection the call starts from where there is none; undefined for calls that create nothing. */
  create(): Collection | undefined
  /** Fails with 12 when the target is not the collection that the call works on. */
  write(target: Collection | undefined): Outcome
  /** A call that creates nothing found nothing: some refuse. */
  missing(): void
}

/**
 * Bytes of collections that one path may sort, search through, or wrap what it creates in, all levels together. Steps by index or key pass
 * each byte once at most and need no bound; only paths made to hurt come near this one.
 */
const MAX_PATH_WORK = 32 * 1024 * 1024
let pathWork = 0

function spend(bytes: number): void {
  pathWork += bytes
  if (pathWork > MAX_PATH_WORK) parameterError('path too deep for so large a bin')
}

/** Start of the child that a path item names, or -1. */
function step(parent: Collection | undefined, item: PathItem, buffer: Buffer): number {
  if (parent === undefined) notApplicable('the path goes through a value')
  if (searchesAll(item)) spend(parent.end - parent.start)
  return childAt(parent, item, buffer)
}

/** The collection at the end of the path, or undefined when something else is there. Throws 26 when nothing is. */
export function readAtPath(bin: Particle, buffer: Buffer, path: readonly PathItem[]): Collection | undefined {
  let current = outermost(bin)
  pathWork = 0
  for (const [i, item] of path.entries()) {
    const at = step(current, item, buffer)
    if (at < 0) notApplicable('nothing at the end of the path')
    current = i < path.length - 1 ? collectionAt(bin.buffer, at, bin.end) : exactCollection(bin, at)
  }
  return current
}

/** A modifying call at the end of a path. */
export function modifyAtPath(
  bin: Particle | undefined,
  { call, path }: ParsedCall,
  target: PathTarget,
): CollectionChange {
  pathWork = 0
  if (bin === undefined) return createAll(path, call.buffer, target)
  const parents: Collection[] = []
  let current = outermost(bin)
  for (const [i, item] of path.entries()) {
    const at = step(current, item, call.buffer)
    parents.push(current!)
    if (at < 0) return createFrom(bin, parents, path, call.buffer, target)
    current = i < path.length - 1 ? collectionAt(bin.buffer, at, bin.end) : exactCollection(bin, at)
  }
  const { result, changed } = target.write(current)
  if (changed === undefined) return { result, bin }
  return { result, bin: putBack(bin, parents, { start: current!.start, end: current!.end, changed }) }
}

/** A bin that is no collection at all is the caller's mistake, not a place that is missing. */
function outermost(bin: Particle): Collection | undefined {
  const isCollection = bin.type === ParticleType.LIST || bin.type === ParticleType.MAP
  const collection = isCollection ? collectionAt(bin.buffer, bin.start, bin.end) : undefined
  return collection ?? parameterError('a path needs a list or a map')
}

/** The collection at `at` with its true end. Those on the way do with the end of the bin. */
function exactCollection(bin: Particle, at: number): Collection | undefined {
  return collectionAt(bin.buffer, at, skipItem(bin.buffer, at, bin.end))
}

interface Replacement {
  readonly start: number
  readonly end: number
  readonly changed: Buffer
}

/** The bin with `changed` in the place of the bytes `start` to `end`, ordered lists around it in order. */
function putBack(bin: Particle, parents: readonly Collection[], replacement: Replacement): Particle {
  let { start, end, changed } = replacement
  for (let i = parents.length - 1; i >= 0; i--) {
    const parent = parents[i]!
    if (parent.isMap || (parent.flags & 1) === 0) continue
    spend(bin.end - parent.start)
    const whole = exactCollection(bin, parent.start)!
    const body = { buffer: changed, start: 0, end: changed.length }
    changed = sortedList(splice(whole, start, end, body, 0))
    start = whole.start
    end = whole.end
  }
  const buffer = Buffer.allocUnsafe(bin.end - bin.start - (end - start) + changed.length)
  let at = bin.buffer.copy(buffer, 0, bin.start, start)
  at += changed.copy(buffer, at)
  bin.buffer.copy(buffer, at, end, bin.end)
  return { type: bin.type, buffer, start: 0, end: buffer.length }
}

/** The last of `parents` has no such child: it is made if the path item at that level says so. */
function createFrom(
  bin: Particle,
  parents: Collection[],
  path: readonly PathItem[],
  buffer: Buffer,
  target: PathTarget,
): CollectionChange {
  const level = parents.length - 1
  const item = path[level]!
  const parent = exactCollection(bin, parents[level]!.start)!
  if (!canCreate(parent, item, buffer)) notApplicable('nothing at the end of the path')
  const made = createInside(path.slice(level + 1), buffer, target)
  if (made === undefined) return { result: undefined, bin }
  const changed = addElement(parent, item, buffer, made.bytes)
  parents.pop()
  return {
    result: made.result,
    bin: putBack(bin, parents, { start: parent.start, end: parent.end, changed }),
  }
}

/** A path into a bin that is not there: its first item has to carry a create flag. */
function createAll(path: readonly PathItem[], buffer: Buffer, target: PathTarget): CollectionChange {
  const item = path[0]!
  const outer = newCollection(item)
  if (outer === undefined || (item.type & 0xc0) === 0) notApplicable('no bin')
  if (!canCreate(outer, item, buffer, true)) notApplicable('nothing at the end of the path')
  const made = createInside(path.slice(1), buffer, target)
  if (made === undefined) return { result: undefined, bin: undefined }
  const bytes = addElement(outer, item, buffer, made.bytes)
  return { result: made.result, bin: collectionParticle(bytes, outer.isMap) }
}

interface Made {
  readonly bytes: Buffer
  readonly result: Particle | undefined
}

/** Runs the call on a new collection and wraps it in those that the rest of the path names. */
function createInside(path: readonly PathItem[], buffer: Buffer, target: PathTarget): Made | undefined {
  const outer = path.map((item) => {
    const collection = item.type > 0xff ? undefined : newCollection(item)
    if (collection === undefined || !canCreate(collection, item, buffer, true)) {
      notApplicable('a path item that creates nothing')
    }
    return collection
  })
  const fresh = target.create()
  if (fresh === undefined) {
    target.missing()
    return undefined
  }
  const { result, changed } = target.write(fresh)
  let bytes = changed ?? fresh.buffer
  for (let i = path.length - 1; i >= 0; i--) {
    bytes = addElement(outer[i]!, path[i]!, buffer, bytes)
    spend(bytes.length)
  }
  return { bytes, result }
}
