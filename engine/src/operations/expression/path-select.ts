/** SELECT: the elements that a path chooses, as a tree of the bin's shape or one after the other. */
import { ByteWriter, listHeaderLength, writeListHeader, writeMapHeader } from '../../values/byte-writer.ts'
import type { Collection } from '../../values/collection.ts'
import type { Particle } from '../../values/particle.ts'
import { ParticleType } from '../../values/particle.ts'
import { ResultCode, ResultError } from '../../values/result-code.ts'
import { elementStarts, withTables } from '../collection-table.ts'
import type { Element, Scope } from './expression-node.ts'
import type { PathMode } from './path-expression.ts'
import { chosenBy, collectionIn, elementAt, type PathStep } from './path-step.ts'

const Answer = { TREE: 0, VALUES: 1, KEYS: 2, PAIRS: 3 } as const

interface Selection {
  readonly path: readonly PathStep[]
  readonly mode: PathMode
  readonly scope: Scope
}

export function selectedAt(collection: Collection, selection: Selection): Particle {
  const isTree = selection.mode.answer === Answer.TREE
  const walk = new SelectWalk(selection)
  const { buffer, length } = isTree ? walk.tree(collection, 0) : walk.list(collection)
  const type = isTree && collection.isMap ? ParticleType.MAP : ParticleType.LIST
  return { type, buffer, start: 0, end: length }
}

class SelectWalk {
  readonly #path: readonly PathStep[]
  readonly #mode: PathMode
  readonly #scope: Scope
  #count = 0

  constructor({ path, mode, scope }: Selection) {
    this.#path = path
    this.#mode = mode
    this.#scope = scope
  }

  list(collection: Collection): ByteWriter {
    const body = new ByteWriter()
    this.#addAll(collection, 0, body)
    const whole = new ByteWriter(listHeaderLength(this.#count) + body.length)
    whole.listHeader(this.#count)
    whole.bytes(body.buffer, 0, body.length)
    return whole
  }

  #addAll(collection: Collection, level: number, to: ByteWriter): void {
    const isLast = level === this.#path.length - 1
    if (isLast && this.#wantsKeysOf(collection)) return
    this.#eachChosen(collection, level, (element) => {
      if (isLast) return this.#add(element, to)
      const inner = collectionIn(element)
      if (inner) this.#addAll(inner, level + 1, to)
    })
  }

  /** The elements of a list have no keys. */
  #wantsKeysOf({ isMap, count }: Collection): boolean {
    if (isMap || count === 0 || this.#mode.answer < Answer.KEYS) return false
    if (this.#mode.noFail) return true
    throw new ResultError(ResultCode.BIN_TYPE, 'a list has no keys')
  }

  #add({ collection, key, value, end }: Element, to: ByteWriter): void {
    const { buffer } = collection
    const { answer } = this.#mode
    if (answer !== Answer.VALUES) to.bytes(buffer, key, value)
    if (answer !== Answer.KEYS) to.bytes(buffer, value, end)
    this.#count += answer === Answer.PAIRS ? 2 : 1
  }

  /** The collection with what is chosen in it; what is no collection stays, even where the path goes on. */
  tree(collection: Collection, level: number): ByteWriter {
    const isLast = level === this.#path.length - 1
    const body = new ByteWriter()
    let count = 0
    this.#eachChosen(collection, level, (element) => {
      const { key, value, end } = element
      const inner = isLast ? undefined : collectionIn(element)
      if (collection.isMap) body.bytes(collection.buffer, key, value)
      if (inner) {
        const { buffer, length } = this.tree(inner, level + 1)
        body.bytes(buffer, 0, length)
      } else body.bytes(collection.buffer, value, end)
      count++
    })
    const header = listHeaderLength(count)
    const whole = new ByteWriter(header + body.length)
    const write = collection.isMap ? writeMapHeader : writeListHeader
    write(whole.buffer, whole.take(header), count)
    whole.bytes(body.buffer, 0, body.length)
    return whole
  }

  #eachChosen(collection: Collection, level: number, visit: (element: Element) => void): void {
    if (collection.count === 0) return
    withTables(() => {
      const starts = elementStarts(collection)
      const context = { scope: this.#scope, noFail: this.#mode.noFail }
      const chosen = chosenBy(this.#path[level]!, collection, starts, context)
      for (let i = 0; i < collection.count; i++) if (chosen[i] === 1) visit(elementAt(collection, starts, i))
    })
  }
}
