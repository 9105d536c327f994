import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { StartFailure } from './start-failure.ts'

/** Makes the folder that all data lies in. Throws a StartFailure when that cannot be. */
export async function makeDataFolder(path: string): Promise<void> {
  try {
    await makeFolders(resolve(path))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartFailure(`The data folder ${path} cannot be made (${reason}); choose another with --data`, {
      cause: error,
    })
  }
}

/** `mkdir` with `recursive` never ends in file systems that make no folders, such as /proc. */
async function makeFolders(path: string): Promise<void> {
  if (await isFolder(path)) return
  if (dirname(path) !== path) await makeFolders(dirname(path))
  await mkdir(path)
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}
