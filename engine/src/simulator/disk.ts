/**
 * A disk that forgets, for tests and simulated clusters. What was written but not synced lies in a cache; a power
 * failure keeps of it what chance wills: of each write any of its 512-byte sectors, of each folder change any. Syncing
 * a file says nothing about its name, and syncing a folder nothing about what its files hold. The end of a process
 * alone loses nothing.
 */
import type { Disk, DiskFile, DiskLock } from '../storage/disk.ts'
import { Inode } from './inode.ts'

export type DiskCall =
  | 'make'
  | 'list'
  | 'open'
  | 'create'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'rename'
  | 'remove'
  | 'syncFolder'
  | 'lock'

export interface SimulatedDiskOptions {
  /** From 0 to below 1. */
  readonly random: () => number
  /** Asked before each call; a text makes it fail with that system code. */
  readonly failure?: (call: DiskCall, path: string) => string | undefined
  /** Asked by each sync as it is called; one that this says does nothing, as if the program had left it out. */
  readonly skipsSync?: (call: 'sync' | 'syncFolder', path: string) => boolean
  /** What a call waits for before it does its work, and before it answers; asked each time. */
  readonly before?: (call: DiskCall) => Promise<void> | undefined
  readonly after?: () => Promise<void> | undefined
  /** Told of each write that a power failure takes back, or a part of it. */
  readonly onForget?: (what: 'lost' | 'torn') => void
  /** The power fails at this call of the process, counted from 1. */
  readonly callsLeft?: number
  /** Bytes of the disk. */
  readonly capacity?: number
}

interface PendingName {
  readonly from: string | undefined
  readonly to: string | undefined
  readonly inode: Inode
}

class SystemError extends Error {
  readonly code: string

  constructor(code: string, path: string) {
    super(`${code}: ${path}`)
    this.code = code
  }
}

/** The disk as one process has it. When the process ends, the next one has another object for the same disk. */
export class SimulatedDisk implements Disk {
  readonly options: SimulatedDiskOptions
  #names = new Map<string, Inode>()
  #durableNames = new Map<string, Inode>()
  #pendingNames: PendingName[] = []
  readonly #folders = new Set<string>()
  readonly #locks = new Set<string>()
  #calls = 0
  #ended = false

  constructor(options: SimulatedDiskOptions) {
    this.options = options
  }

  /** Calls made so far by this process. */
  get calls(): number {
    return this.#calls
  }

  get hasFailed(): boolean {
    return this.options.callsLeft !== undefined && this.#calls >= this.options.callsLeft
  }

  /** Ends the process: none of its calls returns any more. The next one finds all that it wrote. */
  endProcess(options: SimulatedDiskOptions): SimulatedDisk {
    this.#ended = true
    const next = new SimulatedDisk(options)
    next.#names = this.#names
    next.#durableNames = this.#durableNames
    next.#pendingNames = this.#pendingNames
    for (const folder of this.#folders) next.#folders.add(folder)
    return next
  }

  /** Ends the process and forgets what was not synced, as chance wills. */
  losePower(options: SimulatedDiskOptions): SimulatedDisk {
    this.#forget()
    return this.endProcess(options)
  }

  #forget(): void {
    const { random, onForget } = this.options
    for (const change of this.#pendingNames) if (random() < 0.5) applyName(this.#durableNames, change)
    this.#pendingNames = []
    this.#names = new Map(this.#durableNames)
    for (const inode of new Set(this.#names.values())) inode.forget(random, onForget)
  }

  /** Another disk with the same files, all of it synced, for another process. */
  copy(options: SimulatedDiskOptions): SimulatedDisk {
    const copy = new SimulatedDisk(options)
    for (const folder of this.#folders) copy.#folders.add(folder)
    for (const [name, file] of this.#names) {
      const inode = file.copy()
      copy.#names.set(name, inode)
      copy.#durableNames.set(name, inode)
    }
    return copy
  }

  /** Changes bytes on the platter, unnoticed. */
  damage(path: string, change: (content: Buffer) => void): void {
    const inode = this.#names.get(path)!
    change(inode.content)
    inode.sync()
  }

  /** The bytes a path has now, whether they would last or not. */
  contentOf(path: string): Buffer | undefined {
    return this.#names.get(path)?.content
  }

  makeFolder(path: string): Promise<void> {
    return this.#call('make', path, () => void this.#folders.add(path))
  }

  list(path: string): Promise<string[]> {
    return this.#call('list', path, () => {
      if (!this.#folders.has(path)) throw new SystemError('ENOENT', path)
      const names = [...this.#names.keys()].filter((name) => folderOf(name) === path)
      return names.map((name) => name.slice(path.length + 1)).sort()
    })
  }

  open(path: string, mode: 'create' | 'write' | 'read'): Promise<DiskFile> {
    return this.#call(mode === 'create' ? 'create' : 'open', path, () => {
      const known = this.#names.get(path)
      if (mode !== 'create') return this.#handle(path, this.#inode(path))
      if (known) throw new SystemError('EEXIST', path)
      const inode = new Inode()
      this.#rename({ from: undefined, to: path, inode })
      return this.#handle(path, inode)
    })
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', from, () => this.#rename({ from, to, inode: this.#inode(from) }))
  }

  remove(path: string): Promise<void> {
    return this.#call('remove', path, () =>
      this.#rename({ from: path, to: undefined, inode: this.#inode(path) }),
    )
  }

  syncFolder(path: string): Promise<void> {
    const skipped = this.options.skipsSync?.('syncFolder', path)
    return this.#call('syncFolder', path, () => {
      if (skipped) return
      const concerns = ({ from, to }: PendingName): boolean => folderOf(to ?? from ?? '') === path
      for (const change of this.#pendingNames.filter(concerns)) applyName(this.#durableNames, change)
      this.#pendingNames = this.#pendingNames.filter((change) => !concerns(change))
    })
  }

  lock(path: string): Promise<DiskLock> {
    return this.#call('lock', path, () => {
      if (this.#locks.has(path)) throw new SystemError('ELOCKED', 'another process')
      this.#locks.add(path)
      return {
        release: () => {
          this.#locks.delete(path)
          return Promise.resolve()
        },
      }
    })
  }

  freeBytes(): Promise<number> {
    return Promise.resolve(this.#free())
  }

  #free(): number {
    let used = 0
    for (const { length } of this.#names.values()) used += length
    return (this.options.capacity ?? Number.MAX_SAFE_INTEGER) - used
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path)
    if (!inode) throw new SystemError('ENOENT', path)
    return inode
  }

  #rename(change: PendingName): void {
    applyName(this.#names, change)
    this.#pendingNames.push(change)
  }

  /** Lets time pass, then does its work in one step; hangs when the process or the power is gone by then. */
  async #call<T>(call: DiskCall, path: string, work: () => T): Promise<T> {
    this.#calls++
    const slow = this.options.before?.(call)
    if (slow) await slow
    for (let wait = Math.floor(this.options.random() * 4); wait > 0; wait--) await Promise.resolve()
    if (this.#ended || this.hasFailed) return new Promise<never>(() => undefined)
    const code = this.options.failure?.(call, path)
    const done = code === undefined ? { result: work() } : undefined
    const held = this.options.after?.()
    if (held) await held
    if (this.#ended) return new Promise<never>(() => undefined)
    if (!done) throw new SystemError(code ?? 'EIO', path)
    return done.result
  }

  #handle(path: string, inode: Inode): DiskFile {
    return {
      path,
      size: () => Promise.resolve(inode.length),
      read: (target, offset, length, position) =>
        this.#call('read', path, () =>
          inode.content.copy(target, offset, position, Math.min(position + length, inode.length)),
        ),
      write: (source, offset, length, position) => {
        const bytes = Buffer.from(source.subarray(offset, offset + length))
        // The last thing before the power fails may be half a write.
        if (!this.#ended && this.options.callsLeft === this.#calls + 1) inode.write(position, bytes)
        return this.#call('write', path, () => {
          if (position + length - inode.length > this.#free()) throw new SystemError('ENOSPC', path)
          inode.write(position, bytes)
        })
      },
      truncate: (length) => this.#call('truncate', path, () => inode.truncate(length)),
      sync: () => {
        const skipped = this.options.skipsSync?.('sync', path)
        return this.#call('sync', path, () => {
          if (!skipped) inode.sync()
        })
      },
      close: () => Promise.resolve(),
    }
  }
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

function applyName(names: Map<string, Inode>, { from, to, inode }: PendingName): void {
  if (from !== undefined && names.get(from) === inode) names.delete(from)
  if (to !== undefined) names.set(to, inode)
}
