import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Two processes in one folder of the embedded database would destroy it, and it keeps no lock of its own. */

interface Holder {
  readonly pid: number
  /** When that process started, because a process id is used again after a restart of the machine. */
  readonly started: string
}

/** Field 22 of /proc/<pid>/stat, counted behind the command's closing bracket; empty where there is no /proc. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  return startOf(holder.pid) === holder.started
}

function readHolder(file: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Partial<Holder>
    if (typeof holder.pid !== 'number' || typeof holder.started !== 'string') return undefined
    return { pid: holder.pid, started: holder.started }
  } catch {
    return undefined
  }
}

/**
 * Takes the lock that stands beside a folder, `<folder>.lock`, or throws one clear line.
 *
 * @returns gives the lock back
 */
export function lockFolder(folder: string): () => void {
  const file = `${folder}.lock`
  const mine: Holder = { pid: process.pid, started: startOf(process.pid) }
  mkdirSync(dirname(file), { recursive: true })
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(file, JSON.stringify(mine), { flag: 'wx' })
      return () => {
        rmSync(file, { force: true })
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const holder = readHolder(file)
    if (holder && isAlive(holder))
      throw new Error(`${folder} is in use by process ${holder.pid}: stop it, or set DATABASE_URL`)
    rmSync(file, { force: true })
  }
  throw new Error(`${file} cannot be taken: remove it if no other store runs`)
}
