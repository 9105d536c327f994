/** The copies of a real namespace, over its store. */
import type { Namespace } from '../namespace/namespace.ts'
import type { ConflictPolicy } from '../namespace/namespace-config.ts'
import { AnswerWriter } from '../protocol/answer-writer.ts'
import { Info1, Info2, Info3, RequestMessage } from '../protocol/message.ts'
import { ResponseBuffer } from '../protocol/response.ts'
import { TTL_DEFAULT, TTL_NEVER } from '../protocol/time-to-live.ts'
import { newDraft, newView, type RecordDraft, type RecordView } from '../storage/record.ts'
import { DIGEST_BYTES } from '../values/digest.ts'
import { type CopyStore, type Execution, type RequestFacts, StrongRead } from './copy-store.ts'
import type { Regime } from './regime.ts'
import type { StoredVersion } from './stored-version.ts'

/** Whether a request may change its record: a read that has a time to live may prolong the record's. */
export function mayWrite(
  message: RequestMessage,
  settings: { readonly defaultReadTouchTtlPct: number },
): boolean {
  const { info2, ttl } = message
  if (info2 & Info2.WRITE) return true
  return (ttl !== TTL_DEFAULT && ttl !== TTL_NEVER) || settings.defaultReadTouchTtlPct > 0
}

const NOTHING = Buffer.alloc(0)

export class NamespaceCopies implements CopyStore {
  readonly partitions: number
  onExpired: ((partition: number, digest: Buffer) => boolean) | undefined
  readonly #namespace: Namespace
  readonly #message = new RequestMessage()
  readonly #out = new ResponseBuffer()
  readonly #answer = new AnswerWriter(this.#out)
  readonly #view: RecordView = newView()
  readonly #draft: RecordDraft = newDraft()
  readonly #setNames: string[] = []
  readonly #setIds = new Map<string, number>()

  constructor(namespace: Namespace, partitions: number) {
    this.#namespace = namespace
    this.partitions = partitions
    namespace.store.holdCopies((buffer, at) => {
      const digest = Buffer.from(buffer.subarray(at, at + DIGEST_BYTES))
      return this.onExpired?.(namespace.store.partitionOf(digest, 0), digest) ?? false
    })
  }

  inspect(request: Buffer): RequestFacts | undefined {
    const message = this.#message
    if (!message.parse(request, 0, request.length) || message.digestEnd - message.digestAt !== DIGEST_BYTES) {
      return undefined
    }
    const { digestAt, info1, info3 } = message
    const writes = mayWrite(message, this.#namespace.settings)
    return {
      partition: this.#namespace.store.partitionOf(request, digestAt),
      digest: Buffer.from(request.subarray(digestAt, digestAt + DIGEST_BYTES)),
      writes,
      anyReplica: !writes && (info1 & Info1.READ) !== 0,
      masterOnly: (info3 & Info3.COMMIT_MASTER) !== 0,
      strongRead: strongReadOf(info3),
    }
  }

  enter(partition: number, regime: Regime): void {
    this.#namespace.store.enterRegime(partition, regime)
  }

  execute(request: Buffer): Execution {
    const { store } = this.#namespace
    const message = this.#message
    message.parse(request, 0, request.length)
    const { digestAt } = message
    const partition = store.partitionOf(request, digestAt)
    const before = store.sequenceOf(partition)
    const answer = this.answerTo(request)
    const wrote = store.sequenceOf(partition) !== before
    const written = wrote ? this.find(request.subarray(digestAt, digestAt + DIGEST_BYTES)) : undefined
    return { answer, written, position: store.foundPosition }
  }

  /** Does it; the whole answer as it goes to the client. */
  answerTo(request: Buffer): Buffer {
    const message = this.#message
    message.parse(request, 0, request.length)
    this.#out.reset()
    this.#answer.beginFrame(this.#out)
    this.#answer.beginMessage()
    const { code, generation, voidTime } = this.#namespace.execute(message, this.#answer)
    this.#answer.endMessage(code, generation, voidTime, 0)
    this.#answer.endFrame()
    return Buffer.from(this.#out.buffer.subarray(0, this.#out.length))
  }

  find(digest: Buffer): StoredVersion | undefined {
    const standing = this.#namespace.store.findVersion(digest, 0, this.#view)
    if (standing === 'nothing' || this.#isHidden(this.#view, standing)) return undefined
    return this.#versionOf(this.#view, standing, digest)
  }

  put(version: StoredVersion): void {
    this.#put(version, version.regime, version.sequence)
  }

  renew(version: StoredVersion): StoredVersion {
    const { store } = this.#namespace
    const partition = store.partitionOf(version.digest, 0)
    const regime = store.regimeOf(partition)
    const sequence = store.nextSequence(partition)
    this.#put(version, regime, sequence)
    return { ...version, regime, sequence }
  }

  truncate(set: string | undefined, before: number): void {
    if (before === 0) return this.#namespace.untruncate(set)
    // Copies of the set may come later.
    if (set !== undefined) this.#namespace.store.setId(Buffer.from(set, 'latin1'), 0, set.length, true)
    this.#namespace.truncate(set, before)
  }

  remove(digest: Buffer): StoredVersion | undefined {
    return this.#namespace.store.remove(digest, 0) ? this.find(digest) : undefined
  }

  isEmpty(partition: number): boolean {
    let isEmpty = true
    this.#namespace.store.scan(partition, undefined, () => (isEmpty = false))
    return isEmpty
  }

  scan(partition: number, after: Buffer | undefined, visit: (version: StoredVersion) => boolean): void {
    this.#namespace.store.scan(
      partition,
      after,
      (view, standing, digest) =>
        this.#isHidden(view, standing) || visit(this.#versionOf(view, standing, digest)),
    )
  }

  forget(partition: number, count: number): boolean {
    const found: Buffer[] = []
    const { store } = this.#namespace
    store.scan(partition, undefined, (_view, _standing, digest) => found.push(Buffer.from(digest)) < count)
    for (const digest of found) store.forget(digest, 0)
    return found.length === count
  }

  get conflictPolicy(): ConflictPolicy {
    return this.#namespace.settings.conflictResolutionPolicy
  }

  get time(): number {
    return this.#namespace.store.now
  }

  get tombstoneLife(): number {
    return this.#namespace.store.tombstoneLife
  }

  get position(): number {
    return this.#namespace.store.commitPosition
  }

  whenSynced(position: number, callback: (failed: boolean) => void): void {
    this.#namespace.store.whenSynced(position, callback)
  }

  #put(version: StoredVersion, regime: Regime, sequence: number): void {
    const { store } = this.#namespace
    const draft = this.#draft
    draft.digest = version.digest
    draft.digestStart = 0
    draft.regime = regime
    draft.sequence = sequence
    draft.generation = version.generation
    draft.voidTime = version.voidTime
    draft.lastUpdate = version.lastUpdate
    draft.setId = this.#setId(version.set)
    draft.key = version.key
    draft.keyStart = 0
    draft.keyEnd = version.key.length
    draft.bins = version.bins
    draft.binsStart = 0
    draft.binsEnd = version.bins.length
    draft.binCount = version.binCount
    if (version.deleted) return store.bury(draft)
    store.write(draft)
    if (store.hides(draft)) store.sweepHidden()
  }

  /** What a truncation hides is as if it had gone: some node may have taken it out already. */
  #isHidden(view: RecordView, standing: 'record' | 'delete'): boolean {
    return standing === 'record' && this.#namespace.store.hides(view)
  }

  #versionOf(view: RecordView, standing: 'record' | 'delete', digest: Buffer): StoredVersion {
    const deleted = standing === 'delete'
    return {
      digest: Buffer.from(digest),
      regime: view.regime,
      sequence: view.sequence,
      deleted,
      generation: view.generation,
      voidTime: view.voidTime,
      lastUpdate: view.lastUpdate,
      set: this.#setName(view.setId),
      key: bytesOf(view.buffer, view.keyStart, view.keyEnd),
      bins: deleted ? NOTHING : bytesOf(view.buffer, view.binsStart, view.binsEnd),
      binCount: deleted ? 0 : view.binCount,
    }
  }

  /** A set keeps its number for as long as the store is open. */
  #setName(id: number): string {
    const known = this.#setNames[id]
    if (known !== undefined) return known
    const name = id === 0 ? undefined : this.#namespace.store.sets[id]?.name
    return (this.#setNames[id] = name ? name.buffer.toString('latin1', name.start, name.end) : '')
  }

  #setId(name: string): number {
    if (name === '') return 0
    let id = this.#setIds.get(name)
    if (id !== undefined) return id
    const bytes = Buffer.from(name, 'latin1')
    id = this.#namespace.store.setId(bytes, 0, bytes.length, true)
    this.#setIds.set(name, id)
    return id
  }
}

function strongReadOf(info3: number): StrongRead {
  if (info3 & Info3.SC_READ_RELAX)
    return info3 & Info3.SC_READ_TYPE ? StrongRead.ALLOW_UNAVAILABLE : StrongRead.ALLOW_REPLICA
  return info3 & Info3.SC_READ_TYPE ? StrongRead.LINEARIZE : StrongRead.SESSION
}

function bytesOf(buffer: Buffer, start: number, end: number): Buffer {
  return start === end ? NOTHING : Buffer.from(buffer.subarray(start, end))
}
