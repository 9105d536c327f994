/** The strongly consistent copies that a node keeps of a namespace: their data in its store, their metas in one file. */
import type { CopyFacts, CopyTruncation } from '../../storage/copy-facts.ts'
import type { CopyLog } from '../../storage/copy-log.ts'
import { newDraft, newView, type RecordView } from '../../storage/record.ts'
import type { RecordStore } from '../../storage/record-store.ts'
import { StorageError } from '../../storage/storage-error.ts'
import { voidTimeAt } from '../../values/void-time.ts'
import type { CopyChange, CopyDisk, CopyMeta, Digest, Entry, Version } from './copy-disk.ts'
import { closed } from './copy-meta.ts'
import { CopyMetas, type WholeFile } from './copy-metas.ts'
import { type Lineage, noLineage } from './lineage.ts'
import { comparePositions, type Position } from './position.ts'
import type { RecordContent } from './record-content.ts'
import type { Truncations } from './truncation.ts'

export interface StrongCopiesOptions {
  /** Opened with `strong`. */
  readonly store: RecordStore
  readonly partitions: number
  /** Where the store keeps files, beside them. */
  readonly file: WholeFile | undefined
  /** Runs what waited for the disk, as a turn of the partition's machine. */
  readonly turn: (partition: number, run: () => void) => void
  /** The file of metas could not be written; it is tried again at ticks. */
  readonly onFault: (error: unknown) => void
}

const none = Buffer.alloc(0)

export class StrongCopies {
  readonly #options: StrongCopiesOptions
  readonly #metas: CopyMetas
  readonly #view = newView()
  readonly #disks: readonly CopyDisk<RecordContent>[]

  private constructor(options: StrongCopiesOptions, log: CopyLog, metas: CopyMetas) {
    this.#options = options
    this.#metas = metas
    const shared = new Shared(options, log, metas)
    this.#disks = Array.from({ length: options.partitions }, (_, i) => new PartitionCopy(shared, i))
  }

  /** Copies in which recovery found what was not written as it stands begin anew, to be filled by others (rule D4). */
  static async open(options: StrongCopiesOptions): Promise<StrongCopies> {
    const { store, file, partitions, onFault } = options
    const log = store.copies
    if (!log) throw new Error('strong copies need a store that is opened with strong')
    const { metas, found } = await CopyMetas.open(file, partitions, onFault)
    if (file && !found) {
      if (log.states.places.some((place) => place !== 0))
        throw new StorageError(
          'DAMAGED',
          'the file that says what its copies are is missing; put a copy of it back, or remove the folder so that this node joins as a new one',
        )
      metas.keep(0, metas.get(0))
    }
    const copies = new StrongCopies(options, log, metas)
    for (const partition of log.hit) copies.#giveUp(partition)
    await metas.flush()
    return copies
  }

  disk(partition: number): CopyDisk<RecordContent> {
    return this.#disks[partition]!
  }

  /** The next write to the store in this partition, by a request, has this position. */
  expect(partition: number, { regime, sequence }: Position): void {
    this.#options.store.enterRegime(partition, regime, sequence - 1)
  }

  /** Whether the write that was expected has been done. */
  wrote(partition: number, { regime, sequence }: Position): boolean {
    return this.#options.store.copies!.states.isState(partition, regime, sequence)
  }

  /** Up to that many records whose time is over, at `now` in ms since 1970; their master is to delete them (rule T1). */
  expired(partition: number, now: number, count: number): Digest[] {
    const log = this.#options.store.copies!
    const seconds = voidTimeAt(now)
    const found: Digest[] = []
    log.scan(partition, {}, (digest, { voidTime, setId, regime, sequence }, isDelete) => {
      const isOver = isDelete === false && voidTime !== 0 && voidTime <= seconds
      if (isOver && !log.states.hides(partition, setId, regime, sequence)) found.push(textOf(digest))
      return found.length < count
    })
    return found
  }

  /** Whether the record is there and its time is over at `now`, in ms since 1970. */
  isExpired(digest: Digest, now: number): boolean {
    const { store } = this.#options
    if (store.findVersion(Buffer.from(digest, 'latin1'), 0, this.#view) !== 'record') return false
    const { voidTime } = this.#view
    return voidTime !== 0 && voidTime <= voidTimeAt(now)
  }

  /** Resolves when all metas given so far are on disk. */
  flush(): Promise<void> {
    return this.#metas.flush()
  }

  /** Now and then. */
  tick(): void {
    this.#metas.tick()
  }

  /** After the last change: leaves the marks of a clean stop (rule D1). The store is to be closed then. */
  async close(): Promise<void> {
    await this.#options.store.flush()
    for (const disk of this.#disks) if (!disk.meta.closed) disk.keep(closed(disk.meta))
    await this.#metas.flush()
  }

  #giveUp(partition: number): void {
    const disk = this.disk(partition)
    disk.apply({ lineage: noLineage })
    disk.keep({ ...disk.meta, unclean: true })
  }
}

/** What the copies of one namespace share. */
class Shared {
  readonly store: RecordStore
  readonly log: CopyLog
  readonly metas: CopyMetas
  readonly turn: StrongCopiesOptions['turn']
  readonly view = newView()
  readonly #draft = newDraft()

  constructor({ store, turn }: StrongCopiesOptions, log: CopyLog, metas: CopyMetas) {
    this.store = store
    this.turn = turn
    this.log = log
    this.metas = metas
  }

  setName(id: number): string {
    const name = id === 0 ? undefined : this.store.sets[id]?.name
    return name ? name.buffer.toString('latin1', name.start, name.end) : ''
  }

  setId(name: string): number {
    const bytes = Buffer.from(name, 'latin1')
    return this.store.setId(bytes, 0, bytes.length, true)
  }

  contentOf(view: RecordView): RecordContent {
    return {
      generation: view.generation,
      voidTime: view.voidTime,
      lastUpdate: view.lastUpdate,
      set: this.setName(view.setId),
      key: Buffer.from(view.buffer.subarray(view.keyStart, view.keyEnd)),
      bins: Buffer.from(view.buffer.subarray(view.binsStart, view.binsEnd)),
      binCount: view.binCount,
    }
  }

  put(digest: Digest, { position, content }: Version<RecordContent>, advances: boolean): void {
    const draft = this.#draft
    draft.digest = Buffer.from(digest, 'latin1')
    draft.regime = position.regime
    draft.sequence = position.sequence
    draft.advances = advances
    draft.generation = content?.generation ?? 0
    draft.voidTime = content?.voidTime ?? 0
    draft.lastUpdate = content?.lastUpdate ?? 0
    draft.setId = this.setId(content?.set ?? '')
    draft.key = content?.key ?? none
    draft.keyEnd = draft.key.length
    draft.bins = content?.bins ?? none
    draft.binsEnd = draft.bins.length
    draft.binCount = content?.binCount ?? 0
    this.log.put(draft, content === undefined)
  }
}

class PartitionCopy implements CopyDisk<RecordContent> {
  readonly #shared: Shared
  readonly #partition: number

  constructor(shared: Shared, partition: number) {
    this.#shared = shared
    this.#partition = partition
  }

  get meta(): CopyMeta {
    return this.#shared.metas.get(this.#partition)
  }

  get lineage(): Lineage {
    const { states } = this.#shared.log
    return { epochs: states.epochsOf(this.#partition), state: states.stateOf(this.#partition) }
  }

  get horizon(): Position {
    return this.#shared.log.states.horizonOf(this.#partition)
  }

  get truncations(): Truncations {
    const shared = this.#shared
    return shared.log.states
      .truncationsOf(this.#partition)
      .map(({ setId, number, position }) => ({ set: shared.setName(setId), number, position }))
  }

  find(digest: Digest): Version<RecordContent> | undefined {
    const { store, view } = this.#shared
    const standing = store.findVersion(Buffer.from(digest, 'latin1'), 0, view)
    if (standing === 'nothing') return undefined
    const position = { regime: view.regime, sequence: view.sequence }
    return { position, content: standing === 'record' ? this.#shared.contentOf(view) : undefined }
  }

  digestsAbove(point: Position): Digest[] {
    const found: Digest[] = []
    this.#shared.log.above(this.#partition, point, (digest) => found.push(textOf(digest)))
    return found
  }

  digestsAfter(digest: Digest | undefined, count: number): Digest[] {
    const found: Digest[] = []
    if (count <= 0) return found
    const after = digest === undefined ? undefined : Buffer.from(digest, 'latin1')
    this.#shared.log.scan(this.#partition, { after }, (next, _, isDelete) => {
      if (isDelete !== undefined) found.push(textOf(next))
      return found.length < count
    })
    return found
  }

  droppable(limit: Position, count: number): Digest[] {
    const { log } = this.#shared
    const gone = log.states
      .truncationsOf(this.#partition)
      .filter(({ position }) => comparePositions(position, limit) <= 0)
    const found: Digest[] = []
    if (count <= 0 || (this.#shared.store.tombstones === 0 && gone.length === 0)) return found
    log.scan(this.#partition, {}, (digest, position, isDelete) => {
      const isHidden = (by: CopyTruncation) =>
        (by.setId === 0 || by.setId === position.setId) && comparePositions(position, by.position) <= 0
      const isGone = isDelete !== undefined && gone.some(isHidden)
      if (isGone || (isDelete === true && comparePositions(position, limit) <= 0)) found.push(textOf(digest))
      return found.length < count
    })
    return found
  }

  apply(change: CopyChange<RecordContent>): void {
    const { log } = this.#shared
    log.checkRoom()
    if (this.#applyWrite(change)) return
    const { entries = [] } = change
    const dropped = this.#dropped(change)
    const facts = this.#factsOf(change)
    const changes = dropped.length + entries.length
    // What is put rests on no state, and may replace what the state rests on.
    if (changes > 0 && !facts) log.pin(this.#partition)
    const isOne = changes + (facts ? 1 : 0) <= 1
    if (!isOne) log.begin()
    for (const digest of dropped) log.forget(digest)
    for (const [digest, version] of entries) {
      if (version) this.#shared.put(digest, version, false)
      else log.forget(Buffer.from(digest, 'latin1'))
    }
    if (facts) log.note(this.#partition, facts)
    if (!isOne) log.end()
  }

  keep(meta: CopyMeta): void {
    this.#shared.metas.keep(this.#partition, meta)
  }

  whenSynced(file: 'data' | 'meta', done: () => void): void {
    const { log, metas, turn } = this.#shared
    const run = (): void => turn(this.#partition, done)
    if (file === 'data') log.whenSynced(run)
    else metas.whenSynced(run)
  }

  /** One write that moves the state to itself is one entry. */
  #applyWrite(change: CopyChange<RecordContent>): boolean {
    const { whole, range, entries = [], lineage, state, horizon, truncations } = change
    const [digest, version] = entries[0] ?? []
    if (entries.length !== 1 || digest === undefined || !version || !state) return false
    if (whole || range || lineage || horizon || truncations) return false
    const before = this.#shared.log.states.stateOf(this.#partition)
    if (comparePositions(state, version.position) !== 0 || state.regime !== before.regime) return false
    this.#shared.put(digest, version, true)
    return true
  }

  /** Digests of what is there and not named, where the change drops that. */
  #dropped({ whole, range, entries = [] }: CopyChange<RecordContent>): Buffer[] {
    const dropped: Buffer[] = []
    if (!whole && !range) return dropped
    const named = new Set(entries.map(([digest]: Entry<RecordContent>) => digest))
    const border = (digest: Digest | undefined) =>
      whole || digest === undefined ? undefined : Buffer.from(digest, 'latin1')
    const borders = { after: border(range?.after), upTo: border(range?.upTo) }
    this.#shared.log.scan(this.#partition, borders, (digest) => {
      if (!named.has(textOf(digest))) dropped.push(Buffer.from(digest))
      return true
    })
    return dropped
  }

  #factsOf({
    lineage,
    state,
    horizon,
    truncations,
  }: CopyChange<RecordContent>): Partial<CopyFacts> | undefined {
    if (!lineage && !state && !horizon && !truncations) return undefined
    return {
      ...(lineage ? { epochs: lineage.epochs, state: lineage.state } : state ? { state } : {}),
      ...(horizon && { horizon }),
      ...(truncations && {
        truncations: truncations.map(({ set, number, position }) => ({
          setId: this.#shared.setId(set),
          number,
          position,
        })),
      }),
    }
  }
}

const textOf = (digest: Buffer): Digest => digest.toString('latin1')
