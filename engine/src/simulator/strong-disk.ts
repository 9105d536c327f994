/**
 * The disk of one copy in memory: two logs whose entries are whole or missing. After a power failure each log keeps
 * what was synced and, of the rest, a beginning that chance chooses.
 */
import type { CopyChange, CopyDisk, CopyMeta, Digest, Version } from '../cluster/strong/copy-disk.ts'
import { noLineage, type Lineage } from '../cluster/strong/lineage.ts'
import { comparePositions, origin, type Position } from '../cluster/strong/position.ts'
import { isTruncated, type Truncations } from '../cluster/strong/truncation.ts'
import type { Random } from './random.ts'

/** The disk of one copy in a schedule, and what can happen to it. */
export interface ScheduledDisk extends CopyDisk<string> {
  /** What a power failure would leave at least. */
  readonly syncedMeta: CopyMeta
  /** The process has come to its end in peace. */
  syncAll(): void
  losePower(random: Random): void
  /** What readers find: nothing behind a truncation. */
  read(digest: Digest): string | undefined
}

/** The process that has the disk. */
export interface DiskProcess {
  /** Runs it after a while, unless the process has ended by then. */
  readonly later: (run: () => void) => void
  /** Runs it now, and sends what comes of it. */
  readonly turn: (run: () => void) => void
}

/** A disk with this on it. */
export type NewDisk = (process: DiskProcess, meta: CopyMeta, lineage: Lineage) => ScheduledDisk

export class StrongDisk implements ScheduledDisk {
  readonly #later: (run: () => void) => void
  #data: CopyChange<string>[] = []
  #metas: CopyMeta[]
  #syncedData = 0
  #syncedMetas = 1
  #records = new Map<Digest, Version<string>>()
  #lineage: Lineage = noLineage
  #horizon = origin
  #truncations: Truncations = []
  readonly #setOf: (digest: Digest, content: string) => string

  constructor(
    { later }: Pick<DiskProcess, 'later'>,
    meta: CopyMeta,
    lineage: Lineage,
    setOf: (digest: Digest, content: string) => string = setOfDigest,
  ) {
    this.#later = later
    this.#setOf = setOf
    this.#metas = [meta]
    this.apply({ lineage })
    this.#syncedData = 1
  }

  get meta(): CopyMeta {
    return this.#metas.at(-1)!
  }

  get syncedMeta(): CopyMeta {
    return this.#metas[this.#syncedMetas - 1]!
  }

  get lineage(): Lineage {
    return this.#lineage
  }

  get horizon(): Position {
    return this.#horizon
  }

  get truncations(): Truncations {
    return this.#truncations
  }

  read(digest: Digest): string | undefined {
    const version = this.#records.get(digest)
    return version && !this.#isHidden(this.#truncations, digest, version) ? version.content : undefined
  }

  find(digest: Digest): Version<string> | undefined {
    return this.#records.get(digest)
  }

  digestsAbove(point: Position): Digest[] {
    const found: Digest[] = []
    for (const [digest, { position }] of this.#records) {
      if (comparePositions(position, point) > 0) found.push(digest)
    }
    return found
  }

  digestsAfter(digest: Digest | undefined, count: number): Digest[] {
    const rest = [...this.#records.keys()].filter((key) => digest === undefined || key > digest)
    return rest.sort().slice(0, count)
  }

  droppable(limit: Position, count: number): Digest[] {
    const isWithin = (position: Position): boolean => comparePositions(position, limit) <= 0
    const gone = this.#truncations.filter(({ position }) => isWithin(position))
    const found = [...this.#records].filter(
      ([digest, version]) =>
        this.#isHidden(gone, digest, version) ||
        (version.content === undefined && isWithin(version.position)),
    )
    return found.slice(0, count).map(([digest]) => digest)
  }

  apply(change: CopyChange<string>): void {
    this.#data.push(change)
    this.#apply(change)
  }

  keep(meta: CopyMeta): void {
    this.#metas.push(meta)
  }

  whenSynced(file: 'data' | 'meta', done: () => void): void {
    const [data, metas] = [this.#data.length, this.#metas.length]
    this.#later(() => {
      if (file === 'data') this.#syncedData = Math.max(this.#syncedData, data)
      else this.#syncedMetas = Math.max(this.#syncedMetas, metas)
      done()
    })
  }

  syncAll(): void {
    this.#syncedData = this.#data.length
    this.#syncedMetas = this.#metas.length
  }

  losePower(random: Random): void {
    const left = (synced: number, all: number) => synced + random.below(all - synced + 1)
    this.#data = this.#data.slice(0, left(this.#syncedData, this.#data.length))
    this.#metas = this.#metas.slice(0, left(this.#syncedMetas, this.#metas.length))
    this.syncAll()
    this.#records = new Map()
    this.#lineage = noLineage
    this.#horizon = origin
    this.#truncations = []
    for (const change of this.#data) this.#apply(change)
  }

  #apply({ whole, range, entries, lineage, state, horizon, truncations }: CopyChange<string>): void {
    if (whole) this.#records.clear()
    if (range) {
      for (const digest of this.#records.keys()) {
        const { after, upTo } = range
        if ((after === undefined || digest > after) && (upTo === undefined || digest <= upTo)) {
          this.#records.delete(digest)
        }
      }
    }
    for (const [digest, version] of entries ?? []) {
      if (version) this.#records.set(digest, version)
      else this.#records.delete(digest)
    }
    this.#lineage = lineage ?? (state ? { epochs: this.#lineage.epochs, state } : this.#lineage)
    this.#horizon = horizon ?? this.#horizon
    this.#truncations = truncations ?? this.#truncations
  }

  #isHidden(truncations: Truncations, digest: Digest, { position, content }: Version<string>): boolean {
    const set = content === undefined ? '' : this.#setOf(digest, content)
    return isTruncated(truncations, set, position)
  }
}

/** Each record of a schedule is in a set of its own. */
export function setOfDigest(digest: Digest): string {
  return `set of ${digest}`
}
