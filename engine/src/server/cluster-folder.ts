/**
 * What a clustered node keeps on disk beside its records: who it is, its newest promise (V1: there before it is sent),
 * and what its copies have been through. The files lie in one folder, taken for this process alone.
 *
 * The incarnation names the node's data: when the folder of a namespace is not the one that was there before, the node
 * has lost data, and takes part as another (R1).
 */
import { isMetadata, type MetadataEntry } from '../cluster/system-metadata.ts'
import { compareViewIds, noView, type ViewId } from '../cluster/view-id.ts'
import { folderFault } from '../storage/data-folder.ts'
import type { Disk, DiskLock } from '../storage/disk.ts'
import { StorageError } from '../storage/storage-error.ts'
import { packCopies, savedCopiesFormat, type SavedNamespace, unpackCopies } from './saved-copies.ts'
import { damaged, pathOf, readSealed, type SealedKind, writeSealed } from './sealed-file.ts'
import { StartError } from './start-error.ts'

const kinds = {
  node: { name: 'node', format: 1 },
  promise: { name: 'promise', format: 1 },
  copies: { name: 'copies', format: savedCopiesFormat },
  metadata: { name: 'metadata', format: 1 },
} as const satisfies Record<string, SealedKind>

export interface ClusterFolderFacts {
  /** Wanted node id, if the configuration names one. */
  readonly id: string | undefined
  /** For a folder that has none yet. */
  readonly newId: () => string
  readonly newIncarnation: () => string
  /** By namespace: incarnation of its folder, undefined where it keeps no files. */
  readonly data: ReadonlyMap<string, string | undefined>
  /** It is another incarnation whatever is there: something of its data never outlives a stop. */
  readonly isNew: boolean
}

interface Identity {
  readonly id: string
  readonly incarnation: string
  /** By namespace, as in the facts; those without files are left out. */
  readonly data: Readonly<Record<string, string>>
}

export class ClusterFolder {
  readonly id: string
  readonly incarnation: string
  /** The newest promise. */
  readonly promised: ViewId
  /** By namespace; only of those whose data is still what it speaks of. */
  readonly copies: ReadonlyMap<string, SavedNamespace['copies']>
  /** What the cluster had told this node. */
  readonly metadata: readonly MetadataEntry[]
  readonly #disk: Disk
  readonly #path: string
  readonly #lock: DiskLock
  readonly #data: Readonly<Record<string, string>>

  private constructor(
    place: { readonly disk: Disk; readonly path: string; readonly lock: DiskLock },
    identity: Identity,
    found: Pick<ClusterFolder, 'promised' | 'copies' | 'metadata'>,
  ) {
    this.#disk = place.disk
    this.#path = place.path
    this.#lock = place.lock
    this.id = identity.id
    this.incarnation = identity.incarnation
    this.#data = identity.data
    this.promised = found.promised
    this.copies = found.copies
    this.metadata = found.metadata
  }

  /** Makes the folder when it is missing. Throws a StartError or a StorageError: one line that says what to do. */
  static async open(disk: Disk, path: string, facts: ClusterFolderFacts): Promise<ClusterFolder> {
    const lock = await asFolderFault(path, async () => {
      await disk.makeFolder(path)
      return disk.lock(path)
    })
    try {
      return await asFolderFault(path, async () => {
        const identity = await identify(disk, path, facts)
        const promised = await readPromise(disk, path)
        const copies = await readCopies(disk, path, identity)
        const metadata = await readMetadata(disk, path)
        return new ClusterFolder({ disk, path, lock }, identity, { promised, copies, metadata })
      })
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  savePromise({ number, leader, incarnation }: ViewId): Promise<void> {
    const body = Buffer.from(JSON.stringify({ number, leader, incarnation }))
    return writeSealed(this.#disk, this.#path, kinds.promise, body)
  }

  /** Namespaces without files are left out: nothing said of them would hold after a restart. */
  saveCopies(copies: Readonly<Record<string, SavedNamespace['copies']>>): Promise<void> {
    const namespaces: Record<string, SavedNamespace> = {}
    for (const [name, data] of Object.entries(this.#data)) {
      const own = copies[name]
      if (own) namespaces[name] = { data, copies: own }
    }
    return writeSealed(this.#disk, this.#path, kinds.copies, packCopies(namespaces))
  }

  saveMetadata(entries: readonly MetadataEntry[]): Promise<void> {
    return writeSealed(this.#disk, this.#path, kinds.metadata, Buffer.from(JSON.stringify(entries)))
  }

  async close(): Promise<void> {
    await this.#lock.release()
  }
}

async function identify(disk: Disk, path: string, facts: ClusterFolderFacts): Promise<Identity> {
  const bytes = await readSealed(disk, path, kinds.node)
  const known = bytes && parseIdentity(bytes)
  if (bytes && !known) throw damaged(path, pathOf(path, kinds.node))
  if (known && facts.id !== undefined && facts.id !== known.id)
    throw new StartError(
      `The folder ${path} is that of node ${known.id}, not ${facts.id}; leave --node-id out, or name another folder`,
    )
  const data = { ...known?.data }
  let isSame = known !== undefined
  for (const [name, incarnation] of facts.data) {
    if (data[name] !== undefined && data[name] !== incarnation) isSame = false
    if (incarnation === undefined) delete data[name]
    else data[name] = incarnation
  }
  const id = known?.id ?? facts.id ?? facts.newId()
  const incarnation = known && isSame && !facts.isNew ? known.incarnation : facts.newIncarnation()
  const identity = { id, incarnation, data }
  const body = Buffer.from(JSON.stringify(identity))
  if (!bytes || !body.equals(bytes)) await writeSealed(disk, path, kinds.node, body)
  return identity
}

function parseIdentity(bytes: Buffer): Identity | undefined {
  const found: unknown = JSON.parse(bytes.toString())
  if (typeof found !== 'object' || found === null) return undefined
  if (!('id' in found && 'incarnation' in found && 'data' in found)) return undefined
  const { id, incarnation, data } = found
  if (typeof id !== 'string' || typeof incarnation !== 'string') return undefined
  if (typeof data !== 'object' || data === null) return undefined
  const entries = Object.entries(data)
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) return undefined
  return { id, incarnation, data: Object.fromEntries(entries) }
}

async function readPromise(disk: Disk, path: string): Promise<ViewId> {
  const bytes = await readSealed(disk, path, kinds.promise)
  if (!bytes) return noView
  const found: unknown = JSON.parse(bytes.toString())
  if (!isViewId(found) || compareViewIds(found, noView) < 0) throw damaged(path, pathOf(path, kinds.promise))
  return found
}

function isViewId(value: unknown): value is ViewId {
  if (typeof value !== 'object' || value === null) return false
  if (!('number' in value && 'leader' in value && 'incarnation' in value)) return false
  const { number, leader, incarnation } = value
  return Number.isSafeInteger(number) && typeof leader === 'string' && typeof incarnation === 'string'
}

async function readCopies(
  disk: Disk,
  path: string,
  identity: Identity,
): Promise<ReadonlyMap<string, SavedNamespace['copies']>> {
  const bytes = await readSealed(disk, path, kinds.copies)
  const namespaces = bytes ? unpackCopies(bytes) : {}
  if (!namespaces) throw damaged(path, pathOf(path, kinds.copies))
  const copies = new Map<string, SavedNamespace['copies']>()
  for (const [name, { data, copies: own }] of Object.entries(namespaces))
    if (identity.data[name] === data) copies.set(name, own)
  return copies
}

async function readMetadata(disk: Disk, path: string): Promise<readonly MetadataEntry[]> {
  const bytes = await readSealed(disk, path, kinds.metadata)
  const found: unknown = bytes ? JSON.parse(bytes.toString()) : []
  if (!isMetadata(found)) throw damaged(path, pathOf(path, kinds.metadata))
  return found
}

async function asFolderFault<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof StartError || error instanceof StorageError ? error : folderFault(path, error)
  }
}
