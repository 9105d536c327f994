/**
 * The metas of all copies of one namespace, in one small file that is replaced as a whole. What one turn and those that
 * come while the file is being written have changed goes into one file, so a new view costs one or two of them and not
 * one a partition.
 *
 * Most copies have been through the same, and most of those share one object. So the file has a table of the different
 * metas, as JSON, and of each partition its number in the table.
 */
import type { CopyMeta } from './copy-disk.ts'
import { blankMeta } from './copy-meta.ts'

/** A small file that is written and read in one piece. */
export interface WholeFile {
  /** Undefined where there is none. */
  read(): Promise<Buffer | undefined>
  /** On disk when it resolves; after a crash the file holds these bytes or those before. */
  write(bytes: Buffer): Promise<void>
}

interface Saved {
  readonly metas: readonly CopyMeta[]
  /** Of each partition: the number of its meta. */
  readonly copies: readonly number[]
}

interface Waiter {
  readonly version: number
  readonly done: () => void
}

export class CopyMetas {
  readonly #file: WholeFile | undefined
  readonly #onFault: (error: unknown) => void
  readonly #metas: CopyMeta[]
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
    if (this.#file) this.#running ??= this.#run(this.#file)
  }

  async #run(file: WholeFile): Promise<void> {
    // What this turn has still to change goes into the same file.
    await Promise.resolve()
    try {
      do await this.#write(file)
      while (this.#waiters.length > 0)
    } catch (error) {
      this.#onFault(error)
    }
    this.#running = undefined
  }

  async #write(file: WholeFile): Promise<void> {
    const version = this.#version
    await file.write(this.#bytes())
    this.#synced = version
    const left = this.#waiters.findIndex((waiter) => waiter.version > version)
    for (const { done } of this.#waiters.splice(0, left < 0 ? this.#waiters.length : left)) done()
  }

  #bytes(): Buffer {
    const numbers = new Map<CopyMeta, number>()
    const texts = new Map<string, { readonly number: number; readonly meta: CopyMeta }>()
    const copies = this.#metas.map((meta, partition) => {
      let number = numbers.get(meta)
      if (number === undefined) {
        const text = JSON.stringify(meta)
        const same = texts.get(text) ?? { number: texts.size, meta }
        texts.set(text, same)
        // Copies that came to the same in different ways share one object from here on.
        if (same.meta !== meta) this.#metas[partition] = same.meta
        else numbers.set(meta, same.number)
        number = same.number
      }
      return number
    })
    return Buffer.from(`{"metas":[${[...texts.keys()].join(',')}],"copies":[${copies.join(',')}]}`)
  }
}

/** The file is sealed: what it holds is what was written. */
function metasOf(bytes: Buffer): CopyMeta[] {
  const { metas, copies } = JSON.parse(bytes.toString()) as Saved
  // JSON leaves out what is undefined.
  const shared = metas.map((meta) => ({ ...blankMeta, ...meta }))
  return copies.map((number) => shared[number]!)
}
