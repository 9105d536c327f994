/** MODIFY: the value of an expression in the place of each element that a path chooses. */
import { ByteWriter } from '../../values/byte-writer.ts'
import { normaliseItem } from '../../values/item-normal.ts'
import type { Collection } from '../../values/collection.ts'
import type { Particle, Slice } from '../../values/particle.ts'
import { ParticleType } from '../../values/particle.ts'
import { ResultCode, ResultError } from '../../values/result-code.ts'
import { draftCollection } from '../collection-edit.ts'
import { elementStarts, withTables } from '../collection-table.ts'
import { sortedList } from '../list-write.ts'
import type { Element, Expression, Scope } from './expression-node.ts'
import { isOutside, isRemoval, itemOf } from './expression-value.ts'
import type { PathMode } from './path-expression.ts'
import { chosenBy, collectionIn, elementAt, type PathStep } from './path-step.ts'

interface Modification {
  readonly path: readonly PathStep[]
  readonly mode: PathMode
  readonly scope: Scope
  readonly expression: Expression
}

const ORDERED = 1

export function modifiedAt(collection: Collection, modification: Modification): Particle {
  const bytes = modified(collection, 0, modification)
  const type = collection.isMap ? ParticleType.MAP : ParticleType.LIST
  return { type, buffer: bytes, start: 0, end: bytes.length }
}

function modified(collection: Collection, level: number, modification: Modification): Buffer {
  const { buffer, start, end, count, isMap, flags } = collection
  if (count === 0) return buffer.subarray(start, end)
  const { path, mode, scope } = modification
  return withTables(() => {
    const starts = elementStarts(collection)
    const chosen = chosenBy(path[level]!, collection, starts, { scope, noFail: mode.noFail })
    const body = new ByteWriter()
    let left = 0
    for (let i = 0; i < count; i++) {
      const element = elementAt(collection, starts, i)
      const value = chosen[i] === 1 ? newValue(element, level, modification) : oldValue(element)
      if (value === undefined) continue
      if (isMap) body.bytes(buffer, element.key, element.value)
      body.bytes(value.buffer, value.start, value.end)
      left++
    }
    const draft = draftCollection(isMap, flags, left, body.length)
    body.buffer.copy(draft.buffer, draft.first, 0, body.length)
    return !isMap && flags & ORDERED ? sortedList(draft.buffer) : draft.buffer
  })
}

const oldValue = ({ collection, value, end }: Element): Slice => ({
  buffer: collection.buffer,
  start: value,
  end,
})

/** What stands in the place of a chosen element; undefined where it is removed. */
function newValue(element: Element, level: number, modification: Modification): Slice | undefined {
  const { path, mode, scope, expression } = modification
  if (level < path.length - 1) {
    const inner = collectionIn(element)
    return inner ? whole(modified(inner, level + 1, modification)) : oldValue(element)
  }
  const value = expression.run({ ...scope, element })
  if (isRemoval(value)) return undefined
  if (value !== undefined && !isOutside(value))
    return normaliseItem(whole(itemOf(value)), ResultCode.PARAMETER)
  if (mode.noFail) return oldValue(element)
  throw new ResultError(ResultCode.SERVER_ERROR, 'a new value that is unknown')
}

const whole = (buffer: Buffer): Slice => ({ buffer, start: 0, end: buffer.length })
