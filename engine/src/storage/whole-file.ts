/** Small files that are written and read in one piece. */
import type { Disk, DiskFile } from './disk.ts'
import { systemCode } from './storage-error.ts'

/** Ending of a file that is being written; what bears it after a crash is of no worth. */
export const unfinished = '.new'

/** Undefined where there is none. */
export async function readWhole(disk: Disk, path: string): Promise<Buffer | undefined> {
  let file: DiskFile
  try {
    file = await disk.open(path, 'read')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const bytes = Buffer.allocUnsafeSlow(await file.size())
    const count = await file.read(bytes, 0, bytes.length, 0)
    return bytes.subarray(0, count)
  } finally {
    await file.close()
  }
}

/** All of the bytes under this name, on disk when it resolves; after a crash all of them or what was there before. */
export async function writeWhole(disk: Disk, folder: string, name: string, bytes: Buffer): Promise<void> {
  const path = `${folder}/${name}`
  const names = await disk.list(folder)
  if (names.includes(name + unfinished)) await disk.remove(path + unfinished)
  const file = await disk.open(path + unfinished, 'create')
  try {
    await file.write(bytes, 0, bytes.length, 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(path + unfinished, path)
  await disk.syncFolder(folder)
}
