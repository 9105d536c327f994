/** Opens what a node keeps of a strong namespace. */
import { StrongCopies, type StrongCopiesOptions } from '../cluster/strong/strong-copies.ts'
import { StrongRecords } from '../cluster/strong/strong-records.ts'
import type { Namespace } from '../namespace/namespace.ts'
import { folderFault } from '../storage/data-folder.ts'
import type { Disk } from '../storage/disk.ts'
import { StorageError } from '../storage/storage-error.ts'
import { copiesFile } from './copies-file.ts'
import { StartError } from './start-error.ts'

export interface StrongWorld {
  readonly disk: Disk
  /** The namespace's own, if it keeps files. */
  readonly folder: string | undefined
  readonly partitions: number
  readonly turn: StrongCopiesOptions['turn']
  /** Gets lines for the person who runs the node. */
  readonly onNote: (line: string) => void
}

export interface OpenStrong {
  readonly records: StrongRecords
  /** To be told of time, and to be closed after the last change and before the store. */
  readonly copies: StrongCopies
}

/** Rejects with a StartError, whose message is one line that says what to do. */
export async function openStrong(namespace: Namespace, world: StrongWorld): Promise<OpenStrong> {
  const { disk, folder, partitions, turn, onNote } = world
  const { name, store } = namespace
  const file = folder === undefined ? undefined : copiesFile(disk, folder)
  const onFault = (error: unknown): void =>
    onNote(`${name}: cannot write what its copies are (${String(error)}); trying again`)
  try {
    const copies = await StrongCopies.open({ store, partitions, file, turn, onFault })
    return { records: new StrongRecords(namespace, copies, partitions), copies }
  } catch (error) {
    if (error instanceof StartError || folder === undefined) throw error
    const fault = error instanceof StorageError ? error : folderFault(folder, error)
    throw new StartError(`Namespace ${name}: ${fault.message}`, { cause: error })
  }
}
