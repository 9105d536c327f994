import type { Disk, DiskFile, DiskLock } from './disk.ts'
import { StorageError, systemCode } from './storage-error.ts'
import { readWhole, unfinished, writeWhole } from './whole-file.ts'

/** Version of everything in a data folder. One that this code does not know is refused, never guessed at. */
export const formatVersion = 1

const formatFile = 'FORMAT'
const checkpointFile = 'CHECKPOINT'
const segmentName = /^(\d{8,10})\.log$/

export interface FolderIdentity {
  /** The namespace the folder belongs to. */
  readonly namespace: string
  readonly partitions: number
  /** A fresh name for this life of the folder, used when there is none yet. */
  readonly newIncarnation: () => string
}

interface Format {
  readonly larder: 'namespace'
  readonly format: number
  readonly namespace: string
  readonly partitions: number
  readonly incarnation: string
}

/** The folder of one namespace: taken for this process alone, known to be ours, its files by their meaning. */
export class DataFolder {
  readonly path: string
  /** Lives as long as the folder's data: a copy that begins empty has another one. */
  readonly incarnation: string
  readonly disk: Disk
  readonly #lock: DiskLock

  private constructor(disk: Disk, path: string, incarnation: string, lock: DiskLock) {
    this.disk = disk
    this.path = path
    this.incarnation = incarnation
    this.#lock = lock
  }

  /** Makes the folder when it is missing. Throws a StorageError that says what to do. */
  static async open(disk: Disk, path: string, identity: FolderIdentity): Promise<DataFolder> {
    const lock = await asStorageError(path, async () => {
      await disk.makeFolder(path)
      return disk.lock(path)
    })
    try {
      const incarnation = await asStorageError(path, () => identify(disk, path, identity))
      return new DataFolder(disk, path, incarnation, lock)
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** Numbers of the segments that have a file, rising. */
  async segments(): Promise<number[]> {
    const names = await this.disk.list(this.path)
    return names
      .map((name) => segmentName.exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .sort((a, b) => a - b)
  }

  segmentPath(number: number): string {
    return `${this.path}/${String(number).padStart(8, '0')}.log`
  }

  async openSegment(number: number): Promise<DiskFile> {
    return this.disk.open(this.segmentPath(number), 'write')
  }

  /** The new name lasts after `sync`. A file that an attempt without success left behind is taken over. */
  async createSegment(number: number): Promise<DiskFile> {
    try {
      return await this.disk.open(this.segmentPath(number), 'create')
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
      return this.openSegment(number)
    }
  }

  /** Lasts after `sync`. */
  async removeSegment(number: number): Promise<void> {
    await this.disk.remove(this.segmentPath(number))
  }

  /** Makes created, renamed and removed files last. */
  async sync(): Promise<void> {
    await this.disk.syncFolder(this.path)
  }

  async readCheckpoint(): Promise<Buffer | undefined> {
    return readWhole(this.disk, `${this.path}/${checkpointFile}`)
  }

  async writeCheckpoint(bytes: Buffer): Promise<void> {
    await writeWhole(this.disk, this.path, checkpointFile, bytes)
  }

  /**
   * From here on the folder counts as not cleanly stopped. The sync also makes last what recovery did to the
   * segments: one that was cut off must not come back beside those that follow.
   */
  async removeCheckpoint(): Promise<void> {
    const names = await this.disk.list(this.path)
    for (const name of [checkpointFile, checkpointFile + unfinished])
      if (names.includes(name)) await this.disk.remove(`${this.path}/${name}`)
    await this.sync()
  }

  async release(): Promise<void> {
    await this.#lock.release()
  }
}

async function identify(disk: Disk, path: string, identity: FolderIdentity): Promise<string> {
  const bytes = await readWhole(disk, `${path}/${formatFile}`)
  if (bytes) return checked(bytes, path, identity)
  const names = await disk.list(path)
  if (names.some((name) => segmentName.test(name)))
    throw new StorageError(
      'DAMAGED',
      `The folder ${path} has segments but no file ${formatFile}; put that file back, or name an empty folder`,
    )
  const format: Format = {
    larder: 'namespace',
    format: formatVersion,
    namespace: identity.namespace,
    partitions: identity.partitions,
    incarnation: identity.newIncarnation(),
  }
  await writeWhole(disk, path, formatFile, Buffer.from(JSON.stringify(format) + '\n'))
  return format.incarnation
}

function checked(bytes: Buffer, path: string, { namespace, partitions }: FolderIdentity): string {
  const format = parseFormat(bytes)
  if (!format)
    throw new StorageError(
      'DAMAGED',
      `The file ${path}/${formatFile} cannot be read; put a copy of it back, or name an empty folder`,
    )
  if (format.format !== formatVersion)
    throw new StorageError(
      'FORMAT',
      `The folder ${path} has format ${format.format}, this version reads format ${formatVersion}; use the version that wrote it`,
    )
  if (format.namespace !== namespace || format.partitions !== partitions)
    throw new StorageError(
      'SETTINGS',
      `The folder ${path} holds namespace ${format.namespace} in ${format.partitions} partitions, not ${namespace} in ${partitions}; name another folder`,
    )
  return format.incarnation
}

function parseFormat(bytes: Buffer): Format | undefined {
  try {
    const found = JSON.parse(bytes.toString()) as Partial<Format> | null
    if (found?.larder !== 'namespace') return undefined
    const { format, namespace, partitions, incarnation } = found
    if (typeof format !== 'number' || typeof namespace !== 'string') return undefined
    if (typeof partitions !== 'number' || typeof incarnation !== 'string') return undefined
    return { larder: 'namespace', format, namespace, partitions, incarnation }
  } catch {
    return undefined
  }
}

/** Runs something that needs the folder; what the system says becomes one line that says what to do. */
async function asStorageError<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StorageError) throw error
    throw folderFault(path, error)
  }
}

/** What the system said of the folder, as one line for a person. */
export function folderFault(path: string, error: unknown): StorageError {
  const code = systemCode(error)
  const said = error instanceof Error ? error.message : String(error)
  switch (code) {
    case 'ELOCKED':
      return new StorageError(
        'LOCKED',
        `The folder ${path} is in use by another node (${said}); stop that one or name another folder`,
        error,
      )
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new StorageError(
        'READ_ONLY',
        `The folder ${path} cannot be written (${code}); make it writable for this user or name another folder`,
        error,
      )
    case 'ENOSPC':
    case 'EDQUOT':
      return new StorageError(
        'DISK_FULL',
        `The disk that holds ${path} is full (${code}); free some space on it`,
        error,
      )
    default:
      return new StorageError(
        'DISK_ERROR',
        `The folder ${path} cannot be used (${said}); check the disk`,
        error,
      )
  }
}
