import { loadIndex, readCheckpoint, type Checkpoint } from './checkpoint.ts'
import type { Contents } from './contents.ts'
import { DataFolder, folderFault } from './data-folder.ts'
import type { Disk } from './disk.ts'
import { EntryKind } from './entry.ts'
import { type Durability, GroupCommit } from './group-commit.ts'
import { type LogPoint, logStart, readLogEntry } from './log-entry.ts'
import { LogReader, type Progress, type ReadLog } from './log-reader.ts'
import { Recovery } from './recovery.ts'
import { offsetOf } from './segment.ts'
import { StorageError } from './storage-error.ts'

/** Where and how a namespace keeps its files. */
export interface FileOptions {
  readonly disk: Disk
  readonly folder: string
  readonly namespace: string
  readonly durability: Durability
  /** The longest time between two groups of `flush`, in ms. */
  readonly flushMs: number
  readonly newIncarnation: () => string
  /** Start although the log is damaged in a way that may hide the newest version of any record. */
  readonly acceptDamage?: boolean
  readonly onProgress?: Progress
  /** Lines for the person who runs the node: what recovery cut, lost or wonders at. */
  readonly onNote?: (line: string) => void
  /** Called once when the namespace has stopped because its files can no longer be trusted to take anything. */
  readonly onFault?: (fault: StorageError) => void
}

/** What was found in the files. `latestUpdate` in ms since 1970. */
interface Found {
  readonly objects: number
  readonly tombstones: number
  readonly latestUpdate: number
}

export interface OpenFiles {
  readonly folder: DataFolder
  readonly commit: GroupCommit
  readonly found: Found
  /** Whether the files were those of a clean stop. */
  readonly startedClean: boolean
  /** Something is gone, and nobody can say which records it held. */
  readonly isDamaged: boolean
}

/** Takes the folder, recovers what it holds, and makes it ready to be appended to. */
export async function openFiles(options: FileOptions, contents: Contents): Promise<OpenFiles> {
  const folder = await DataFolder.open(options.disk, options.folder, {
    namespace: options.namespace,
    partitions: contents.index.partitions,
    newIncarnation: options.newIncarnation,
  })
  try {
    return await recover(folder, options, contents)
  } catch (error) {
    await folder.release()
    throw error instanceof StorageError ? error : folderFault(folder.path, error)
  }
}

async function recover(folder: DataFolder, options: FileOptions, contents: Contents): Promise<OpenFiles> {
  const { log } = contents
  const bytes = await folder.readCheckpoint()
  const left = bytes && readCheckpoint(bytes, contents.index.partitions)
  const reader = new LogReader(folder, log.segments, left && endOf(left))
  const read = await reader.read(options.onProgress ?? (() => undefined))
  // Copies that may be hit are filled from others (D4).
  if (!contents.copies) refuseDamage(folder.path, read, options)
  const checkpoint = left && agrees(left, read) ? left : undefined
  const found = checkpoint ? restore(checkpoint, read, contents) : replay(read, contents)
  await folder.removeCheckpoint()
  const last = read.segments.at(-1)
  const nextNumber = Math.max(read.nextNumber, left?.nextNumber ?? 0)
  log.resume(last?.number === nextNumber - 1 ? last : undefined, nextNumber)
  const commit = new GroupCommit({
    folder,
    log,
    durability: options.durability,
    flushMs: options.flushMs,
    synced: last ? { number: last.number, offset: last.used } : logStart,
    onFault: options.onFault ?? (() => undefined),
  })
  log.listen(commit)
  // A start that gets here with segments missing has accepted it; the next one need not ask again.
  for (const number of read.missing) log.appendLogEntry({ kind: EntryKind.RETIRE, number })
  note(read, options)
  const isDamaged = read.missing.length > 0 || read.damage.some(({ loss }) => loss === 'unknown')
  return { folder, commit, found, startedClean: checkpoint !== undefined, isDamaged }
}

function endOf({ segments }: Checkpoint): LogPoint {
  const last = segments.at(-1)
  return last ? { number: last.number, offset: last.used } : logStart
}

/** Whether the log is still exactly what the checkpoint was made of. */
function agrees({ segments }: Checkpoint, read: ReadLog): boolean {
  if (read.damage.length > 0 || read.tornBytes > 0 || segments.length !== read.segments.length) return false
  return segments.every(({ number, used }, i) => {
    const found = read.segments[i]!
    return found.number === number && found.used === used && found.id === i
  })
}

function restore(checkpoint: Checkpoint, { segments }: ReadLog, contents: Contents): Found {
  const { index, sets, sequences, log, copies } = contents
  loadIndex(index, checkpoint)
  sets.restore(checkpoint.sets)
  sequences.set(checkpoint.sequences)
  checkpoint.segments.forEach(({ live }, i) => log.segments.enliven(segments[i]!, live))
  for (const place of checkpoint.copies ?? []) {
    const entry = place === 0 ? undefined : readLogEntry(log.segments.get(place), offsetOf(place))
    if (entry) copies?.replay(entry, place)
  }
  return checkpoint
}

function replay(read: ReadLog, contents: Contents): Found {
  const recovery = new Recovery(contents)
  recovery.replay(read.segments, read.damage)
  return recovery
}

/** Where nobody can say which record was lost, an older version of it may lie elsewhere and would be taken for the newest. */
function refuseDamage(path: string, { damage, missing }: ReadLog, { acceptDamage }: FileOptions): void {
  if (acceptDamage) return
  const way =
    'put back a copy of the folder, or start with acceptDamage (--accept-damage) and live with what is lost'
  if (missing.length > 0)
    throw new StorageError(
      'DAMAGED',
      `The folder ${path} is damaged: segment ${missing.join(', ')} is missing or too short; ${way}`,
    )
  const lost = damage.find(({ loss }) => loss === 'unknown')
  if (lost)
    throw new StorageError(
      'DAMAGED',
      `The folder ${path} is damaged: ${lost.bytes} bytes at ${lost.point.offset} of segment ${lost.point.number} are not what was written, and which record they held is not known; ${way}`,
    )
}

function note({ damage, tornBytes, missing }: ReadLog, { folder, onNote }: FileOptions): void {
  if (!onNote) return
  if (tornBytes > 0) onNote(`${folder}: cut ${tornBytes} bytes of an unfinished write off the end of the log`)
  const named = damage.filter(({ loss }) => loss === 'named').length
  if (named > 0)
    onNote(`${folder}: ${named} damaged records; reading one answers an error until it is replaced`)
  const unknown = damage.filter(({ loss }) => loss === 'unknown').length
  if (unknown > 0 || missing.length > 0)
    onNote(
      `${folder}: damage accepted at ${unknown} places, ${missing.length} segments missing; records may be lost or old`,
    )
}
