import { constants } from 'node:fs'
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  statfs,
  writeFile,
} from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Disk, DiskFile, DiskLock } from '../storage/disk.ts'
import { systemCode } from '../storage/storage-error.ts'

const modes = {
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  write: constants.O_RDWR,
  read: constants.O_RDONLY,
}

/** The disk of this machine. */
export const nodeDisk: Disk = {
  async makeFolder(path) {
    // Each folder that was made and the one above them gained an entry.
    for (const folder of await makeFolders(resolve(path))) await syncFolder(folder)
  },
  list: async (path) => (await readdir(path)).sort(),
  open: async (path, mode) => new NodeFile(path, await open(path, modes[mode], 0o644)),
  rename,
  remove: (path) => rm(path),
  syncFolder,
  lock,
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  },
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

class NodeFile implements DiskFile {
  readonly path: string
  readonly #handle: FileHandle

  constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  async read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return (await this.#handle.read(target, offset, length, position)).bytesRead
  }

  async write(source: Uint8Array, offset: number, length: number, position: number): Promise<void> {
    for (let done = 0; done < length;)
      done += (await this.#handle.write(source, offset + done, length - done, position + done)).bytesWritten
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length)
  }

  /** The bytes and, where it changed, the length; times of access and change may be old after a power failure. */
  sync(): Promise<void> {
    return this.#handle.datasync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

const lockFile = 'LOCK'
const holderFile = 'LOCK.holder'

/**
 * Node has no file locks of its own, but SQLite takes one of the system's on its file, and the system gives it back
 * however the process ends. The file stays empty.
 */
async function lock(path: string): Promise<DiskLock> {
  // A read-only folder shall say so in the system's words.
  await (await open(`${path}/${lockFile}`, constants.O_RDWR | constants.O_CREAT, 0o644)).close()
  const database = new DatabaseSync(`${path}/${lockFile}`)
  try {
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    const holder = await readFile(`${path}/${holderFile}`, 'utf8').catch(() => 'unknown')
    throw Object.assign(new Error(`process ${holder.trim()}`, { cause: error }), { code: 'ELOCKED' })
  }
  await writeFile(`${path}/${holderFile}`, `${process.pid}\n`)
  return {
    release: async () => {
      await rm(`${path}/${holderFile}`, { force: true })
      database.close()
    },
  }
}

/**
 * Makes the folder and those above it that are missing; answers the parents of those that were made, lowest first.
 * `mkdir` with `recursive` never ends in file systems that make no folders, such as /proc.
 */
async function makeFolders(path: string): Promise<string[]> {
  const parent = dirname(path)
  const failure = await tryMakeFolder(path)
  if (failure === '') return [parent]
  if (failure === 'EEXIST' || parent === path) return []
  const above = await makeFolders(parent)
  await tryMakeFolder(path, true)
  return [parent, ...above]
}

/** Answers the code of a failure that may pass; throws any other. `isLast`: only an existing folder passes. */
async function tryMakeFolder(path: string, isLast = false): Promise<string> {
  try {
    await mkdir(path)
    return ''
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST' || (code === 'ENOENT' && !isLast)) return code
    throw error
  }
}
