/**
 * Brings what was appended to the files, a group at a time: the bytes that came since the last group, behind them a
 * mark that names the end of that last group, then one sync of every file touched, and of the folder where a file is
 * new. What was appended meanwhile makes the next group, so the slower the disk, the larger the groups.
 *
 * Invariants:
 * - `synced` counts appends whose bytes, and whose files' names, a finished sync covers. It never goes back.
 * - A mark names only what was synced before the mark was appended. So bad bytes before a named point were once good.
 * - After a failed sync nothing is tried again: the system may have dropped the pages and would report success.
 */
import type { DataFolder } from './data-folder.ts'
import type { DiskFile } from './disk.ts'
import { EntryKind } from './entry.ts'
import { type LogPoint } from './log-entry.ts'
import type { Segment } from './segment.ts'
import type { LogListener, SegmentLog } from './segment-log.ts'
import { StorageError, systemCode } from './storage-error.ts'

export type Durability = 'flush' | 'commit'

export interface GroupCommitOptions {
  readonly folder: DataFolder
  readonly log: SegmentLog
  readonly durability: Durability
  /** The longest time between two groups of `flush`, in ms. */
  readonly flushMs: number
  /** Up to where recovery found everything synced. */
  readonly synced: LogPoint
  /** Called once, when the files can no longer be trusted to take anything. */
  readonly onFault: (fault: StorageError) => void
}

/** More than this without a sync, and writes are refused until the disk has caught up. */
const largestUnsyncedBytes = 64 * 1024 * 1024
/** `flush` begins a group early when this much waits. */
const groupBytes = 4 * 1024 * 1024
/**
 * Bytes handed to the disk at once. Its threads may share their core with the one that answers requests, and a call of
 * theirs keeps it while the system copies: 0.3 ms a MiB.
 */
const pieceBytes = 256 * 1024
/** A larger group goes out at once: each piece costs a turn of the event loop, and the disk is behind already. */
const largestPiecemealBytes = 2 * groupBytes
/** Writes stop when the disk has less than this free: room for what compaction needs to free more. */
const reserveBytes = 64 * 1024 * 1024
/** How often free space is looked at, and a full disk tried again. */
const lookEveryMs = 1000

interface Waiter {
  readonly position: number
  readonly callback: (failed: boolean) => void
}

export class GroupCommit implements LogListener {
  readonly #folder: DataFolder
  readonly #log: SegmentLog
  readonly #durability: Durability
  readonly #flushMs: number
  readonly #onFault: (fault: StorageError) => void
  readonly #files = new Map<Segment, DiskFile>()
  #dirty: Segment[] = []
  #waiters: Waiter[] = []
  #named: LogPoint
  /** The end of the last group is named by a mark behind it. */
  #isNamed = true
  #running: Promise<void> | undefined
  #wanted = false
  #unsynced = 0
  #lastGroup = -Infinity
  #lastLook = -Infinity
  #folderChanged = false
  position = 0
  synced = 0
  /** The disk has no room; what waits is tried again. */
  full = false
  fault: StorageError | undefined

  constructor({ folder, log, durability, flushMs, synced, onFault }: GroupCommitOptions) {
    this.#folder = folder
    this.#log = log
    this.#durability = durability
    this.#flushMs = flushMs
    this.#named = synced
    this.#onFault = onFault
  }

  appended(segment: Segment): void {
    this.position++
    if (this.#dirty.at(-1) !== segment && !this.#dirty.includes(segment)) this.#dirty.push(segment)
    if (this.#durability === 'commit' && !this.#marking) this.#begin()
  }

  get overloaded(): boolean {
    return this.#unsynced > largestUnsyncedBytes
  }

  whenSynced(position: number, callback: (failed: boolean) => void): void {
    if (position <= this.synced) callback(false)
    else if (this.fault) callback(true)
    else this.#waiters.push({ position, callback })
  }

  /** Begins a group when its time has come; called now and then. */
  tick(now: number): void {
    if (this.fault) return
    this.#unsynced = this.#countUnsynced()
    // A clock that was set back must not put the next group off.
    const since = Math.abs(now - this.#lastGroup)
    if (Math.abs(now - this.#lastLook) >= lookEveryMs) this.#look(now)
    if (this.#running || (this.full && since < lookEveryMs)) return
    const due = since >= this.#flushMs && (this.position > this.synced || !this.#isNamed)
    if (!due && this.#unsynced < groupBytes) return
    this.#lastGroup = now
    this.#begin()
  }

  /** Begins a group at once: somebody waits for it, though the durability does not. */
  hurry(): void {
    if (this.position > this.synced && !this.fault && !this.full) this.#begin()
  }

  /** Resolves once everything appended so far is on disk; rejects when it cannot be. */
  async flush(): Promise<void> {
    const { position } = this
    if (position <= this.synced && this.#isNamed) return
    this.#begin()
    await new Promise<void>((resolve, reject) => {
      this.whenSynced(position, (failed) =>
        failed ? reject(this.fault ?? new StorageError('DISK_FULL', 'The disk is full')) : resolve(),
      )
    })
  }

  /** Closes the files; what was not flushed is left out. */
  async close(): Promise<void> {
    await this.#running
    for (const file of this.#files.values()) await file.close()
    this.#files.clear()
  }

  #countUnsynced(): number {
    let bytes = 0
    for (const { used, durable } of this.#dirty) bytes += used - durable
    return bytes
  }

  #begin(): void {
    this.#wanted = true
    this.#running ??= Promise.resolve().then(() => this.#run())
  }

  async #run(): Promise<void> {
    while (this.#wanted && !this.fault) {
      this.#wanted = false
      await this.#group()
      if (this.full) break
    }
    this.#running = undefined
  }

  #marking = false

  async #group(): Promise<void> {
    const nothingNew = this.position <= this.synced
    this.#marking = true
    this.#log.appendLogEntry({ kind: EntryKind.MARK, synced: this.#named })
    this.#marking = false
    const upTo = this.position
    const { end } = this.#log
    const pieces = this.#dirty.map((segment) => ({ segment, from: segment.durable, to: segment.used }))
    this.#dirty = []
    const bytes = pieces.reduce((sum, { from, to }) => sum + to - from, 0)
    const step = bytes > largestPiecemealBytes ? bytes : pieceBytes
    try {
      for (const { segment, from, to } of pieces) {
        const file = await this.#fileOf(segment)
        for (let at = from; at < to; at += step)
          await file.write(segment.buffer, at, Math.min(step, to - at), at)
      }
    } catch (error) {
      this.#dirty = [...new Set([...pieces.map(({ segment }) => segment), ...this.#dirty])]
      return this.#writeFailed(error)
    }
    try {
      for (const { segment } of pieces) await this.#files.get(segment)!.sync()
      if (this.#folderChanged) await this.#folder.sync()
    } catch (error) {
      return this.#fail(
        'SYNC_FAILED',
        `The disk could not sync ${this.#folder.path} (${saidBy(error)}); the namespace has stopped. Check the disk, then start the node again`,
        error,
      )
    }
    this.#folderChanged = false
    this.full = false
    for (const { segment, to } of pieces) segment.durable = to
    this.#named = end
    // A group of a mark alone holds nothing that would be missed.
    this.#isNamed = nothingNew
    this.synced = upTo
    await this.#closeFinished(pieces)
    this.#wake(upTo, false)
  }

  async #fileOf(segment: Segment): Promise<DiskFile> {
    let file = this.#files.get(segment)
    if (!file) {
      const isNew = segment.durable === 0
      file = await (isNew
        ? this.#folder.createSegment(segment.number)
        : this.#folder.openSegment(segment.number))
      if (isNew) this.#folderChanged = true
      this.#files.set(segment, file)
    }
    return file
  }

  async #closeFinished(pieces: readonly { segment: Segment }[]): Promise<void> {
    for (const { segment } of pieces) {
      if (this.#log.isOpen(segment) || segment.durable < segment.used) continue
      const file = this.#files.get(segment)
      this.#files.delete(segment)
      await file?.close()
    }
  }

  #writeFailed(error: unknown): void {
    const code = systemCode(error)
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      // The bytes are still here and no sync has been promised for them: they are written again later.
      this.full = true
      this.#wake(this.position, true)
      return
    }
    this.#fail(
      'DISK_ERROR',
      `The disk could not write ${this.#folder.path} (${saidBy(error)}); the namespace has stopped. Check the disk, then start the node again`,
      error,
    )
  }

  #fail(fault: 'SYNC_FAILED' | 'DISK_ERROR', message: string, cause: unknown): void {
    this.fault = new StorageError(fault, message, cause)
    this.#wake(this.position, true)
    this.#onFault(this.fault)
  }

  #wake(upTo: number, failed: boolean): void {
    let count = 0
    while (count < this.#waiters.length && this.#waiters[count]!.position <= upTo) count++
    for (const { callback } of this.#waiters.splice(0, count)) callback(failed)
  }

  /** Stops writes before the disk is full, when a group could still fail half-way. */
  #look(now: number): void {
    this.#lastLook = now
    void this.#folder.disk.freeBytes(this.#folder.path).then(
      (free) => {
        this.lowSpace = free < reserveBytes
      },
      () => undefined,
    )
  }

  lowSpace = false
}

function saidBy(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
