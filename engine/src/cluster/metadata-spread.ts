/**
 * Brings the system metadata to the disks of all members of the view: each change is saved here, told to every member,
 * and told again until the member says that it has saved and done it, too.
 */
import type { MetadataMessage } from './data-message.ts'
import type { NodeId } from './node-id.ts'
import {
  type MetadataEntry,
  type SettingChange,
  SystemMetadata,
  type TruncationState,
} from './system-metadata.ts'

/** Milliseconds after which a member that has not answered is told again. */
const tellAgainAfter = 200

export interface MetadataSpreadOptions {
  readonly self: NodeId
  readonly saved: readonly MetadataEntry[]
  /** ms since 1970 */
  readonly clock: () => number
  /** Name of the view in which this node serves. */
  readonly view: () => string | undefined
  /** Its members. */
  readonly members: () => readonly NodeId[]
  readonly send: (to: NodeId, message: MetadataMessage) => void
  /** To be answered by `stored`. */
  readonly store: (revision: number, entries: readonly MetadataEntry[]) => void
  /** Makes this node do as the entry says. */
  readonly apply: (entry: MetadataEntry) => void
  /** Whether what was applied is done, where that takes a while. */
  readonly isDone: () => boolean
}

/** Milliseconds that somebody waits until all members have done what is known. */
const patience = 3000
/** Those who wait at a time. */
const mostWaits = 64

export class MetadataSpread {
  readonly #options: MetadataSpreadOptions
  readonly #metadata: SystemMetadata
  #stored = 0
  /** What members have saved and done, by the revision here. */
  readonly #known = new Map<NodeId, number>()
  /** Members that wait until their revision is saved here, by ours. */
  #owed: { readonly to: NodeId; readonly theirs: number; readonly ours: number }[] = []
  #nextTell = -Infinity
  #now = -Infinity
  readonly #waits = new Set<{
    readonly revision: number
    readonly until: number
    readonly holds: () => boolean
    readonly answer: (inTime: boolean) => void
  }>()

  constructor(options: MetadataSpreadOptions) {
    this.#options = options
    this.#metadata = new SystemMetadata(options.saved)
    for (const entry of options.saved) options.apply(entry)
  }

  get entries(): readonly MetadataEntry[] {
    return this.#metadata.entries
  }

  get revision(): number {
    return this.#metadata.revision
  }

  strongTruncations(namespace: string): readonly TruncationState[] {
    return this.#metadata.strongTruncations(namespace)
  }

  /** Whether there is room for one more who waits. */
  get takesWaits(): boolean {
    return this.#waits.size < mostWaits
  }

  /**
   * Answers once: true when all members of a view have saved and done what is known here now, and `holds` besides;
   * false when that takes too long.
   */
  whenDone(holds: () => boolean, answer: (inTime: boolean) => void): void {
    this.#waits.add({ revision: this.revision, until: this.#now + patience, holds, answer })
  }

  /** Hides records last updated before that, on all nodes; 0 undoes what was said before. */
  truncate(namespace: string, set: string, before: number): void {
    const known = this.#metadata.truncation(namespace, set)
    const undone = before === 0 && known.before > 0 ? known.undone + 1 : known.undone
    this.merge([{ ...known, undone, before }])
  }

  /** Makes it so on all nodes. */
  set(change: SettingChange): void {
    const { clock, self } = this.#options
    this.merge([this.#metadata.nextSetting(change, clock(), self)])
  }

  merge(entries: readonly MetadataEntry[]): void {
    const changed = this.#metadata.merge(entries)
    if (changed.length === 0) return
    for (const entry of changed) this.#options.apply(entry)
    this.#options.store(this.revision, this.entries)
    this.#tell()
  }

  stored(revision: number): void {
    this.#stored = Math.max(this.#stored, revision)
    const view = this.#options.view()
    if (view === undefined || !this.#options.isDone()) return
    for (const { to, theirs } of this.#owed.filter(({ ours }) => ours <= this.#stored)) {
      this.#options.send(to, { kind: 'metadataKnown', view, revision: theirs })
    }
    this.#owed = this.#owed.filter(({ ours }) => ours > this.#stored)
  }

  /** This node serves in another view. */
  begin(): void {
    this.#known.clear()
    this.#tell()
  }

  receive(from: NodeId, message: MetadataMessage): void {
    if (message.kind === 'metadata') {
      this.merge(message.entries)
      this.#owed = this.#owed.filter(({ to }) => to !== from)
      this.#owed.push({ to: from, theirs: message.revision, ours: this.revision })
      return this.stored(this.#stored)
    }
    // What a member has done in another view it has done in other partitions.
    if (message.view !== this.#options.view()) return
    this.#known.set(from, Math.max(message.revision, this.#known.get(from) ?? -1))
  }

  tick(now: number): void {
    this.#now = now
    if (this.#owed.length > 0) this.stored(this.#stored)
    if (now >= this.#nextTell) this.#tell()
    for (const wait of this.#waits) {
      const isDone = this.#areDone(wait.revision) && wait.holds()
      if (!isDone && now < wait.until) continue
      this.#waits.delete(wait)
      wait.answer(isDone)
    }
  }

  #areDone(revision: number): boolean {
    const { self, members, isDone } = this.#options
    const ids = members()
    if (!ids.includes(self) || this.#stored < revision || !isDone()) return false
    return ids.every((id) => id === self || (this.#known.get(id) ?? -1) >= revision)
  }

  #tell(): void {
    this.#nextTell = this.#now + tellAgainAfter
    const { revision, entries } = this
    if (entries.length === 0) return
    const { self, members, send } = this.#options
    for (const id of members()) {
      if (id !== self && (this.#known.get(id) ?? -1) < revision)
        send(id, { kind: 'metadata', revision, entries })
    }
  }
}
