/**
 * A disk that forgets, for tests and simulated clusters. What was written but not synced lies in a cache; a power
 * failure keeps of it what chance wills: of each write any of its 512-byte sectors, of each folder change any. Syncing
 * a file says nothing about its name, and syncing a folder nothing about what its files hold. The end of a process
 * alone loses nothing.
 */
import type { Disk, DiskFile, DiskLock } from '../storage/disk.ts'

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

interface PendingWrite {
  readonly position: number
  readonly bytes: Buffer
}

/** A file's bytes, whatever its names. */
interface Inode {
  content: Buffer
  durable: Buffer
  /** Writes and truncations since the last sync, in order. */
  pending: (PendingWrite | { readonly length: number })[]
}

interface PendingName {
  readonly from: string | undefined
  readonly to: string | undefined
  readonly inode: Inode
}

const sectorBytes = 512

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
    const { random } = this.options
    for (const change of this.#pendingNames) if (random() < 0.5) applyName(this.#durableNames, change)
    this.#pendingNames = []
    this.#names = new Map(this.#durableNames)
    for (const inode of new Set(this.#names.values())) {
      for (const change of inode.pending) inode.durable = this.#keepSome(inode.durable, change)
      inode.pending = []
      inode.content = Buffer.from(inode.durable)
    }
  }

  /** What is left of one change after the power failed: of a write any of its sectors. */
  #keepSome(content: Buffer, change: PendingWrite | { length: number }): Buffer {
    const { random, onForget } = this.options
    if ('length' in change) return random() < 0.5 ? applyTruncation(content, change.length) : content
    const { position, bytes } = change
    const odds = random()
    let left = content
    let [kept, sectors] = [0, 0]
    for (let at = 0; at < bytes.length; sectors++) {
      const next = Math.min(bytes.length, at + sectorBytes - ((position + at) % sectorBytes))
      if (random() < odds) {
        left = overwrite(left, bytes.subarray(at, next), position + at)
        kept++
      }
      at = next
    }
    if (kept < sectors) onForget?.(kept === 0 ? 'lost' : 'torn')
    return left
  }

  /** Another disk with the same files, all of it synced, for another process. */
  copy(options: SimulatedDiskOptions): SimulatedDisk {
    const copy = new SimulatedDisk(options)
    for (const folder of this.#folders) copy.#folders.add(folder)
    for (const [name, { content }] of this.#names) {
      const inode = { content: Buffer.from(content), durable: Buffer.from(content), pending: [] }
      copy.#names.set(name, inode)
      copy.#durableNames.set(name, inode)
    }
    return copy
  }

  /** Changes bytes on the platter, unnoticed. */
  damage(path: string, change: (content: Buffer) => void): void {
    const inode = this.#names.get(path)!
    change(inode.content)
    inode.durable = Buffer.from(inode.content)
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
      const inode: Inode = { content: Buffer.alloc(0), durable: Buffer.alloc(0), pending: [] }
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
    for (const { content } of this.#names.values()) used += content.length
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
      size: () => Promise.resolve(inode.content.length),
      read: (target, offset, length, position) =>
        this.#call('read', path, () =>
          inode.content.copy(target, offset, position, Math.min(position + length, inode.content.length)),
        ),
      write: (source, offset, length, position) => {
        const write = { position, bytes: Buffer.from(source.subarray(offset, offset + length)) }
        // The last thing before the power fails may be half a write.
        if (!this.#ended && this.options.callsLeft === this.#calls + 1) this.#write(inode, write)
        return this.#call('write', path, () => {
          if (position + length - inode.content.length > this.#free()) throw new SystemError('ENOSPC', path)
          this.#write(inode, write)
        })
      },
      truncate: (length) =>
        this.#call('truncate', path, () => {
          inode.content = applyTruncation(inode.content, length)
          inode.pending.push({ length })
        }),
      sync: () => {
        const skipped = this.options.skipsSync?.('sync', path)
        return this.#call('sync', path, () => {
          if (skipped) return
          inode.durable = Buffer.from(inode.content)
          inode.pending = []
        })
      },
      close: () => Promise.resolve(),
    }
  }

  #write(inode: Inode, write: PendingWrite): void {
    inode.content = overwrite(inode.content, write.bytes, write.position)
    inode.pending.push(write)
  }
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

function applyName(names: Map<string, Inode>, { from, to, inode }: PendingName): void {
  if (from !== undefined && names.get(from) === inode) names.delete(from)
  if (to !== undefined) names.set(to, inode)
}

function overwrite(content: Buffer, bytes: Buffer, position: number): Buffer {
  const end = position + bytes.length
  const grown = end > content.length ? Buffer.concat([content, Buffer.alloc(end - content.length)]) : content
  bytes.copy(grown, position)
  return grown
}

function applyTruncation(content: Buffer, length: number): Buffer {
  if (length <= content.length) return Buffer.from(content.subarray(0, length))
  return Buffer.concat([content, Buffer.alloc(length - content.length)])
}
