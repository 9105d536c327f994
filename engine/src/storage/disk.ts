/**
 * The disk as storage sees it. The server hands in the real one, the simulator one that loses what was not
 * synced. Every promise rejects with an error that carries the system's `code` (ENOSPC, EIO, EROFS, ...).
 */
export interface Disk {
  /** Makes a folder and its missing parents, durably. */
  makeFolder(path: string): Promise<void>
  /** Names of the entries of a folder, sorted; rejects with ENOENT when there is none. */
  list(path: string): Promise<string[]>
  /** `create`: must not exist yet. `write`: must exist. `read`: must exist, no writes. */
  open(path: string, mode: 'create' | 'write' | 'read'): Promise<DiskFile>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Makes creations, renames and removals in this folder durable. */
  syncFolder(path: string): Promise<void>
  /** Takes the folder for this process alone; rejects with code ELOCKED and the holder's pid in the message. */
  lock(path: string): Promise<DiskLock>
  /** Bytes free to us on the volume that holds `path`. */
  freeBytes(path: string): Promise<number>
}

export interface DiskFile {
  readonly path: string
  size(): Promise<number>
  /** Reads up to `length` bytes at `position` into `target`; answers how many there were. */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>
  /** Writes all of the bytes at `position`. */
  write(source: Uint8Array, offset: number, length: number, position: number): Promise<void>
  truncate(length: number): Promise<void>
  /** Makes all earlier writes of this file durable. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface DiskLock {
  release(): Promise<void>
}
