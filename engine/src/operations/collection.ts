import type { Collection } from '../values/collection.ts'
import { collectionAt } from '../values/collection.ts'
import type { Particle, Slice } from '../values/particle.ts'
import { ParticleType } from '../values/particle.ts'
import { ResultCode, ResultError } from '../values/result-code.ts'
import { normaliseItem } from '../values/item-normal.ts'
import type { CollectionCall, ParsedCall } from './collection-call.ts'
import { parameterError, parseCollectionCall } from './collection-call.ts'
import { modifyAtPath, readAtPath } from './collection-context.ts'
import type { Outcome } from './collection-edit.ts'
import { collectionParticle } from './collection-edit.ts'
import { withTables } from './collection-table.ts'
import { isListRead, isListWrite, newListFor, readList, writeList } from './list-operations.ts'
import {
  expectMapArguments,
  isMapRead,
  isMapWrite,
  isUpdateOnly,
  newMapFor,
  readMap,
  writeMap,
} from './map-operations.ts'

/** What a modifying list or map operation leaves behind. */
export interface CollectionChange {
  /** The answer; undefined is nil. */
  readonly result: Particle | undefined
  /** The bin after the operation: the very particle that was passed in when nothing changed, undefined when there is none. */
  readonly bin: Particle | undefined
}

const SORT = 13
/** SELECT and MODIFY by path evaluate expressions: they are done elsewhere, but cannot stand behind a path. */
const PATH_EXPRESSION = 0xfe

/** A list or map operation of op type 3. `call` is `[code, args...]` or `[0xff, path, [code, args...]]`. */
export function readCollection(bin: Particle | undefined, call: Slice): Particle | undefined {
  return withTables(() => {
    const parsed = parseCollectionCall(call)
    const read = callKind(parsed.call.code)
    if (parsed.call.code === PATH_EXPRESSION) parameterError('a path expression needs a record')
    if (bin === undefined) {
      checkRead(read, parsed.call.code)
      return undefined
    }
    if (parsed.path.length > 0) {
      const target = readAtPath(bin, parsed.call.buffer, parsed.path)
      return readTarget(target, read, parsed.call)
    }
    return readTarget(binCollection(bin), read, parsed.call)
  })
}

/** A list or map operation of op type 4. Never changes the bytes it is given. */
export function modifyCollection(bin: Particle | undefined, call: Slice): CollectionChange {
  return withTables(() => {
    const parsed = parseCollectionCall(call)
    const kind = callKind(parsed.call.code)
    if (parsed.call.code === PATH_EXPRESSION) parameterError('a path expression needs a record')
    if (parsed.path.length > 0) {
      return modifyAtPath(bin, parsed, {
        create: () => newTarget(kind, parsed.call),
        write: (target) => {
          if (storesValue(parsed.call.code) && matching(target, kind)) checkPathValues(parsed)
          return writeTarget(target, kind, parsed.call)
        },
        missing: () => missing(parsed.call, bin !== undefined),
      })
    }
    return bin === undefined
      ? createBin(kind, parsed.call)
      : modifyBin(bin, writeTarget(binCollection(bin), kind, parsed.call))
  })
}

type CallKind = 'list' | 'map'

const FIRST_MAP_CODE = 64

function callKind(code: number): CallKind {
  return code < FIRST_MAP_CODE ? 'list' : 'map'
}

/** APPEND, APPEND_ITEMS, INSERT, INSERT_ITEMS, SET. */
function storesValue(code: number): boolean {
  return (code >= 1 && code <= 4) || code === 9
}

/** Calls that store a list value take no infinity or wildcard anywhere, not even in their path. */
function checkPathValues({ call, path }: ParsedCall): void {
  for (const { value, valueEnd } of path) {
    normaliseItem({ buffer: call.buffer, start: value, end: valueEnd }, ResultCode.PARAMETER)
  }
}

function checkRead(kind: CallKind, code: number): void {
  if (!(kind === 'map' ? isMapRead(code) : isListRead(code))) parameterError(`no read call: ${code}`)
}

function checkWrite(kind: CallKind, code: number): void {
  if (!(kind === 'map' ? isMapWrite(code) : isListWrite(code))) parameterError(`no modify call: ${code}`)
}

/** The bin's collection; undefined when the bin is something else. */
function binCollection(bin: Particle): Collection | undefined {
  if (bin.type !== ParticleType.LIST && bin.type !== ParticleType.MAP) return undefined
  return collectionAt(bin.buffer, bin.start, bin.end)
}

function matching(target: Collection | undefined, kind: CallKind): Collection {
  if (target === undefined || target.isMap !== (kind === 'map')) {
    throw new ResultError(ResultCode.BIN_TYPE, `not a ${kind}`)
  }
  return target
}

function readTarget(
  target: Collection | undefined,
  kind: CallKind,
  call: CollectionCall,
): Particle | undefined {
  const collection = matching(target, kind)
  checkRead(kind, call.code)
  return kind === 'map' ? readMap(collection, call) : readList(collection, call)
}

function writeTarget(target: Collection | undefined, kind: CallKind, call: CollectionCall): Outcome {
  const collection = matching(target, kind)
  checkWrite(kind, call.code)
  return kind === 'map' ? writeMap(collection, call) : writeList(collection, call)
}

function newTarget(kind: CallKind, call: CollectionCall): Collection | undefined {
  checkWrite(kind, call.code)
  return kind === 'map' ? newMapFor(call) : newListFor(call)
}

function modifyBin(bin: Particle, { result, changed }: Outcome): CollectionChange {
  if (changed === undefined) return { result, bin }
  return { result, bin: { type: bin.type, buffer: changed, start: 0, end: changed.length } }
}

function createBin(kind: CallKind, call: CollectionCall): CollectionChange {
  const fresh = newTarget(kind, call)
  if (fresh === undefined) {
    missing(call)
    return { result: undefined, bin: undefined }
  }
  const { result, changed } = writeTarget(fresh, kind, call)
  return { result, bin: collectionParticle(changed ?? fresh.buffer, kind === 'map') }
}

/** A call that creates nothing, on a bin that is not there: most answer nil, some refuse. */
function missing(call: CollectionCall, isBin = false): void {
  if (call.code === SORT && !isBin) throw new ResultError(ResultCode.BIN_TYPE, 'nothing to sort')
  if (!isUpdateOnly(call.code)) return
  expectMapArguments(call)
  throw new ResultError(ResultCode.ELEMENT_NOT_FOUND, 'nothing to replace')
}
