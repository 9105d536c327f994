/**
 * The metas of all copies of one namespace, in one small file that is replaced as a whole. What one turn and those that
 * come while the file is being written have changed goes into one file, so a new view costs one or two of them and not
 * one a partition.
 *
 * After a view most metas differ in one thing alone, where the regimes started. So the file has a table of the different
 * metas without these starts, as JSON, and of each partition its number in the table and its starts.
 */
import { noView } from '../view-id.ts'
import type { Activation, CopyMeta } from './copy-disk.ts'

/** A small file that is written and read in one piece. */
export interface WholeFile {
  /** Undefined where there is none. */
  read(): Promise<Buffer | undefined>
  /** On disk when it resolves; after a crash the file holds these bytes or those before. */
  write(bytes: Buffer): Promise<void>
}

/** Of a copy that knows nothing. */
export const blankMeta: CopyMeta = {
  rosters: undefined,
  activations: [],
  claims: [],
  served: noView,
  unclean: false,
  closed: true,
}

type Shape = Omit<CopyMeta, 'activations' | 'rosters'> & {
  readonly rosters?: CopyMeta['rosters']
  readonly activations: readonly Omit<Activation, 'start'>[]
}

interface Saved {
  readonly shapes: readonly Shape[]
  /** Of each partition: the number of its shape, then regime and sequence of each activation's start. */
  readonly copies: readonly (readonly number[])[]
}

interface Waiter {
  readonly version: number
  readonly done: () => void
}

export class CopyMetas {
  readonly #file: WholeFile | undefined
  readonly #onFault: (error: unknown) => void
  readonly #metas: CopyMeta[]
  /** By the text of a shape: how many metas have it. */
  readonly #shapes = new Map<string, number>()
  readonly #texts: string[]
  /** Counts changes; how many of them the file has. */
  #version = 0
  #synced = 0
  /** What had changed at the last tick and was not asked for. */
  #stale = 0
  #waiters: Waiter[] = []
  #running: Promise<void> | undefined

  private constructor(file: WholeFile | undefined, metas: CopyMeta[], onFault: (error: unknown) => void) {
    this.#file = file
    this.#metas = metas
    this.#onFault = onFault
    this.#texts = metas.map((meta) => this.#share(meta))
  }

  /**
   * Without a file nothing outlives the process. `found` says whether the file was there; where it was not, it is
   * written, so that one that is missing later has been lost. `onFault`: the file could not be written, and the copies
   * can acknowledge nothing until it can.
   */
  static async open(
    file: WholeFile | undefined,
    partitions: number,
    onFault: (error: unknown) => void,
  ): Promise<{ readonly metas: CopyMetas; readonly found: boolean }> {
    const bytes = await file?.read()
    const saved = bytes ? metasOf(bytes) : new Array<CopyMeta>(partitions).fill(blankMeta)
    if (saved.length !== partitions)
      throw new Error(`the file of copies has ${saved.length} partitions, not ${partitions}`)
    const metas = new CopyMetas(file, saved, onFault)
    return { metas, found: bytes !== undefined }
  }

  get(partition: number): CopyMeta {
    return this.#metas[partition]!
  }

  keep(partition: number, meta: CopyMeta): void {
    this.#metas[partition] = meta
    const before = this.#texts[partition]!
    this.#texts[partition] = this.#share(meta)
    const left = this.#shapes.get(before)! - 1
    if (left === 0) this.#shapes.delete(before)
    else this.#shapes.set(before, left)
    this.#version++
  }

  /** Calls back, in another turn, when all that was given so far is on disk. */
  whenSynced(done: () => void): void {
    if (!this.#file || this.#version === this.#synced) return queueMicrotask(done)
    this.#waiters.push({ version: this.#version, done })
    this.#begin()
  }

  /** Now and then: writes what nobody waits for, and tries again what failed. */
  tick(): void {
    if (this.#stale > this.#synced || this.#waiters.length > 0) this.#begin()
    this.#stale = this.#version
  }

  /** Resolves when all that was given so far is on disk; rejects when it cannot be. */
  async flush(): Promise<void> {
    await this.#running
    while (this.#file && this.#synced < this.#version) await this.#write(this.#file)
  }

  #begin(): void {
    const file = this.#file
    if (!file) return
    this.#running ??= Promise.resolve()
      .then(() => this.#writeAll(file))
      .catch(this.#onFault)
      .then(() => {
        this.#running = undefined
      })
  }

  async #writeAll(file: WholeFile): Promise<void> {
    do await this.#write(file)
    while (this.#waiters.length > 0)
  }

  async #write(file: WholeFile): Promise<void> {
    const version = this.#version
    await file.write(this.#bytes())
    this.#synced = version
    const left = this.#waiters.findIndex((waiter) => waiter.version > version)
    for (const { done } of this.#waiters.splice(0, left < 0 ? this.#waiters.length : left)) done()
  }

  #share(meta: CopyMeta): string {
    const activations = meta.activations.map(({ start: _, ...rest }) => rest)
    const text = JSON.stringify({ ...meta, activations } satisfies Shape)
    this.#shapes.set(text, (this.#shapes.get(text) ?? 0) + 1)
    return text
  }

  #bytes(): Buffer {
    const numbers = new Map([...this.#shapes.keys()].map((text, number) => [text, number]))
    const copies = this.#metas.map(({ activations }, partition) => [
      numbers.get(this.#texts[partition]!)!,
      ...activations.flatMap(({ start }) => [start.regime, start.sequence]),
    ])
    return Buffer.from(`{"shapes":[${[...numbers.keys()].join(',')}],"copies":${JSON.stringify(copies)}}`)
  }
}

/** The file is sealed: what it holds is what was written. */
function metasOf(bytes: Buffer): CopyMeta[] {
  const { shapes, copies } = JSON.parse(bytes.toString()) as Saved
  return copies.map(([shape, ...starts]) => {
    const { activations, rosters, ...rest } = shapes[shape!]!
    return {
      ...rest,
      rosters,
      activations: activations.map((activation, i) => ({
        ...activation,
        start: { regime: starts[2 * i]!, sequence: starts[2 * i + 1]! },
      })),
    }
  })
}
