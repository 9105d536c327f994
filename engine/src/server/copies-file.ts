/** The file, beside the data of a strong namespace, that says what its copies are. */
import type { WholeFile } from '../cluster/strong/copy-metas.ts'
import type { Disk } from '../storage/disk.ts'
import { readSealed, type SealedKind, writeSealed } from './sealed-file.ts'

const kind: SealedKind = { name: 'strong-copies', format: 1 }

/** `folder` is the namespace's, which its store has taken for this process. */
export function copiesFile(disk: Disk, folder: string): WholeFile {
  return {
    read: () => readSealed(disk, folder, kind),
    write: (bytes) => writeSealed(disk, folder, kind, bytes),
  }
}
